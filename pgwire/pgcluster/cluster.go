package pgcluster

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

// Superuser is the role that owns every cluster.
const Superuser = "postgres"

// Options of a cluster.
type Options struct {
	// Dir is the folder: absent, empty, or left by an earlier cluster. Required, absolute or not.
	Dir string

	// Programs as found by Find; the zero value makes Start look for them.
	Programs Programs

	// TCP makes the server listen on a free port of 127.0.0.1 too, and URI name that address.
	// Without it the server has only a socket in the folder, which other accounts cannot reach.
	TCP bool

	// Settings are lines for postgresql.conf, after ours.
	Settings []string

	// Create, if set, makes the contents of DataDir instead of Initdb.
	Create func(context.Context, *Cluster) error

	// Keep names the contents. If it is not empty, a cluster that was sealed and stopped under the
	// same name and major version is started again as it is, and Stop leaves the folder in place.
	Keep string
}

// Cluster is a running PostgreSQL.
type Cluster struct {
	Programs  Programs
	SocketDir string
	Port      int
	Reused    bool     // started from what an earlier Stop kept
	Settings  []string // those of Options, read by each Launch

	tcp    bool
	keep   string
	sealed bool
	folder *folder
	who    *account
	server *os.Process
	exited chan struct{} // closed when the server is gone
}

// Start starts a cluster and returns when it accepts queries.
func Start(ctx context.Context, o Options) (*Cluster, error) {
	if o.Programs.Dir == "" {
		p, err := Find("")
		if err != nil {
			return nil, err
		}
		o.Programs = p
	}
	dir, err := filepath.Abs(o.Dir)
	if err != nil || o.Dir == "" {
		return nil, &Error{Doing: "use the folder " + strconv.Quote(o.Dir), Err: err}
	}
	who, err := runAs()
	if err != nil {
		return nil, err
	}
	if who != nil {
		if err := who.canEnter(o.Programs.Dir); err != nil {
			return nil, &Error{Doing: "run PostgreSQL", Err: err}
		}
	}
	f, err := openFolder(dir, who)
	if err != nil {
		return nil, err
	}
	c := &Cluster{Programs: o.Programs, Settings: o.Settings, tcp: o.TCP, keep: o.Keep, folder: f, who: who}
	if c.keep != "" {
		c.keep = fmt.Sprintf("%d %s", o.Programs.Major, o.Keep)
	}
	if err := c.start(ctx, o); err != nil {
		c.discard()
		return nil, err
	}
	return c, nil
}

func (c *Cluster) start(ctx context.Context, o Options) error {
	if err := c.folder.endStale(); err != nil {
		return &Error{Doing: "clean up " + c.folder.dir, Err: err}
	}
	stamp := c.folder.takeStamp()
	c.Reused = c.keep != "" && stamp == c.keep
	if !c.Reused {
		if err := c.folder.clear(); err != nil {
			return &Error{Doing: "clean up " + c.folder.dir, Err: err}
		}
		create := o.Create
		if create == nil {
			create = func(ctx context.Context, c *Cluster) error { return c.Initdb(ctx) }
		}
		if err := create(ctx, c); err != nil {
			return err
		}
	}
	if err := c.placeSocket(); err != nil {
		return &Error{Doing: "make a folder for PostgreSQL's socket", Err: err}
	}
	// The port is free when we look and may be taken when PostgreSQL binds it.
	for attempt := 1; ; attempt++ {
		if err := c.choosePort(); err != nil {
			return err
		}
		err := c.Launch(ctx)
		if err == nil || !c.tcp || attempt == 3 || ctx.Err() != nil {
			return err
		}
	}
}

// Initdb makes a new database cluster in DataDir.
func (c *Cluster) Initdb(ctx context.Context) error {
	return c.run(ctx, "create a database cluster", "initdb",
		"--pgdata="+c.DataDir(), "--username="+Superuser, "--auth=trust",
		"--encoding=UTF8", "--locale=C", "--no-sync", "--no-instructions")
}

// run runs one of PostgreSQL's programs.
func (c *Cluster) run(ctx context.Context, doing, program string, args ...string) error {
	cmd := exec.CommandContext(ctx, filepath.Join(c.Programs.Dir, program), args...)
	cmd.Dir = c.folder.dir
	cmd.Env = childEnv()
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: c.who.credential()}
	if out, err := cmd.CombinedOutput(); err != nil {
		return &Error{Doing: doing + " with " + program, Err: fmt.Errorf("%w: %s", err, lastLine(out))}
	}
	return nil
}

// placeSocket chooses the socket's folder: ours, unless its name is too long for a socket address
// (108 bytes on Linux, 104 elsewhere, with the file's name in it).
func (c *Cluster) placeSocket() error {
	c.SocketDir = c.folder.dir
	if len(c.SocketDir)+len("/.s.PGSQL.65535.lock") < 100 {
		return nil
	}
	dir, err := os.MkdirTemp("/tmp", "fastgrest-")
	if err != nil {
		return err
	}
	c.SocketDir = dir
	if c.who == nil {
		return nil
	}
	return os.Chown(dir, c.who.uid, c.who.gid)
}

func (c *Cluster) choosePort() error {
	c.Port = 5432 // part of the socket's name only
	if c.tcp {
		port, err := FreePort("127.0.0.1")
		if err != nil {
			return &Error{Doing: "find a free port", Err: err}
		}
		c.Port = port
	}
	return nil
}

// Launch starts the server and waits until it accepts queries. Start calls it. After the server has
// ended, Launch starts it again, with the same data and address.
func (c *Cluster) Launch(ctx context.Context) error {
	listen := ""
	if c.tcp {
		listen = "127.0.0.1"
	}
	lines := append([]string{
		"# Written at every start.",
		"listen_addresses = '" + listen + "'",
		"port = " + strconv.Itoa(c.Port),
		"unix_socket_directories = '" + strings.ReplaceAll(c.SocketDir, "'", "''") + "'",
		"fsync = off",
		"synchronous_commit = off",
		"full_page_writes = off",
		"timezone = 'UTC'",
		"log_timezone = 'UTC'",
	}, c.Settings...)
	// postgresql.auto.conf is read last. It is rewritten on every start, so that a cluster that is
	// started again does not accumulate lines.
	conf := filepath.Join(c.DataDir(), "postgresql.auto.conf")
	if err := os.WriteFile(conf, []byte(strings.Join(lines, "\n")+"\n"), 0o600); err != nil {
		return &Error{Doing: "configure PostgreSQL", Err: err}
	}
	log, err := os.OpenFile(c.folder.path(logName), os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o644)
	if err != nil {
		return &Error{Doing: "write PostgreSQL's log", Err: err}
	}
	defer log.Close()

	cmd := exec.Command(filepath.Join(c.Programs.Dir, "postgres"), "-D", c.DataDir())
	cmd.Dir = c.folder.dir
	cmd.Env = childEnv()
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = attributes(c.who)
	c.exited = make(chan struct{})
	started := make(chan error, 1)
	go func() {
		// The death signal of attributes fires when the thread that started the process ends, and
		// Go ends threads at will unless a goroutine is locked to them.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		defer close(c.exited)
		err := cmd.Start()
		started <- err
		if err == nil {
			_ = cmd.Wait() // the log says more than the exit code
		}
	}()
	if err := <-started; err != nil {
		return &Error{Doing: "start PostgreSQL", Err: err}
	}
	c.server = cmd.Process
	return c.await(ctx)
}

func (c *Cluster) await(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	for {
		conn, err := pgconn.Connect(ctx, c.URI("postgres", Superuser))
		if err == nil {
			return conn.Close(ctx)
		}
		select {
		case <-c.exited:
			c.server = nil
			out, _ := os.ReadFile(c.folder.path(logName))
			return &Error{Doing: "start PostgreSQL", Err: errors.New(reason(out))}
		case <-ctx.Done():
			return &Error{Doing: "start PostgreSQL", Err: context.Cause(ctx)}
		case <-time.After(15 * time.Millisecond):
		}
	}
}

// URI returns the connection string for a database and a role. Roles have no passwords.
func (c *Cluster) URI(database, role string) string {
	u := url.URL{Scheme: "postgresql", User: url.User(role), Path: "/" + database}
	if c.tcp {
		u.Host = net.JoinHostPort("127.0.0.1", strconv.Itoa(c.Port))
		return u.String()
	}
	u.RawQuery = url.Values{"host": {c.SocketDir}, "port": {strconv.Itoa(c.Port)}}.Encode()
	return u.String()
}

// PID returns the process id of the postmaster, the parent of all server processes.
func (c *Cluster) PID() int { return c.server.Pid }

// DataDir returns the path of the data folder.
func (c *Cluster) DataDir() string { return c.folder.path(dataName) }

// LogFile returns the path of the server log.
func (c *Cluster) LogFile() string { return c.folder.path(logName) }

// Exited is closed when the server has ended, for any reason.
func (c *Cluster) Exited() <-chan struct{} { return c.exited }

// Seal marks the contents as complete: Stop may then keep them for the next Start with the same
// Keep.
func (c *Cluster) Seal() { c.sealed = true }

// Stop ends the server and removes the folder, or leaves it ready for reuse (see Options.Keep).
func (c *Cluster) Stop() error {
	clean := c.end()
	if c.keep == "" || !clean || !(c.sealed || c.Reused) {
		return c.discard()
	}
	defer c.folder.release()
	c.dropSocketDir()
	if err := c.folder.writeStamp(c.keep); err != nil {
		return &Error{Doing: "keep " + c.folder.dir, Err: err}
	}
	return nil
}

// discard stops the server and removes the folder.
func (c *Cluster) discard() error {
	c.end()
	defer c.folder.release()
	c.dropSocketDir()
	if err := c.folder.remove(); err != nil {
		return &Error{Doing: "remove " + c.folder.dir, Err: err}
	}
	return nil
}

func (c *Cluster) dropSocketDir() {
	if c.SocketDir != "" && c.SocketDir != c.folder.dir {
		os.RemoveAll(c.SocketDir)
	}
}

// end stops the server with increasingly forceful signals. It reports whether the shutdown was clean.
func (c *Cluster) end() bool {
	if c.server == nil {
		return false
	}
	select {
	case <-c.exited:
		return false
	default:
	}
	for _, step := range []struct {
		sig  syscall.Signal
		wait time.Duration
	}{
		{syscall.SIGINT, 10 * time.Second}, // fast: sessions are ended, a checkpoint is written
		{syscall.SIGQUIT, 5 * time.Second}, // immediate
		{syscall.SIGKILL, 5 * time.Second},
	} {
		_ = c.server.Signal(step.sig)
		select {
		case <-c.exited:
			c.server = nil
			return step.sig == syscall.SIGINT
		case <-time.After(step.wait):
		}
	}
	return false
}

// childEnv is our environment without the variables that PostgreSQL's programs read.
func childEnv() []string {
	env := []string{"LC_ALL=C"}
	for _, kv := range os.Environ() {
		if !strings.HasPrefix(kv, "PG") && !strings.HasPrefix(kv, "LC_") && !strings.HasPrefix(kv, "LANG") {
			env = append(env, kv)
		}
	}
	return env
}

// FreePort returns a port on which no process listens on a loopback address. If possible it is
// below the ephemeral ports, which another process may get before the caller
// listens.
func FreePort(host string) (int, error) {
	for range 100 {
		port := 15000 + rand.IntN(17000)
		if l, err := net.Listen("tcp", net.JoinHostPort(host, strconv.Itoa(port))); err == nil {
			l.Close()
			return port, nil
		}
	}
	l, err := net.Listen("tcp", net.JoinHostPort(host, "0"))
	if err != nil {
		return 0, err
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}

// reason returns the line of a server log that has the cause of a failed start. It is seldom the
// last one, and the log also has our early attempts to connect.
func reason(log []byte) string {
	found := lastLine(log)
	for line := range strings.Lines(string(log)) {
		_, fatal, ok := strings.Cut(line, "FATAL:")
		if ok && !strings.Contains(fatal, "starting up") {
			found = strings.TrimSpace(fatal)
		}
	}
	return found
}

func lastLine(out []byte) string {
	text := strings.TrimSpace(string(out))
	return text[strings.LastIndexByte(text, '\n')+1:]
}
