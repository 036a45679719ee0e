package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/fastgrest/fastgrest/pgwire/pgtest"
)

const processSchema = `
create schema api;
create table public.written (tag text);
create function public.waits() returns void language sql as 'select pg_advisory_xact_lock_shared(1)';
create function api.held() returns int stable language plpgsql as 'begin perform public.waits(); return 1; end';
create function api.write_held() returns int volatile language plpgsql as
  'begin insert into written values (''x''); perform public.waits(); return 1; end';
create table api.item (id int primary key);
insert into api.item values (1);
grant usage on schema api to test_anon;
grant all on api.item, public.written to test_anon;
`

// database is where the processes of a test get their data.
type database struct {
	t      *testing.T
	uri    string // by unix socket
	tcp    string
	direct *pgtest.Conn
}

func newDatabase(t *testing.T) *database {
	t.Helper()
	c := pgtest.Start(t)
	name := c.NewDB(t)
	c.Exec(t, name, processSchema)
	d := &database{t: t, uri: c.URI(name, pgtest.Superuser), tcp: c.TCPURI(name, pgtest.Superuser), direct: c.Connect(t, name)}
	return d
}

func (d *database) value(sql string) string {
	d.t.Helper()
	return d.direct.Value(sql)
}

// large makes a table api.large and returns the length of the response with all of it, which does not
// stay in memory.
func (d *database) large() int {
	d.t.Helper()
	d.value("create table api.large as select i, repeat(md5(i::text), 100) as text from generate_series(1, 5000) i; grant select on api.large to test_anon")
	return d.direct.Count("select sum(length(to_json(l)::text) + 1) + 1 from api.large l")
}

// waiting counts the requests that wait for the lock.
func (d *database) waiting() string {
	return d.value("select count(*) from pg_locks where locktype = 'advisory' and not granted and database = (select oid from pg_database where datname = current_database())")
}

// process is a running fastgrest.
type process struct {
	t    *testing.T
	cmd  *exec.Cmd
	errs screen
	over chan struct{}
}

// start starts the program and waits until it listens.
func (d *database) start(args ...string) *process {
	d.t.Helper()
	p := d.launch("", append([]string{"--db-uri", d.uri}, args...)...)
	p.awaitListening()
	return p
}

// launch starts the program with something on standard input.
func (d *database) launch(input string, args ...string) *process {
	d.t.Helper()
	cmd := exec.Command(os.Args[0], append([]string{
		"--db-schemas", "api", "--db-anon-role", "test_anon", "--log-level", "crit", "--server-host", "127.0.0.1",
	}, args...)...)
	cmd.Env = append(os.Environ(), asProgram+"=1")
	cmd.Stdin = strings.NewReader(input)
	return d.supervise(cmd)
}

// supervise starts a command, and kills it when the test ends.
func (d *database) supervise(cmd *exec.Cmd) *process {
	d.t.Helper()
	p := &process{t: d.t, cmd: cmd, over: make(chan struct{})}
	cmd.Stderr = &p.errs
	if err := p.cmd.Start(); err != nil {
		d.t.Fatal(err)
	}
	go func() { p.cmd.Wait(); close(p.over) }()
	d.t.Cleanup(func() {
		p.cmd.Process.Kill()
		<-p.over
		if d.t.Failed() {
			d.t.Logf("process %d said:\n%s", p.cmd.Process.Pid, p.errs.String())
		}
	})
	return p
}

func (p *process) awaitListening() {
	p.t.Helper()
	eventually(p.t, "the server listens", func() bool {
		select {
		case <-p.over:
			p.t.Fatalf("did not start: %v, %s", p.cmd.ProcessState, p.errs.String())
		default:
		}
		return strings.Contains(p.errs.String(), "API server listening")
	})
}

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	if !pgtest.Until(2*time.Minute, ok) {
		t.Fatalf("never: %s", what)
	}
}

func (p *process) signal(s syscall.Signal) {
	p.t.Helper()
	if err := p.cmd.Process.Signal(s); err != nil {
		p.t.Fatal(err)
	}
}

// end waits for the end of the process.
func (p *process) end() *os.ProcessState {
	p.t.Helper()
	select {
	case <-p.over:
	case <-time.After(2 * time.Minute):
		p.t.Fatal("does not end")
	}
	return p.cmd.ProcessState
}

func (p *process) endsWell() {
	p.t.Helper()
	if state := p.end(); !state.Exited() || state.ExitCode() != 0 {
		p.t.Errorf("ended with %v, want exit code 0", state)
	}
}

// client is a connection that one request after the other goes through.
type client struct {
	net.Conn
	r *bufio.Reader
}

func dialClient(t *testing.T, network, address string) *client {
	t.Helper()
	c, err := net.Dial(network, address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	c.SetDeadline(time.Now().Add(5 * time.Minute))
	return &client{c, bufio.NewReader(c)}
}

func (c *client) ask(line string) error {
	_, err := fmt.Fprintf(c, "%s HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n", line)
	return err
}

func (c *client) answer() (*http.Response, string, error) {
	resp, err := http.ReadResponse(c.r, nil)
	if err != nil {
		return nil, "", err
	}
	b, err := io.ReadAll(resp.Body)
	return resp, string(b), err
}

// TestDrain: a running request gets its response, which closes the connection.
// Idle connections are closed and new ones refused. The exit code is 0.
func TestDrain(t *testing.T) {
	for _, sig := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT} {
		t.Run(sig.String(), func(t *testing.T) {
			d := newDatabase(t)
			d.value("select pg_advisory_lock(1)")
			address := "127.0.0.1:" + pgtest.FreePort(t, "127.0.0.1")
			p := d.start("--server-port", address[len("127.0.0.1:"):])
			var held []*client
			for _, line := range []string{"GET /rpc/held", "POST /rpc/write_held"} {
				c := dialClient(t, "tcp", address)
				c.ask(line)
				held = append(held, c)
			}
			idle, fresh := dialClient(t, "tcp", address), dialClient(t, "tcp", address)
			idle.ask("GET /item")
			if resp, body, err := idle.answer(); err != nil || body != `[{"id":1}]` || resp.Close {
				t.Fatalf("before: %v %q %v", resp, body, err)
			}
			eventually(t, "two wait", func() bool { return d.waiting() == "2" })
			p.signal(sig)
			for _, c := range []*client{idle, fresh} {
				if b, err := io.ReadAll(c.r); len(b) > 0 || err != nil && !errors.Is(err, syscall.ECONNRESET) {
					t.Errorf("an idle connection: %q, %v", b, err)
				}
			}
			if c, err := net.Dial("tcp", address); err == nil {
				t.Error("took a new connection")
				c.Close()
			}
			select {
			case <-p.over:
				t.Fatal("ended while requests were under way")
			default:
			}
			d.value("select pg_advisory_unlock(1)")
			for _, c := range held {
				resp, body, err := c.answer()
				if err != nil || resp.StatusCode != 200 || body != "1" || !resp.Close {
					t.Errorf("under way: %v %q %v", resp, body, err)
				}
			}
			p.endsWell()
			if !strings.Contains(p.errs.String(), "Received termination unix signal SIG") {
				t.Errorf("log: %s", p.errs.String())
			}
		})
	}
}

// TestDrainTimeout: requests that still run after the timeout are cancelled, and
// their clients get an error.
func TestDrainTimeout(t *testing.T) {
	d := newDatabase(t)
	d.value("select pg_advisory_lock(1)")
	address := "127.0.0.1:" + pgtest.FreePort(t, "127.0.0.1")
	admin := filepath.Join(t.TempDir(), "a")
	p := d.start("--server-port", address[len("127.0.0.1:"):], "--server-drain-timeout", "1", "--db-pool", "2", "--admin-server-unix-socket", admin)
	var held []*client
	lines := []string{"GET /rpc/held", "POST /rpc/write_held", "GET /item"}
	for i, line := range lines { // the third waits for a connection
		c := dialClient(t, "tcp", address)
		c.ask(line)
		held = append(held, c)
		if i < 2 {
			eventually(t, "it waits", func() bool { return d.waiting() == fmt.Sprint(i+1) })
		}
	}
	eventually(t, "the third waits", func() bool {
		c := dialClient(t, "unix", admin)
		defer c.Close()
		if err := c.ask("GET /metrics"); err != nil {
			t.Fatal(err)
		}
		_, figures, err := c.answer()
		if err != nil {
			t.Fatal(err)
		}
		return strings.Contains(figures, "\npgrst_db_pool_waiting 1.0\n")
	})
	p.signal(syscall.SIGTERM)
	for i, c := range held {
		resp, body, err := c.answer()
		if i == 2 && err == nil && resp.StatusCode == 200 {
			continue // the others were quick to make room
		}
		if err != nil || resp.StatusCode != 503 || !strings.Contains(body, `"The server is shutting down"`) || !resp.Close {
			t.Errorf("%s: %v %q %v", lines[i], resp, body, err)
		}
	}
	p.endsWell()
	eventually(t, "nothing runs", func() bool { return d.waiting() == "0" })
	if n := d.value("select count(*) from written"); n != "0" {
		t.Errorf("%s rows", n)
	}
}

// TestSecondSignal: a second signal ends the process at once.
func TestSecondSignal(t *testing.T) {
	d := newDatabase(t)
	d.value("select pg_advisory_lock(1)")
	address := "127.0.0.1:" + pgtest.FreePort(t, "127.0.0.1")
	p := d.start("--server-port", address[len("127.0.0.1:"):], "--server-drain-timeout", "600")
	c := dialClient(t, "tcp", address)
	c.ask("GET /rpc/held")
	eventually(t, "it waits", func() bool { return d.waiting() == "1" })
	p.signal(syscall.SIGTERM)
	eventually(t, "it stops listening", func() bool {
		c, err := net.Dial("tcp", address)
		if err == nil {
			c.Close()
		}
		return err != nil
	})
	p.signal(syscall.SIGTERM)
	if state := p.end(); state.Exited() || state.Sys().(syscall.WaitStatus).Signal() != syscall.SIGTERM {
		t.Errorf("ended with %v", state)
	}
}
