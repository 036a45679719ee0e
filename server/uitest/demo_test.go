package uitest

import (
	"encoding/json"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/fastgrest/fastgrest/pgwire/pgtest"
)

const (
	startPatience = 4 * time.Minute
	stopPatience  = 2 * time.Minute
)

// startDemo builds the program, starts its demo with a private database and returns the addresses of its API and
// of its admin server. The demo ends with the test.
func startDemo(t *testing.T) (api, admin string) {
	t.Helper()
	program := filepath.Join(t.TempDir(), "fastgrest")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-C", "../..", "-o", program, "./cmd/fastgrest").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	port, adminPort := pgtest.FreePort(t, "127.0.0.1"), pgtest.FreePort(t, "127.0.0.1")
	args := []string{"--demo", "--demo-dir", filepath.Join(openFolder(t), "demo"),
		"--server-host", "127.0.0.1", "--server-port", port, "--admin-server-port", adminPort, "--admin-server-host", "127.0.0.1"}
	if bin := os.Getenv("TEST_PG_BIN_DIR"); bin != "" {
		args = append(args, "--demo-pg-bin", bin)
	}
	logPath := filepath.Join(t.TempDir(), "demo.log")
	log, err := os.Create(logPath)
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	said := func() string {
		text, _ := os.ReadFile(logPath)
		return string(text)
	}
	cmd := exec.Command(program, args...)
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	exited := make(chan error, 1)
	go func() { exited <- cmd.Wait() }()
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		select {
		case err := <-exited:
			if err != nil {
				t.Errorf("the demo ended: %v\n%s", err, said())
			}
		case <-time.After(stopPatience):
			_ = cmd.Process.Kill()
			t.Errorf("the demo does not stop on SIGTERM: %s", said())
		}
	})
	for began := time.Now(); !strings.Contains(said(), "Ctrl-C"); time.Sleep(20 * time.Millisecond) {
		if len(exited) > 0 || time.Since(began) > startPatience {
			t.Fatalf("the demo does not start: %s", said())
		}
	}
	return "http://127.0.0.1:" + port, "http://127.0.0.1:" + adminPort
}

// openFolder returns a folder that PostgreSQL's account can read. It cannot read root's t.TempDir.
func openFolder(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "uitest-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

// getJSON fetches a document without the browser, for a comparison.
func getJSON(t *testing.T, url string, result any) {
	t.Helper()
	answer, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	if answer.StatusCode != http.StatusOK {
		t.Fatalf("GET %s: %s %s", url, answer.Status, body)
	}
	if err := json.Unmarshal(body, result); err != nil {
		t.Fatalf("GET %s: %v", url, err)
	}
}

// operations lists the operations of the document at a URL, such as "get /book", sorted.
func operations(t *testing.T, url string) (list []string) {
	t.Helper()
	var document struct {
		Paths map[string]map[string]json.RawMessage `json:"paths"`
	}
	getJSON(t, url, &document)
	for path, methods := range document.Paths {
		for method := range methods {
			list = append(list, method+" "+path)
		}
	}
	slices.Sort(list)
	return list
}
