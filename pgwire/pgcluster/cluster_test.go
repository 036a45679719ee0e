package pgcluster

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

// programs finds PostgreSQL or fails: a test run without it proves nothing.
func programs(t *testing.T) Programs {
	t.Helper()
	p, err := Find(os.Getenv("TEST_PG_BIN_DIR"))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// room is a folder that the server's account can reach (t.TempDir of root is closed to others)
// and that is gone after the test.
func room(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "pgcluster-test-")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return filepath.Join(dir, "cluster")
}

func start(t *testing.T, o Options) *Cluster {
	t.Helper()
	o.Programs = programs(t)
	c, err := Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.end() })
	return c
}

func query(t *testing.T, c *Cluster, sql string) string {
	t.Helper()
	conn, err := pgconn.Connect(t.Context(), c.URI("postgres", Superuser))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	results, err := conn.Exec(t.Context(), sql).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	return string(results[0].Rows[0][0])
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

func TestStartAndStop(t *testing.T) {
	dir := room(t)
	for _, tcp := range []bool{false, true} {
		c := start(t, Options{Dir: dir, TCP: tcp, Settings: []string{"work_mem = '7MB'"}})
		if got := query(t, c, "show work_mem"); got != "7MB" {
			t.Errorf("TCP %v: work_mem is %s, want 7MB", tcp, got)
		}
		pid := c.PID()
		if err := c.Stop(); err != nil {
			t.Fatal(err)
		}
		if syscall.Kill(pid, 0) == nil {
			t.Errorf("TCP %v: process %d outlived Stop", tcp, pid)
		}
		if exists(dir) {
			t.Errorf("TCP %v: Stop left %s", tcp, dir)
		}
	}
}

func TestKeep(t *testing.T) {
	dir := room(t)
	c := start(t, Options{Dir: dir, Keep: "one"})
	if err := c.Exec(t.Context(), "postgres", "setup", "create table kept as select 42 as n"); err != nil {
		t.Fatal(err)
	}
	c.Seal()
	if err := c.Stop(); err != nil {
		t.Fatal(err)
	}

	c = start(t, Options{Dir: dir, Keep: "one"})
	if !c.Reused || query(t, c, "select n from kept") != "42" {
		t.Fatal("a sealed cluster was not started again")
	}
	if err := c.Stop(); err != nil {
		t.Fatal(err)
	}

	c = start(t, Options{Dir: dir, Keep: "two"})
	if c.Reused {
		t.Fatal("a cluster was reused under another name")
	}
	if err := c.Stop(); err != nil {
		t.Fatal(err)
	}
	if exists(dir) {
		t.Fatal("a cluster that was never sealed was kept")
	}
}

// TestAfterCrash starts in a folder whose server still runs, as after kill -9 of an earlier process.
func TestAfterCrash(t *testing.T) {
	dir := room(t)
	first := start(t, Options{Dir: dir, Keep: "x"})
	first.Seal()
	first.folder.release() // what the system does when a process dies

	second := start(t, Options{Dir: dir, Keep: "x"})
	if second.Reused {
		t.Error("the data of a crashed run was reused")
	}
	select {
	case <-first.Exited():
	case <-time.After(time.Minute):
		t.Error("the earlier server still runs")
	}
	if err := second.Stop(); err != nil {
		t.Fatal(err)
	}
}

// TestAfterServerDied stops a cluster whose server is already gone.
func TestAfterServerDied(t *testing.T) {
	dir := room(t)
	c := start(t, Options{Dir: dir, Keep: "x"})
	c.Seal()
	if err := syscall.Kill(c.PID(), syscall.SIGQUIT); err != nil {
		t.Fatal(err)
	}
	<-c.Exited()
	if err := c.Stop(); err != nil {
		t.Fatal(err)
	}
	if exists(dir) {
		t.Error("the data of a crashed server was kept")
	}
}

func TestLongFolderName(t *testing.T) {
	dir := filepath.Join(room(t), strings.Repeat("long", 25))
	c := start(t, Options{Dir: dir})
	if got := query(t, c, "select 1"); got != "1" {
		t.Errorf("got %s", got)
	}
	socket := c.SocketDir
	if err := c.Stop(); err != nil {
		t.Fatal(err)
	}
	if exists(socket) || exists(dir) {
		t.Error("folders left behind")
	}
}

func TestRefused(t *testing.T) {
	full := room(t)
	if err := os.MkdirAll(full, 0o755); err != nil {
		t.Fatal(err)
	}
	letter := filepath.Join(full, "letter.txt")
	if err := os.WriteFile(letter, []byte("dear"), 0o644); err != nil {
		t.Fatal(err)
	}
	used := start(t, Options{Dir: room(t)})
	defer used.Stop()

	f := func(o Options, want string) {
		t.Helper()
		o.Programs = programs(t)
		c, err := Start(t.Context(), o)
		if err == nil {
			c.Stop()
			t.Fatalf("started, want an error with %q", want)
		}
		if !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("got %q, want one line with %q", err, want)
		}
	}
	f(Options{}, "use the folder \"\"")
	f(Options{Dir: full}, "other files in it")
	f(Options{Dir: filepath.Join(letter, "below")}, "not a directory")
	f(Options{Dir: used.folder.dir}, "another process is using it")
	f(Options{Dir: room(t), Settings: []string{"work_mem = 'much'"}}, "configuration file")
	if !exists(letter) {
		t.Error("a refused folder lost a file")
	}
	if os.Geteuid() == 0 {
		closed := room(t)
		if err := os.MkdirAll(closed, 0o700); err != nil {
			t.Fatal(err)
		}
		f(Options{Dir: filepath.Join(closed, "inside")}, "may not enter "+closed)
	}
}

func TestExecNamesTheLine(t *testing.T) {
	c := start(t, Options{Dir: room(t)})
	defer c.Stop()
	err := c.Exec(t.Context(), "postgres", "x.sql", "select 'é';\nselect 1;\nselect nothing;")
	if err == nil || !strings.Contains(err.Error(), "x.sql:3: ") {
		t.Errorf("got %v, want x.sql:3", err)
	}
	var pgErr *pgconn.PgError
	if !errors.As(err, &pgErr) || pgErr.Code != "42703" {
		t.Errorf("got %v, want SQLSTATE 42703 inside", err)
	}
}

func TestFind(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	f := func(want string) {
		t.Helper()
		_, err := Find(dir)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
	f("no such file")
	write("initdb", "#!/bin/sh\n")
	write("postgres", "#!/bin/sh\necho 'postgres (PostgreSQL) 9.6.24'\n")
	f("version 9 is too old")
	write("postgres", "#!/bin/sh\necho 'hello'\n")
	f("not a PostgreSQL version")
	write("postgres", "#!/bin/sh\necho 'postgres (PostgreSQL) 18beta1'\n")
	p, err := Find(dir)
	if err != nil || p.Major != 18 {
		t.Errorf("got %v, %v, want major 18", p, err)
	}
	if got := versionIn("/usr/lib/postgresql/" + strconv.Itoa(17) + "/bin"); got != 17 {
		t.Errorf("versionIn: got %d, want 17", got)
	}
}
