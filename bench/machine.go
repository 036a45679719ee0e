package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	_ "embed"

	"github.com/fastgrest/fastgrest/pgwire/pgcluster"
)

//go:embed schema.sql
var schemaSQL string

//go:embed seed.sql
var seedSQL string

const database = "bench"

// machine is what servers are measured on: a database of our own.
type machine struct {
	dir      string
	database *pgcluster.Cluster
}

func startDatabase(ctx context.Context, connections int) (*machine, error) {
	dir, err := os.MkdirTemp("", "fastgrest-bench-")
	if err != nil {
		return nil, err
	}
	if err := os.Chmod(dir, 0o755); err != nil { // the database may run as another user
		return nil, err
	}
	m := &machine{dir: dir}
	cluster, err := pgcluster.Start(ctx, pgcluster.Options{Dir: filepath.Join(dir, "database"), Settings: []string{
		"shared_buffers = '256MB'",
		fmt.Sprintf("max_connections = %d", connections),
		"jit = off",
		"autovacuum = off", // would run whenever it likes
	}})
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	m.database = cluster
	for _, step := range []struct{ database, name, sql string }{
		{"postgres", "create database", "create database " + database},
		{database, "schema.sql", schemaSQL},
		{database, "seed.sql", seedSQL},
		// Not part of the file: several statements in one text are one transaction, and VACUUM wants none.
		{database, "vacuum", "vacuum (analyze, freeze)"},
	} {
		if err := cluster.Exec(ctx, step.database, step.name, step.sql); err != nil {
			return nil, errors.Join(err, m.stop())
		}
	}
	return m, nil
}

// resetData takes back what the measurement before has written.
func (m *machine) resetData(ctx context.Context, x *mix) error {
	if x.reset == "" {
		return nil
	}
	return m.database.Exec(ctx, database, "reset of "+x.name, x.reset)
}

// logStatements switches PostgreSQL's log of statements for all sessions, those open included.
func (m *machine) logStatements(ctx context.Context, which string) error {
	for _, sql := range []string{"alter system set log_statement = '" + which + "'", "select pg_reload_conf()"} {
		if err := m.database.Exec(ctx, database, "switch the log", sql); err != nil {
			return err
		}
	}
	time.Sleep(300 * time.Millisecond)
	return nil
}

func (m *machine) stop() error {
	return errors.Join(m.database.Stop(), os.RemoveAll(m.dir))
}
