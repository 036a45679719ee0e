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
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/fastgrest/fastgrest/pgwire/pgcluster"
)

// Timeouts for a server to become ready. A server that the bench did not start may be waiting for the bench's
// database.
const (
	startPatience = 2 * time.Minute
	urlPatience   = 2 * time.Minute
)

// instance is a running server.
type instance struct {
	program
	cmd   *exec.Cmd // nil if the bench did not start it
	log   *os.File
	addr  string // of the API
	admin string // "" if the bench did not start it
	pid   int    // process whose CPU time is measured; 0 if unknown
}

// subject returns the name of an asker's figures.
func (in *instance) subject(a asker) subject {
	if a.name == "" {
		return subject(in.name)
	}
	return subject(in.name + ", " + a.name)
}

// startServer starts a program. It is configured by PGRST_ variables only, so that PostgREST or an older build can
// take its place.
func (m *machine) startServer(ctx context.Context, p program, v *way, env []string, pool int) (*instance, error) {
	if len(p.args) == 0 {
		in := &instance{program: p, addr: p.addr, pid: p.pid}
		return in, in.await(ctx, urlPatience, in.answers)
	}
	api, err := freeAddr()
	if err != nil {
		return nil, err
	}
	admin, err := freeAddr()
	if err != nil {
		return nil, err
	}
	in, err := m.startProgram(p, append([]string{
		"PGRST_DB_URI=" + v.uri("authenticator"),
		"PGRST_DB_SCHEMAS=bench",
		"PGRST_DB_ANON_ROLE=anon",
		fmt.Sprintf("PGRST_DB_POOL=%d", pool),
		"PGRST_SERVER_HOST=127.0.0.1",
		fmt.Sprintf("PGRST_SERVER_PORT=%d", api.Port),
		"PGRST_ADMIN_SERVER_HOST=127.0.0.1",
		fmt.Sprintf("PGRST_ADMIN_SERVER_PORT=%d", admin.Port),
		"PGRST_LOG_LEVEL=crit",
	}, env...))
	if err != nil {
		return nil, err
	}
	in.addr, in.admin = api.String(), admin.String()
	if err := in.await(ctx, startPatience, in.ready); err != nil {
		return nil, errors.Join(err, in.stop())
	}
	return in, nil
}

// startProgram starts a command in its own process group, so that stop can end all its processes.
func (m *machine) startProgram(p program, env []string) (in *instance, err error) {
	in = &instance{program: p}
	if in.log, err = os.Create(filepath.Join(m.dir, p.name+".log")); err != nil {
		return nil, err
	}
	in.cmd = exec.Command(p.args[0])
	for _, word := range p.args[1:] {
		in.cmd.Args = append(in.cmd.Args, strings.ReplaceAll(word, tcpWord, m.database.URI(database, "authenticator")))
	}
	in.cmd.Env = slices.Concat(os.Environ(), env, p.env)
	in.cmd.Stdout, in.cmd.Stderr = in.log, in.log
	in.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := in.cmd.Start(); err != nil {
		return nil, errors.Join(err, in.log.Close())
	}
	in.pid = in.cmd.Process.Pid
	return in, nil
}

func (in *instance) await(ctx context.Context, patience time.Duration, up func(context.Context) bool) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for !up(ctx) {
		select {
		case <-ctx.Done():
			err := fmt.Errorf("%s did not become ready in %s", in.name, patience)
			if in.log != nil {
				said, _ := os.ReadFile(in.log.Name())
				err = fmt.Errorf("%w; its output: %.1000s", err, said)
			}
			return err
		case <-time.After(20 * time.Millisecond):
		}
	}
	return nil
}

// ready asks the admin server.
func (in *instance) ready(ctx context.Context) bool {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+in.admin+"/ready", nil)
	if err != nil {
		return false
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return false
	}
	response.Body.Close()
	return response.StatusCode == http.StatusOK
}

// answers reports whether the API responds. It is used for a server whose admin
// server is unknown.
func (in *instance) answers(ctx context.Context) bool {
	var d net.Dialer
	conn, err := d.DialContext(ctx, "tcp", in.addr)
	if err != nil {
		return false
	}
	return conn.Close() == nil
}

// stop sends SIGTERM and waits. It does not stop a server that the bench did not start.
func (in *instance) stop() error {
	if in == nil || in.cmd == nil {
		return nil
	}
	group := -in.cmd.Process.Pid
	_ = syscall.Kill(group, syscall.SIGTERM)
	timer := time.AfterFunc(35*time.Second, func() { syscall.Kill(group, syscall.SIGKILL) })
	defer timer.Stop()
	err := in.cmd.Wait()
	if status, ok := in.cmd.ProcessState.Sys().(syscall.WaitStatus); ok && (status.Signal() == syscall.SIGTERM || status.Signal() == syscall.SIGINT) {
		err = nil // it does not handle the signal, or raises an interrupt after it, as PostgREST 12 does
	}
	in.cmd = nil
	return errors.Join(err, in.log.Close())
}

// used returns the CPU time of the program and its children.
func (in *instance) used() (time.Duration, error) {
	if in.pid == 0 {
		return 0, nil
	}
	return cpu(in.pid)
}

// tokenCache returns the figures of the server's token cache since its start, or "" without lookups. The metrics
// have PostgREST's names.
func (in *instance) tokenCache() (string, error) {
	response, err := http.Get("http://" + in.admin + "/metrics")
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

// copyLog prints a server's log after a failed run.
func copyLog(dir, name string, w io.Writer) {
	if f, err := os.Open(filepath.Join(dir, name+".log")); err == nil {
		defer f.Close()
		_, _ = io.CopyN(w, f, 10<<10)
	}
}

func freeAddr() (*net.TCPAddr, error) {
	port, err := pgcluster.FreePort("127.0.0.1")
	return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: port}, err
}
