package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	_ "embed"

	"github.com/fastgrest/fastgrest/pgwire/pgcluster"
)

//go:embed schema.sql
var schemaSQL string

//go:embed seed.sql
var seedSQL string

const database = "bench"

// machine is what is measured: a database of our own and a server on it.
type machine struct {
	dir      string
	database *pgcluster.Cluster
	server   *exec.Cmd
	log      *os.File
	addr     string // of the API
	admin    string
}

func startDatabase(ctx context.Context) (*machine, error) {
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
		"max_connections = 200",
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

// startServer starts the program under test. It is configured by PGRST_ variables only, so that
// PostgREST itself, or an older build, can stand in its place.
func (m *machine) startServer(ctx context.Context, program string, args, env []string, pool int) error {
	api, err := freeAddr()
	if err != nil {
		return err
	}
	admin, err := freeAddr()
	if err != nil {
		return err
	}
	m.addr, m.admin = api.String(), admin.String()
	m.closeLog()
	m.log, err = os.Create(filepath.Join(m.dir, "server.log"))
	if err != nil {
		return err
	}
	m.server = exec.Command(program, args...)
	m.server.Env = append(os.Environ(),
		"PGRST_DB_URI="+m.database.URI(database, "authenticator"),
		"PGRST_DB_SCHEMAS=bench",
		"PGRST_DB_ANON_ROLE=anon",
		fmt.Sprintf("PGRST_DB_POOL=%d", pool),
		"PGRST_SERVER_HOST=127.0.0.1",
		fmt.Sprintf("PGRST_SERVER_PORT=%d", api.Port),
		"PGRST_ADMIN_SERVER_HOST=127.0.0.1",
		fmt.Sprintf("PGRST_ADMIN_SERVER_PORT=%d", admin.Port),
		"PGRST_LOG_LEVEL=crit",
	)
	m.server.Env = append(m.server.Env, env...)
	m.server.Stdout, m.server.Stderr = m.log, m.log
	if err := m.server.Start(); err != nil {
		return err
	}
	for range 500 {
		response, err := http.Get("http://" + m.admin + "/ready")
		if err == nil {
			response.Body.Close()
			if response.StatusCode == http.StatusOK {
				return nil
			}
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(20 * time.Millisecond):
		}
	}
	said, _ := os.ReadFile(m.log.Name())
	return fmt.Errorf("%s did not become ready in ten seconds; it said: %.1000s", program, said)
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

// stopServer asks the server to end and waits for it.
func (m *machine) stopServer() error {
	if m.server == nil || m.server.Process == nil {
		return nil
	}
	_ = m.server.Process.Signal(syscall.SIGTERM)
	timer := time.AfterFunc(35*time.Second, func() { m.server.Process.Kill() })
	defer timer.Stop()
	err := m.server.Wait()
	m.server = nil
	return err
}

func (m *machine) stop() error {
	// How the server ended does not matter any more.
	_ = m.stopServer()
	m.closeLog()
	return errors.Join(m.database.Stop(), os.RemoveAll(m.dir))
}

func (m *machine) closeLog() {
	if m.log != nil {
		m.log.Close()
	}
}

// tokenCache says what the server's cache of tokens did since it started; "" if nothing. The names of
// these metrics are PostgREST's.
func (m *machine) tokenCache() (string, error) {
	response, err := http.Get("http://" + m.admin + "/metrics")
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return "", err
	}
	values := make(map[string]float64)
	for line := range strings.Lines(string(body)) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), " ")
		if short, ok := strings.CutPrefix(name, "pgrst_jwt_cache_"); ok {
			values[short], _ = strconv.ParseFloat(value, 64)
		}
	}
	if values["requests_total"] == 0 {
		return "", nil
	}
	return fmt.Sprintf("token cache: %.2f %% of %.0f lookups hit, %.0f evictions",
		100*values["hits_total"]/values["requests_total"], values["requests_total"], values["evictions_total"]), nil
}

// copyLog shows what the server said, for a failed run.
func (m *machine) copyLog(w io.Writer) {
	if m.log == nil {
		return
	}
	if f, err := os.Open(m.log.Name()); err == nil {
		defer f.Close()
		_, _ = io.CopyN(w, f, 10<<10)
	}
}

func freeAddr() (*net.TCPAddr, error) {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr), nil
}
