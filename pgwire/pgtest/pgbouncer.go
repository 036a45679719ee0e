package pgtest

import (
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
)

// FindPgBouncer returns the path of PgBouncer, or skips the test.
func FindPgBouncer(tb testing.TB) string {
	tb.Helper()
	if path := os.Getenv("FASTGREST_PGBOUNCER"); path != "" {
		return path
	}
	for _, name := range []string{"pgbouncer", "/usr/sbin/pgbouncer", "/usr/local/sbin/pgbouncer"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	tb.Skip("SKIPPED WITHOUT PGBOUNCER: install it (apt-get install pgbouncer), or run make test as root")
	return ""
}

// StartPgBouncer starts PgBouncer in front of a cluster of StartOwn, and returns
// the connection string of Login. PgBouncer has poolSize server connections for
// all clients.
func (c *Cluster) StartPgBouncer(tb testing.TB, db, mode string, poolSize int) string {
	tb.Helper()
	program := FindPgBouncer(tb)
	dir, err := os.MkdirTemp("", "bouncer") // the name is short enough for a socket
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { os.RemoveAll(dir) })
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			tb.Fatal(err)
		}
		return path
	}
	users := write("users", fmt.Sprintf("%q \"\"\n%q \"\"\n", Login, Superuser))
	conf := write("pgbouncer.ini", fmt.Sprintf(`
[databases]
%s = host=%s port=5432
[pgbouncer]
listen_addr =
listen_port = 6432
unix_socket_dir = %s
auth_type = trust
auth_file = %s
pool_mode = %s
default_pool_size = %d
max_client_conn = 200
admin_users = %s
`, db, c.SocketDir(), dir, users, mode, poolSize, Login))
	args := []string{conf}
	if os.Geteuid() == 0 { // PgBouncer refuses to run as root
		who := c.account(tb)
		args = append([]string{"-u", who.Username}, args...)
		uid, _ := strconv.Atoi(who.Uid)
		gid, _ := strconv.Atoi(who.Gid)
		if err := os.Chown(dir, uid, gid); err != nil {
			tb.Fatal(err)
		}
	}
	cmd := exec.Command(program, args...)
	out := &Transcript{}
	cmd.Stdout, cmd.Stderr = out, out
	cmd.Dir = dir
	if err := cmd.Start(); err != nil {
		tb.Fatal(err)
	}
	gone := make(chan struct{})
	go func() { _ = cmd.Wait(); close(gone) }()
	tb.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM) // immediate; SIGINT would wait for the clients
		<-gone
		if tb.Failed() {
			tb.Logf("PgBouncer:\n%s", out)
		}
	})
	listens := Until(patience, func() bool {
		select {
		case <-gone:
			tb.Fatalf("PgBouncer does not start: %s", out)
		default:
		}
		conn, err := net.Dial("unix", filepath.Join(dir, ".s.PGSQL.6432"))
		if err == nil {
			conn.Close()
		}
		return err == nil
	})
	if !listens {
		tb.Fatalf("PgBouncer does not listen: %s", out)
	}
	return "postgresql:///" + db + "?" + url.Values{"host": {dir}, "port": {"6432"}, "user": {Login}}.Encode()
}

// account returns the account of the cluster, which can read the cluster's
// folder.
func (c *Cluster) account(tb testing.TB) *user.User {
	tb.Helper()
	info, err := os.Stat(c.DataDir())
	if err != nil {
		tb.Fatal(err)
	}
	who, err := user.LookupId(strconv.Itoa(int(info.Sys().(*syscall.Stat_t).Uid)))
	if err != nil {
		tb.Fatal(err)
	}
	return who
}
