package spectest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// commandGroup is the group whose cases run the program instead of sending
// requests.
const commandGroup = "cli"

// runCommand runs the program in dir, which must be empty.
func runCommand(program, dir string, db *database, c *Command) (*Response, error) {
	fill := func(s string) string {
		return strings.NewReplacer("{{dir}}", dir, "{{config}}", filepath.Join(dir, "server.conf"),
			"{{db_port}}", db.port, "{{db_uri}}", db.uri(), "{{db}}", db.name).Replace(s)
	}
	files := c.Files
	if c.Config != nil {
		files = append(files, [2]string{"server.conf", *c.Config})
	}
	for _, f := range files {
		if err := os.WriteFile(filepath.Join(dir, f[0]), []byte(fill(f[1])), 0o600); err != nil {
			return nil, err
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	args := make([]string, len(c.Args))
	for i, a := range c.Args {
		args[i] = fill(a)
	}
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Dir = dir
	cmd.WaitDelay = 5 * time.Second
	cmd.Env = environment()
	for _, kv := range c.Env {
		cmd.Env = append(cmd.Env, kv[0]+"="+fill(kv[1]))
	}
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) {
		return nil, fmt.Errorf("cannot run the program: %w", err)
	}
	if ctx.Err() != nil {
		return nil, errors.New("the program did not finish")
	}
	clean := strings.NewReplacer(dir, "{dir}", "127.0.0.1:"+db.port, "127.0.0.1:{db_port}", "/"+db.name, "/{db}").Replace
	return &Response{Exit: cmd.ProcessState.ExitCode(), Stdout: clean(stdout.String()), Stderr: clean(stderr.String())}, nil
}

// environment returns the test's environment without the variables that
// configure PostgREST, libpq or the time zone.
func environment() []string {
	env := slices.DeleteFunc(os.Environ(), func(kv string) bool {
		return strings.HasPrefix(kv, "PGRST_") || strings.HasPrefix(kv, "PG") || strings.HasPrefix(kv, "TZ=")
	})
	return append(env, "TZ=UTC")
}

func compareCommand(c *Case, a *Response) []string {
	r := &report{}
	if a.Exit != c.Expect.Exit {
		r.addf("exit status: expected %d, got %d (standard error %q)", c.Expect.Exit, a.Exit, short(a.Stderr))
	}
	for _, e := range c.Match {
		if e.Part == "stdout" {
			r.match(e, "sm", a.Stdout)
		} else {
			r.match(e, "sm", a.Stderr)
		}
	}
	if c.excepted("stdout") {
		return r.problems
	}
	want, got := lines(c.Expect.Stdout), lines(a.Stdout)
	if missing, extra := without(want, got), without(got, want); len(missing)+len(extra) > 0 {
		r.addf("stdout: missing %q, unexpected %q", missing, extra)
	} else if !slices.Equal(want, got) {
		r.addf("stdout: lines in another order or number")
	}
	return r.problems
}

func lines(s string) []string {
	if s == "" {
		return nil
	}
	return strings.Split(strings.TrimSuffix(s, "\n"), "\n")
}
