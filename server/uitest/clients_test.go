package uitest

import (
	"context"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/fastgrest/fastgrest/pgwire/pgtest"
	"github.com/fastgrest/fastgrest/server/auth/authtest"
)

// The programs of the manual's page on clients run here, with the packages that
// testdata/npm/package-lock.json pins.

const clientsPage = "../../cmd/fastgrest/manual/clients.md"

var (
	program     = regexp.MustCompile("(?s)```(?:js|ts) norun\n// (\\S+)\n(.*?)\n```\n")
	npmPatience = 3 * time.Minute
)

// clientsFolder returns a folder with the packages and the programs of the page, for an
// API.
func clientsFolder(t *testing.T, api, token string) string {
	t.Helper()
	node, err := exec.LookPath("node")
	if err != nil {
		unavailable(t, "node is not installed")
	}
	version, _ := exec.CommandContext(t.Context(), node, "--version").Output()
	t.Logf("node %s", version)
	dir := t.TempDir()
	for _, name := range []string{"package.json", "package-lock.json"} {
		write(t, filepath.Join(dir, name), read(t, filepath.Join("testdata/npm", name)))
	}
	ctx, cancel := context.WithTimeout(t.Context(), npmPatience)
	defer cancel()
	install := exec.CommandContext(ctx, "npm", "ci", "--silent", "--ignore-scripts", "--no-audit", "--prefer-offline")
	install.Dir, install.WaitDelay = dir, time.Second
	if out, err := install.CombinedOutput(); err != nil {
		unavailable(t, "npm cannot fetch the packages: %v %s", err, out)
	}
	for _, m := range program.FindAllStringSubmatch(read(t, clientsPage), -1) {
		write(t, filepath.Join(dir, m[1]), strings.NewReplacer("http://localhost:3000", api, "TOKEN", token).Replace(m[2])+"\n")
	}
	compile := exec.CommandContext(ctx, "npx", "tsc", "--strict", "--target", "es2022", "--module", "nodenext", "--skipLibCheck", "batch.ts", "order.ts")
	compile.Dir, compile.WaitDelay = dir, time.Second
	if out, err := compile.CombinedOutput(); err != nil {
		t.Errorf("tsc: %v\n%s", err, out)
	}
	return dir
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// runNode runs a program of the folder against an API and returns what it prints.
func runNode(t *testing.T, dir, file, api string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), actionPatience)
	defer cancel()
	cmd := exec.CommandContext(ctx, "node", file)
	cmd.Dir, cmd.WaitDelay = dir, time.Second
	cmd.Env = append(os.Environ(), "API="+api)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Errorf("%s: %v\n%s", file, err, out)
	}
	return strings.TrimSpace(string(out))
}

// startLibrary serves the database of the manual, as its examples expect it. The token
// is that of a librarian.
func startLibrary(t *testing.T) (api, token string) {
	t.Helper()
	const secret = "a secret of at least thirty-two characters"
	db := pgtest.StartOwn(t)
	db.Exec(t, "postgres", "create database library")
	db.LoadSQL(t, "library", "../../cmd/fastgrest/manual/testdata/library.sql")
	db.Exec(t, "library", "create unique index on api.loan (book_id, member_id) where returned_on is null")
	program := filepath.Join(t.TempDir(), "fastgrest")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-C", "../..", "-o", program, "./cmd/fastgrest").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	port, admin := pgtest.FreePort(t, "127.0.0.1"), pgtest.FreePort(t, "127.0.0.1")
	cmd := exec.Command(program, "--db-uri", db.URI("library", "authenticator"), "--db-schemas", "api", "--db-anon-role", "web_anon",
		"--jwt-secret", secret, "--server-host", "127.0.0.1", "--server-port", port, "--admin-server-port", admin)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		_ = cmd.Wait()
	})
	ready := pgtest.Until(startPatience, func() bool {
		answer, err := http.Get("http://127.0.0.1:" + admin + "/ready")
		if err != nil {
			return false
		}
		answer.Body.Close()
		return answer.StatusCode == http.StatusOK
	})
	if !ready {
		t.Fatal("the server does not become ready")
	}
	return "http://127.0.0.1:" + port, authtest.Sign([]byte(`{"role":"librarian"}`), []byte(secret))
}
