package main

import (
	"context"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"path/filepath"

	"github.com/fastgrest/fastgrest/pgwire/pgcluster"
)

//go:embed demo/*.sql
var demoSQL embed.FS

const (
	demoDatabase = "demo"
	// demoTemplate is loaded once. Every start copies it: later starts are quick, and have fresh data.
	demoTemplate = "demo_template"
)

// database starts the demo's cluster, loads the template if the folder has none, and copies it.
func (o demoOptions) database(ctx context.Context, stdout io.Writer) (*pgcluster.Cluster, error) {
	scripts, stamp, err := demoScripts()
	if err != nil {
		return nil, err
	}
	dir := o.dir
	if dir == "" {
		cache, err := home()
		if err != nil {
			return nil, err
		}
		dir = filepath.Join(cache, "demo")
	}
	programs, err := pgcluster.Find(o.programs)
	if err != nil {
		return nil, explain(err)
	}
	fmt.Fprintf(stdout, "Starting PostgreSQL %d in %s ...\n", programs.Major, dir)
	cluster, err := pgcluster.Start(ctx, pgcluster.Options{Dir: dir, Programs: programs, Keep: stamp,
		Settings: []string{"max_connections = 50", "jit = off"}})
	if err != nil {
		return nil, explain(err)
	}
	if err := fill(ctx, cluster, scripts); err != nil {
		return nil, errors.Join(err, cluster.Stop())
	}
	return cluster, nil
}

type script struct{ name, sql string }

// demoScripts reads the embedded files in order; the stamp changes when any of them does.
func demoScripts() (scripts []script, stamp string, err error) {
	entries, err := demoSQL.ReadDir("demo")
	if err != nil {
		return nil, "", err
	}
	sum := sha256.New()
	for _, entry := range entries {
		text, err := demoSQL.ReadFile("demo/" + entry.Name())
		if err != nil {
			return nil, "", err
		}
		sum.Write(text)
		scripts = append(scripts, script{entry.Name(), string(text)})
	}
	return scripts, hex.EncodeToString(sum.Sum(nil)[:8]), nil
}

func fill(ctx context.Context, cluster *pgcluster.Cluster, scripts []script) error {
	if !cluster.Reused {
		if err := cluster.Exec(ctx, "postgres", "create database", "create database "+demoTemplate); err != nil {
			return err
		}
		for _, s := range scripts {
			if err := cluster.Exec(ctx, demoTemplate, s.name, s.sql); err != nil {
				return err
			}
		}
		cluster.Seal()
	}
	for _, sql := range []string{
		"drop database if exists " + demoDatabase,
		"create database " + demoDatabase + " template " + demoTemplate,
		// In psql, names work without a schema. The server sets the search path of each request itself.
		"alter role " + pgcluster.Superuser + " in database " + demoDatabase + " set search_path = bookshop, reports",
	} {
		if err := cluster.Exec(ctx, "postgres", "make the database", sql); err != nil {
			return err
		}
	}
	return nil
}

// explain adds a hint to an error of pgcluster: the flag of the demo that helps.
func explain(err error) error {
	if e, ok := errors.AsType[*pgcluster.Error](err); ok {
		switch {
		case errors.Is(err, pgcluster.ErrInUse):
			e.Hint = "stop that process, or choose another folder with --demo-dir"
		case errors.Is(err, pgcluster.ErrNotFound):
			e.Hint += "; or name the folder of the programs with --demo-pg-bin"
		}
	}
	return err
}
