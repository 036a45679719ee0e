package main

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/fastgrest/fastgrest/pgwire/pgtest"
)

// TestSocketFiles: both servers on unix sockets, whose files have their modes,
// are named in the log and go with the process.
func TestSocketFiles(t *testing.T) {
	d := newDatabase(t)
	dir, err := os.MkdirTemp("", "start") // t.TempDir is too long for a socket
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	api, admin := filepath.Join(dir, "api"), filepath.Join(dir, "admin")
	for _, modes := range [][2]fs.FileMode{{0o660, 0o660}, {0o600, 0o777}, {0o777, 0o600}} {
		args := []string{"--server-unix-socket", api, "--admin-server-unix-socket", admin}
		if modes[0] != modes[1] { // else the default
			args = append(args, "--server-unix-socket-mode", fmt.Sprintf("%o", modes[0]), "--admin-server-unix-socket-mode", fmt.Sprintf("%o", modes[1]))
		}
		p := d.start(args...)
		for i, path := range []string{api, admin} {
			if info, err := os.Lstat(path); err != nil || info.Mode() != fs.ModeSocket|modes[i] {
				t.Errorf("%s: %v %v, want mode %o", path, info, err, modes[i])
			}
			if !strings.Contains(p.errs.String(), []string{"API", "Admin"}[i]+" server listening on "+path+"\n") {
				t.Errorf("%s is not named in the log: %s", path, p.errs.String())
			}
		}
		for path, target := range map[string]string{api: "/item", admin: "/live"} {
			c := dialClient(t, "unix", path)
			c.ask("GET " + target)
			if resp, body, err := c.answer(); err != nil || resp.StatusCode != 200 {
				t.Errorf("%s: %v %q %v", target, resp, body, err)
			}
		}
		eventually(t, "ready", func() bool {
			c := dialClient(t, "unix", admin)
			c.ask("GET /ready")
			resp, _, err := c.answer()
			return err == nil && resp.StatusCode == 200
		})
		p.signal(syscall.SIGTERM)
		p.endsWell()
		for _, path := range []string{api, admin} {
			if _, err := os.Lstat(path); err == nil {
				t.Errorf("%s is left", path)
			}
		}
	}
}

// TestStandardInput: the address of the database, or the secret, comes from there.
func TestStandardInput(t *testing.T) {
	d := newDatabase(t)
	const secret = "a secret of at least thirty-two characters"
	token := sign(`{"role":"test_anon"}`, secret)
	for _, test := range []struct {
		input string
		args  []string
	}{
		{d.uri, []string{"--db-uri", "@/dev/stdin", "--jwt-secret", secret}},
		{d.uri + "\n", []string{"--db-uri", "@/dev/stdin", "--jwt-secret", secret}},
		{secret, []string{"--db-uri", d.uri, "--jwt-secret", "@/dev/stdin", "--db-config", "false"}},
		{secret + "\n", []string{"--db-uri", d.uri, "--jwt-secret", "@/dev/stdin", "--db-config", "false"}},
	} {
		port := pgtest.FreePort(t, "127.0.0.1")
		p := d.launch(test.input, append(test.args, "--server-port", port)...)
		p.awaitListening()
		c := dialClient(t, "tcp", net.JoinHostPort("127.0.0.1", port))
		c.ask("GET /item HTTP/1.1\r\nAuthorization: Bearer " + token + "\r\nX: x")
		if resp, body, err := c.answer(); err != nil || resp.StatusCode != 200 || body != `[{"id":1}]` {
			t.Errorf("%q: %v %q %v", test.args, resp, body, err)
		}
		c.Close()
		p.signal(syscall.SIGTERM)
		p.endsWell()
	}
}

// sign makes a token.
func sign(claims, secret string) string {
	text := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"HS256"}`)) + "." + base64.RawURLEncoding.EncodeToString([]byte(claims))
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(text))
	return text + "." + base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// TestExitCode: a process that may not wait for its database says so and fails.
func TestExitCode(t *testing.T) {
	d := newDatabase(t)
	for _, channel := range []string{"true", "false"} {
		p := d.launch("", "--db-uri", strings.Replace(d.uri, "?", "_nowhere?", 1), "--db-pool-automatic-recovery", "false", "--db-channel-enabled", channel, "--server-port", pgtest.FreePort(t, "127.0.0.1"))
		if code := p.end().ExitCode(); code != 1 {
			t.Errorf("exit code %d", code)
		}
		if got := strings.Count(p.errs.String(), "Automatic recovery disabled, exiting.\n"); got != 1 {
			t.Errorf("said %d times: %s", got, p.errs.String())
		}
	}
}
