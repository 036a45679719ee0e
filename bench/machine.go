package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	_ "embed"

	"github.com/fastgrest/fastgrest/pgwire/pgcluster"
)

//go:embed schema.sql
var schemaSQL string

//go:embed seed.sql
var seedSQL string

const database = "bench"

// machine is the private database that the servers use.
type machine struct {
	dir      string
	database *pgcluster.Cluster
	farther  map[time.Duration]*way
}

// way is a route to the database: its own socket, or the socket of a proxy that delays round trips.
type way struct {
	dir   string // of the socket
	port  int
	proxy *instance // nil without a delay
}

func (v *way) uri(role string) string {
	u := url.URL{Scheme: "postgresql", User: url.User(role), Path: "/" + database}
	u.RawQuery = url.Values{"host": {v.dir}, "port": {strconv.Itoa(v.port)}}.Encode()
	return u.String()
}

// way returns the route with a delay. It starts the proxy on first use.
func (m *machine) way(ctx context.Context, delay time.Duration) (*way, error) {
	v := &way{dir: m.database.SocketDir, port: m.database.Port}
	if delay == 0 {
		return v, nil
	}
	if known, ok := m.farther[delay]; ok {
		return known, nil
	}
	socket := filepath.Join(v.dir, fmt.Sprintf(".s.PGSQL.%d", v.port))
	v.dir = filepath.Join(m.dir, "delay-"+delay.String())
	if err := os.Mkdir(v.dir, 0o755); err != nil {
		return nil, err
	}
	ours := filepath.Join(v.dir, filepath.Base(socket))
	p, err := ourselves("delay", strings.Join([]string{"delay", delay.String(), ours, socket}, ":"))
	if err != nil {
		return nil, err
	}
	if v.proxy, err = m.startProgram(p, nil); err != nil {
		return nil, err
	}
	m.farther[delay] = v
	return v, v.proxy.await(ctx, startPatience, func(context.Context) bool {
		_, err := os.Stat(ours)
		return err == nil
	})
}

func startDatabase(ctx context.Context, connections int, tcp, durable bool) (*machine, error) {
	dir, err := os.MkdirTemp("", "fastgrest-bench-")
	if err != nil {
		return nil, err
	}
	if err := os.Chmod(dir, 0o755); err != nil { // the database may run as another user
		return nil, err
	}
	m := &machine{dir: dir, farther: make(map[time.Duration]*way)}
	settings := []string{
		"shared_buffers = '256MB'",
		fmt.Sprintf("max_connections = %d", connections),
		"jit = off",
		"autovacuum = off", // would run at random times
	}
	if durable { // these come after pgcluster's own, so they count
		settings = append(settings, "fsync = on", "synchronous_commit = on", "full_page_writes = on")
	}
	cluster, err := pgcluster.Start(ctx, pgcluster.Options{Dir: filepath.Join(dir, "database"), TCP: tcp, Settings: settings})
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	m.database = cluster
	for _, step := range []struct{ database, name, sql string }{
		{"postgres", "create database", "create database " + database},
		{database, "schema.sql", schemaSQL},
		{database, "seed.sql", seedSQL},
		// VACUUM is a separate command, because several statements in one text are one transaction.
		{database, "vacuum", "vacuum (analyze, freeze)"},
	} {
		if err := cluster.Exec(ctx, step.database, step.name, step.sql); err != nil {
			return nil, errors.Join(err, m.stop())
		}
	}
	return m, nil
}

// version returns PostgreSQL's full version, or the major version if the program does not tell.
func (m *machine) version(ctx context.Context) string {
	p := m.database.Programs
	out, err := exec.CommandContext(ctx, filepath.Join(p.Dir, "postgres"), "--version").Output()
	if fields := strings.Fields(string(out)); err == nil && len(fields) > 2 { // postgres (PostgreSQL) 15.18
		return fields[2]
	}
	return strconv.Itoa(p.Major)
}

// setup creates what a mix needs in addition to the common tables, before servers load the schema.
func (m *machine) setup(ctx context.Context, x *mix) error {
	for _, sql := range x.setup {
		if err := m.database.Exec(ctx, database, "setup of "+x.name, sql); err != nil {
			return err
		}
	}
	return nil
}

// resetData undoes the writes of the previous measurement.
func (m *machine) resetData(ctx context.Context, x *mix) error {
	if x.reset == "" {
		return nil
	}
	return m.database.Exec(ctx, database, "reset of "+x.name, x.reset)
}

// logStatements sets log_statement for all sessions, including open ones.
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
	var errs []error
	for _, v := range m.farther {
		errs = append(errs, v.proxy.stop())
	}
	return errors.Join(append(errs, m.database.Stop(), os.RemoveAll(m.dir))...)
}
