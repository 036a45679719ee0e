package spectest

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

const (
	startPatience   = 30 * time.Second
	requestPatience = 20 * time.Second
	stopPatience    = 10 * time.Second
)

// server is a server under test: a program that the test started, or an
// address.
type server struct {
	api   func() (net.Conn, error)
	admin func() (net.Conn, error) // nil if there is no admin port
	mask  masker

	cmd    *exec.Cmd // nil if the test did not start the server
	log    string
	exited chan struct{} // closed when the program has exited
}

// request sends one request on a new connection.
func (s *server) request(r *Request) (*Response, error) {
	dial := s.api
	if r.Port == "admin" {
		dial = s.admin
	}
	if dial == nil {
		return nil, errors.New("no admin port here")
	}
	conn, err := dial()
	if err != nil {
		return nil, s.explain(err)
	}
	defer conn.Close()
	a, err := exchange(conn, r, requestPatience)
	return a, s.explain(err)
}

// explain adds the end of the program's output to an error if the program has
// exited.
func (s *server) explain(err error) error {
	if err == nil || !s.gone() {
		return err
	}
	return fmt.Errorf("%w (the server has exited: %v, %s)", err, s.cmd.ProcessState, s.tail())
}

func (s *server) gone() bool {
	if s.exited == nil {
		return false
	}
	select {
	case <-s.exited:
		return true
	default:
		return false
	}
}

// tail returns the end of the program's output.
func (s *server) tail() string {
	const most = 1500
	raw, _ := os.ReadFile(s.log)
	if len(raw) > most {
		raw = raw[len(raw)-most:]
	}
	return strings.TrimSpace(string(raw))
}

// startServer starts the program with the configuration of a group and waits
// until it is ready. It is stopped when the test ends. If another process has
// taken the port meanwhile, startServer tries another port.
func startServer(t *testing.T, program string, g *group, groupsDir string, db *database) (*server, error) {
	t.Helper()
	for _, sql := range g.sql {
		db.exec(t, strings.ReplaceAll(sql, ":db", `"`+db.name+`"`))
	}
	for attempt := 0; ; attempt++ {
		s, err := launch(t, program, g, groupsDir, db)
		if err == nil {
			return s, nil
		}
		if attempt == 2 || !strings.Contains(err.Error(), "in use") {
			return nil, err
		}
	}
}

func launch(t *testing.T, program string, g *group, groupsDir string, db *database) (*server, error) {
	t.Helper()
	dir := t.TempDir()
	port, adminPort := freePort(), freePort()
	address, adminAddress := "127.0.0.1:"+strconv.Itoa(port), "127.0.0.1:"+strconv.Itoa(adminPort)
	s := &server{
		api:    func() (net.Conn, error) { return net.DialTimeout("tcp", address, requestPatience) },
		mask:   masker{address},
		log:    filepath.Join(dir, "server.log"),
		exited: make(chan struct{}),
	}
	fill := strings.NewReplacer("{{groups}}", groupsDir, "{{dir}}", dir, "{{db_port}}", db.port, "{{db}}", db.name, "{{db_uri}}", db.uri()).Replace
	conf := []string{fill(g.conf), `server-host = "127.0.0.1"`, fmt.Sprintf("server-port = %d", port)}
	if !g.nouri {
		conf = append(conf, fmt.Sprintf("db-uri = %q", db.uri()))
	}
	if g.socket {
		path := filepath.Join(dir, "api.sock")
		conf = append(conf, fmt.Sprintf("server-unix-socket = %q", path))
		s.api = func() (net.Conn, error) { return net.DialTimeout("unix", path, requestPatience) }
	}
	if !g.noadmin {
		conf = append(conf, fmt.Sprintf("admin-server-port = %d", adminPort))
		s.admin = func() (net.Conn, error) { return net.DialTimeout("tcp", adminAddress, requestPatience) }
	}
	file := filepath.Join(dir, "server.conf")
	if err := os.WriteFile(file, []byte(strings.Join(conf, "\n")+"\n"), 0o600); err != nil {
		return nil, err
	}
	log, err := os.Create(s.log)
	if err != nil {
		return nil, err
	}
	defer log.Close()
	s.cmd = exec.Command(program, file)
	s.cmd.Dir = dir
	s.cmd.Stdout, s.cmd.Stderr = log, log
	s.cmd.Env = environment()
	for _, kv := range g.env {
		s.cmd.Env = append(s.cmd.Env, fill(kv))
	}
	if err := s.cmd.Start(); err != nil {
		return nil, fmt.Errorf("cannot run the program: %w", err)
	}
	go func() {
		_ = s.cmd.Wait() // the result is in ProcessState
		close(s.exited)
	}()
	t.Cleanup(func() { s.stop(t) })
	return s, s.awaitReady()
}

// awaitReady polls the admin port, or the API if there is no admin port.
func (s *server) awaitReady() error {
	ready := &Request{Method: "GET", Path: "/ready", Port: "admin"}
	if s.admin == nil {
		ready = &Request{Method: "OPTIONS", Path: "/"}
	}
	var last error
	for start := time.Now(); time.Since(start) < startPatience; time.Sleep(5 * time.Millisecond) {
		if s.gone() {
			return fmt.Errorf("the server has exited: %v, %s", s.cmd.ProcessState, s.tail())
		}
		a, err := s.request(ready)
		if err == nil && (a.Status == http.StatusOK || s.admin == nil) {
			return nil
		}
		if last = err; err == nil {
			last = fmt.Errorf("/ready says %d", a.Status)
		}
	}
	return fmt.Errorf("the server did not become ready: %w; %s", last, s.tail())
}

// stop ends the program with SIGTERM, as an operator would. The test fails if
// the program does not exit or has crashed before.
func (s *server) stop(t *testing.T) {
	t.Helper()
	_ = s.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-s.exited:
	case <-time.After(stopPatience):
		t.Errorf("the server does not stop on SIGTERM: %s", s.tail())
		_ = s.cmd.Process.Kill()
		<-s.exited
	}
	raw, _ := os.ReadFile(s.log)
	for _, mark := range []string{"panic: ", "fatal error: ", "WARNING: DATA RACE"} {
		if _, flames, found := strings.Cut(string(raw), mark); found {
			t.Errorf("the server said %s%s", mark, short(flames))
		}
	}
}

var ports struct {
	sync.Mutex
	used map[int]bool
}

// freePort returns an unused port, and never the same one twice. The port is
// below the range for outgoing connections, of which the tests make thousands.
func freePort() int {
	ports.Lock()
	defer ports.Unlock()
	if ports.used == nil {
		ports.used = map[int]bool{}
	}
	for {
		port := 15000 + rand.IntN(17000)
		if ports.used[port] {
			continue
		}
		ports.used[port] = true
		if l, err := net.Listen("tcp", "127.0.0.1:"+strconv.Itoa(port)); err == nil {
			l.Close()
			return port
		}
	}
}
