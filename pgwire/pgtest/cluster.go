package pgtest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/fastgrest/fastgrest/pgwire/pgcluster"
)

// Superuser is the role that owns every cluster. All connections are trusted,
// without passwords.
const Superuser = pgcluster.Superuser

// patience is the timeout of each operation on a server.
const patience = 2 * time.Minute

// Cluster is a running PostgreSQL.
type Cluster struct {
	dir      string
	tcp      bool
	settings []string
	primary  *Cluster           // of a replica
	server   *pgcluster.Cluster // nil when stopped

	will       *os.File // open until this process ends, see watchOver
	undertaker *exec.Cmd
}

var shared struct {
	sync.Mutex
	cluster *Cluster
	err     error
}

// Start returns the cluster that all tests of the process share. It listens on a
// unix socket and on 127.0.0.1.
func Start(tb testing.TB) *Cluster {
	tb.Helper()
	shared.Lock()
	defer shared.Unlock()
	if shared.cluster == nil && shared.err == nil {
		shared.cluster, shared.err = start(Cluster{tcp: true})
	}
	if shared.err != nil {
		unavailable(tb, shared.err)
	}
	return shared.cluster
}

// StartOwn returns a cluster for this test alone, which the test may Stop, Kill
// and Restart. It listens on a unix socket only, so that its URI stays the same.
// Settings are additional lines for postgresql.conf.
func StartOwn(tb testing.TB, settings ...string) *Cluster {
	tb.Helper()
	return startOwn(tb, Cluster{settings: settings})
}

// StartReplicated is StartOwn for a cluster that can have replicas.
func StartReplicated(tb testing.TB, settings ...string) *Cluster {
	tb.Helper()
	return StartOwn(tb, append([]string{"wal_level = replica", "max_wal_senders = 4", "wal_keep_size = 512MB", "hot_standby = on"}, settings...)...)
}

// StartReplica returns a replica of a cluster that StartReplicated made. It has
// the settings of that cluster and the given ones.
func (c *Cluster) StartReplica(tb testing.TB, settings ...string) *Cluster {
	tb.Helper()
	return startOwn(tb, Cluster{settings: slices.Concat(c.settings, settings), primary: c})
}

func startOwn(tb testing.TB, plan Cluster) *Cluster {
	tb.Helper()
	c, err := start(plan)
	if err != nil {
		unavailable(tb, err)
	}
	tb.Cleanup(c.remove)
	return c
}

func unavailable(tb testing.TB, err error) {
	tb.Helper()
	if errors.Is(err, pgcluster.ErrNotFound) && os.Getenv("FASTGREST_TEST_SKIP_DB") == "1" {
		tb.Skipf("SKIPPED WITHOUT DATABASE (FASTGREST_TEST_SKIP_DB=1): %v", err)
	}
	tb.Fatalf("pgtest: %v", err)
}

func start(plan Cluster) (*Cluster, error) {
	c := &plan
	var err error
	if c.dir, err = os.MkdirTemp("", "pgtest"); err != nil {
		return nil, err
	}
	if err := c.watchOver(); err != nil {
		c.remove()
		return nil, err
	}
	if err := c.launch(); err != nil {
		c.remove()
		return nil, err
	}
	return c, nil
}

// watchOver starts a small process that removes the server and its folder when
// this process has ended. A test binary has no hook at its end, and cannot
// have one if it is killed. The watcher reads a pipe, which reaches end of file
// when this process ends.
func (c *Cluster) watchOver() error {
	const script = `cat >/dev/null
if read -r pid <"$1/cluster/data/postmaster.pid"; then
	kill -QUIT "$pid"
	for i in 1 2 3 4 5 6 7 8 9 10; do kill -0 "$pid" && sleep 0.1; done
fi
rm -rf "$1"`
	read, write, err := os.Pipe()
	if err != nil {
		return err
	}
	defer read.Close()
	cmd := exec.Command("/bin/sh", "-c", script, "undertaker", c.dir)
	cmd.Stdin = read
	cmd.Dir = "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // an interrupt from the terminal must not reach it
	if err := cmd.Start(); err != nil {
		write.Close()
		return err
	}
	c.will, c.undertaker = write, cmd
	return nil
}

func (c *Cluster) launch() error {
	programs, err := pgcluster.Find(os.Getenv("TEST_PG_BIN_DIR"))
	if err != nil {
		return err
	}
	// The server may run under another account, which needs access to the folder.
	if err := os.Chmod(c.dir, 0o711); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	o := pgcluster.Options{
		Dir:      filepath.Join(c.dir, "cluster"),
		Create:   createFromSeed,
		Programs: programs,
		TCP:      c.tcp,
		Settings: append([]string{"max_connections = 200", "shared_buffers = 32MB", "wal_level = minimal", "max_wal_senders = 0"}, c.settings...),
		Keep:     "pgtest",
	}
	if c.primary != nil {
		o.Settings = append(o.Settings, following(c.primary))
		o.Create = func(ctx context.Context, replica *pgcluster.Cluster) error {
			return backUp(ctx, c.primary.server, replica)
		}
	}
	if c.server, err = pgcluster.Start(ctx, o); err != nil {
		return err
	}
	c.server.Seal()
	if c.server.Reused || c.primary != nil {
		return nil
	}
	return c.exec("postgres", "roles", createRoles)
}

func (c *Cluster) remove() {
	if c.server != nil {
		_ = c.server.Stop()
	}
	if c.will != nil {
		c.will.Close()
		_ = c.undertaker.Wait()
	}
	os.RemoveAll(c.dir)
}

// URI returns a connection string for the unix socket.
func (c *Cluster) URI(db, user string) string {
	q := url.Values{"host": {c.server.SocketDir}, "port": {strconv.Itoa(c.server.Port)}, "user": {user}}
	return "postgresql:///" + url.PathEscape(db) + "?" + q.Encode()
}

// TCPURI returns a connection string for the loopback interface, on which only
// the cluster of Start listens.
func (c *Cluster) TCPURI(db, user string) string {
	return c.server.URI(db, user) + "?sslmode=disable"
}

// Log returns what the server has logged so far.
func (c *Cluster) Log() string {
	text, _ := os.ReadFile(c.server.LogFile())
	return string(text)
}

// Major is PostgreSQL's major version.
func (c *Cluster) Major() int { return c.server.Programs.Major }

// SocketDir returns the folder of the server's socket. Clusters of StartOwn have
// the port 5432.
func (c *Cluster) SocketDir() string { return c.server.SocketDir }

// DataDir returns the server's data folder.
func (c *Cluster) DataDir() string { return filepath.Join(c.dir, "cluster", "data") }

// WriteFile writes a file into the data folder that only the server can read.
func (c *Cluster) WriteFile(tb testing.TB, name string, content []byte) {
	tb.Helper()
	if err := writeFile(c.DataDir(), name, content); err != nil {
		tb.Fatalf("pgtest: %v", err)
	}
}

func (c *Cluster) mustOwn(tb testing.TB) {
	tb.Helper()
	if c.tcp {
		tb.Fatal("pgtest: the shared cluster keeps running; use StartOwn")
	}
}

// Stop shuts the server down and keeps its data. Connected clients get the error
// 57P01, and new connections are refused.
func (c *Cluster) Stop(tb testing.TB) {
	tb.Helper()
	c.mustOwn(tb)
	if err := c.server.Stop(); err != nil {
		tb.Fatalf("pgtest: %v", err)
	}
}

// Kill kills the postmaster, which ends its children. The data is lost.
func (c *Cluster) Kill(tb testing.TB) {
	tb.Helper()
	c.Halt(tb, syscall.SIGKILL)
	_ = c.server.Stop()
}

// Halt ends the server by a signal to its postmaster and keeps the data for
// Resume: SIGINT for a fast shutdown, SIGQUIT for an immediate one, SIGKILL for a
// crash.
func (c *Cluster) Halt(tb testing.TB, sig syscall.Signal) {
	tb.Helper()
	c.mustOwn(tb)
	if err := syscall.Kill(c.server.PID(), sig); err != nil {
		tb.Fatalf("pgtest: %v", err)
	}
	<-c.server.Exited()
}

// Pause stops all processes of the server, so that it answers nothing, not even a new
// connection. Unpause lets them go on, and so does the end of the test.
func (c *Cluster) Pause(tb testing.TB) {
	tb.Helper()
	c.mustOwn(tb)
	tb.Cleanup(func() { c.signalAll(syscall.SIGCONT) })
	if n := c.signalAll(syscall.SIGSTOP); n < 2 {
		tb.Fatalf("pgtest: %d processes of the server were found", n)
	}
}

// Unpause ends Pause.
func (c *Cluster) Unpause() { c.signalAll(syscall.SIGCONT) }

// signalAll sends a signal to the postmaster and its children, as /proc lists them.
func (c *Cluster) signalAll(sig syscall.Signal) (n int) {
	parent := c.server.PID()
	if syscall.Kill(parent, sig) == nil {
		n++
	}
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, path := range stats {
		text, err := os.ReadFile(path)
		if err != nil {
			continue // it has ended
		}
		// The name of the program is in parentheses and may have any character.
		fields := strings.Fields(string(text[bytes.LastIndexByte(text, ')')+1:]))
		if len(fields) < 2 || fields[1] != strconv.Itoa(parent) {
			continue
		}
		pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(path)))
		if syscall.Kill(pid, sig) == nil {
			n++
		}
	}
	return n
}

// Resume starts the server after Halt. The processes of a killed server may take
// a moment to end, so Resume tries again until it succeeds.
func (c *Cluster) Resume(tb testing.TB) {
	tb.Helper()
	c.mustOwn(tb)
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	var err error
	if !Until(patience, func() bool { err = c.server.Launch(ctx); return err == nil }) {
		tb.Fatalf("pgtest: %v", err)
	}
}

// Demote makes a cluster that Halt has stopped with SIGINT a replica of its
// successor. It takes effect on Resume.
func (c *Cluster) Demote(tb testing.TB, primary *Cluster) {
	tb.Helper()
	c.server.Settings = append(c.server.Settings, following(primary))
	c.WriteFile(tb, "standby.signal", nil)
}

// Follow makes a running replica the replica of another cluster.
func (c *Cluster) Follow(tb testing.TB, primary *Cluster) {
	tb.Helper()
	c.Exec(tb, "postgres", "alter system set "+following(primary))
	c.Exec(tb, "postgres", "select pg_reload_conf()")
}

// Promote makes a replica a primary and waits until it is one.
func (c *Cluster) Promote(tb testing.TB) {
	tb.Helper()
	c.Exec(tb, "postgres", "select pg_promote()")
}

// Restart starts the server after Stop, or an empty one after Kill. The address
// stays the same.
func (c *Cluster) Restart(tb testing.TB) {
	tb.Helper()
	c.mustOwn(tb)
	if err := c.launch(); err != nil {
		tb.Fatalf("pgtest: %v", err)
	}
}

// Exec runs any number of SQL statements as the superuser.
func (c *Cluster) Exec(tb testing.TB, db, sql string) {
	tb.Helper()
	if err := c.exec(db, "SQL", sql); err != nil {
		tb.Fatalf("pgtest: %v", err)
	}
}

func (c *Cluster) exec(db, name, sql string) error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	return c.server.Exec(ctx, db, name, sql)
}

var dbNumber atomic.Int64

// NewDB creates an empty database with a new name.
func (c *Cluster) NewDB(tb testing.TB) string {
	tb.Helper()
	name := fmt.Sprintf("test_%d", dbNumber.Add(1))
	c.CreateDB(tb, name)
	return name
}

// CreateDB creates an empty database.
func (c *Cluster) CreateDB(tb testing.TB, name string) {
	tb.Helper()
	quoted := `"` + strings.ReplaceAll(name, `"`, `""`) + `"`
	create := "create database " + quoted
	if c.Major() >= 15 {
		create += " strategy file_copy" // takes half the time of writing all pages to the WAL
	}
	c.Exec(tb, "postgres", create)
	tb.Cleanup(func() {
		if !c.tcp {
			return // the database is removed with its cluster, which may have stopped
		}
		if err := c.exec("postgres", "SQL", "drop database if exists "+quoted+" with (force)"); err != nil {
			tb.Errorf("pgtest: %v", err)
		}
	})
}

// LoadSQL runs an SQL file as the superuser, with psql if it is installed. Then
// the file may contain psql's commands, and args are psql's arguments. Without
// psql the file must be plain SQL. Servers that lack security_invoker get views
// without it.
func (c *Cluster) LoadSQL(tb testing.TB, db, path string, args ...string) {
	tb.Helper()
	if c.Major() < 15 {
		path = withoutInvoker(tb, path)
	}
	psql, err := exec.LookPath(filepath.Join(c.server.Programs.Dir, "psql"))
	if err != nil {
		psql, err = exec.LookPath("psql")
	}
	if err != nil {
		text, err := os.ReadFile(path)
		if err == nil {
			err = c.exec(db, path, string(text))
		}
		if err != nil {
			tb.Fatalf("pgtest: %v", err)
		}
		return
	}
	args = append([]string{"-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", c.URI(db, Superuser), "-f", path}, args...)
	cmd := exec.Command(psql, args...)
	cmd.Env = append(os.Environ(), "PGOPTIONS=-c client_min_messages=warning")
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Run(); err != nil {
		tb.Fatalf("pgtest: %s: %v\n%s", path, err, out.Bytes())
	}
}

// withoutInvoker copies an SQL file without security_invoker, for servers that
// lack it.
func withoutInvoker(tb testing.TB, path string) string {
	text, err := os.ReadFile(path)
	if err != nil {
		tb.Fatalf("pgtest: %v", err)
	}
	older := filepath.Join(tb.TempDir(), filepath.Base(path))
	if err := os.WriteFile(older, bytes.ReplaceAll(text, []byte("with (security_invoker = true)"), nil), 0o600); err != nil {
		tb.Fatalf("pgtest: %v", err)
	}
	return older
}
