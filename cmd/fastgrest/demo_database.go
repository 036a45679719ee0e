package main

import (
	"context"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	postgresarchive "github.com/fergusstrange/embedded-postgres"

	"github.com/fastgrest/fastgrest/pgwire/pgcluster"
)

//go:embed demo/*.sql
var demoSQL embed.FS

const (
	demoDatabase = "demo"
	// demoTemplate is loaded once; every start copies it, which is why a later start is quick and
	// finds fresh data all the same.
	demoTemplate = "demo_template"
)

// database starts the demo's cluster, fills it if that was not done before, and makes today's database.
func (o demoOptions) database(ctx context.Context, stdout io.Writer) (*pgcluster.Cluster, error) {
	scripts, stamp, err := demoScripts()
	if err != nil {
		return nil, err
	}
	root, err := home()
	if err != nil && o.dir == "" {
		return nil, err
	}
	dir := o.dir
	if dir == "" {
		dir = filepath.Join(root, "demo")
	}
	programs, err := findPrograms(ctx, o.programs, root, stdout)
	if err != nil {
		return nil, err
	}
	fmt.Fprintf(stdout, "Starting PostgreSQL %d in %s ...\n", programs.Major, dir)
	cluster, err := pgcluster.Start(ctx, pgcluster.Options{Dir: dir, Programs: programs, Keep: stamp,
		Settings: []string{"max_connections = 50", "jit = off"}})
	if err != nil {
		return nil, err
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

// findPrograms finds the server programs on this machine, or else fetches some into root.
func findPrograms(ctx context.Context, dir, root string, stdout io.Writer) (pgcluster.Programs, error) {
	programs, missing := pgcluster.Find(dir)
	if missing == nil || !errors.Is(missing, pgcluster.ErrNotFound) || root == "" {
		return programs, missing
	}
	version := postgresarchive.V17
	target := filepath.Join(root, "postgresql-"+string(version))
	if programs, err := pgcluster.Find(filepath.Join(target, "bin")); err == nil {
		return programs, nil
	}
	fmt.Fprintf(stdout, "No PostgreSQL on this machine. Fetching version %s (once) ...\n", version)
	if err := fetchPrograms(ctx, version, target); err != nil {
		return programs, fmt.Errorf("%w; fetching it failed too: %w", missing, err)
	}
	return pgcluster.Find(filepath.Join(target, "bin"))
}

// fetchPrograms downloads and unpacks server programs. The library does that on the way to
// starting a server, and offers nothing less: as an ordinary user it comes up for a moment and
// goes again, as root it fails to, after all that we want of it is done.
func fetchPrograms(ctx context.Context, version postgresarchive.PostgresVersion, target string) error {
	if err := os.MkdirAll(filepath.Dir(target), 0o755); err != nil {
		return err
	}
	work, err := os.MkdirTemp(filepath.Dir(target), "fetch-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)
	port, err := pgcluster.FreePort("127.0.0.1")
	if err != nil {
		return err
	}
	unpacked := filepath.Join(work, "unpacked")
	server := postgresarchive.NewDatabase(postgresarchive.DefaultConfig().Version(version).Port(uint32(port)).
		CachePath(filepath.Join(work, "cache")).RuntimePath(filepath.Join(work, "run")).BinariesPath(unpacked).
		Logger(io.Discard))
	done := make(chan error, 1)
	go func() {
		err := server.Start()
		if err == nil {
			err = server.Stop()
		}
		done <- err
	}()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case err = <-done:
	}
	if _, missing := os.Stat(filepath.Join(unpacked, "bin", "postgres")); missing != nil {
		return err
	}
	if err := os.Chmod(unpacked, 0o755); err != nil {
		return err
	}
	return os.Rename(unpacked, target)
}
