package compare

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httputil"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/fastgrest/fastgrest/pgwire/pgtest"
	"github.com/fastgrest/fastgrest/server/servertest"
)

// program is the real program.
type program struct {
	t    *testing.T
	path string
	db   func(user string) string // connection string

	postgres int // major version
}

func buildProgram(t *testing.T) *program {
	t.Helper()
	c := pgtest.Start(t)
	c.Exec(t, "postgres", "create database festival template template0 encoding 'UTF8' locale 'C'")
	c.LoadSQL(t, "festival", filepath.Join(corpus, "schema.sql"))
	c.LoadSQL(t, "festival", filepath.Join(corpus, "data.sql"))
	return &program{t: t, path: servertest.Program(t), postgres: c.Major(), db: func(user string) string { return c.URI("festival", user) }}
}

var listening = regexp.MustCompile(`API server listening on (127\.0\.0\.1:\d+)`)

// start starts a server and returns its URL and the file with its access log.
func (p *program) start(flags ...string) (url, log string) {
	p.t.Helper()
	log = filepath.Join(p.t.TempDir(), "access.log")
	out, err := os.Create(log)
	if err != nil {
		p.t.Fatal(err)
	}
	defer out.Close()
	var said pgtest.Transcript
	cmd := exec.Command(p.path, append([]string{
		filepath.Join(corpus, "groups", "base.conf"), "--server-host", "127.0.0.1", "--server-port", "0", "--log-level", "info",
		"--db-uri", p.db("authenticator"), "--db-tx-end", "commit-allow-override", "--openapi-server-proxy-uri", "http://api.example",
	}, flags...)...)
	cmd.Stdout, cmd.Stderr = out, &said
	if err := cmd.Start(); err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(func() {
		cmd.Process.Signal(syscall.SIGTERM)
		if err := cmd.Wait(); err != nil {
			p.t.Errorf("the server ended with %v\n%s", err, said.String())
		}
	})
	m := listening.FindStringSubmatch(said.Await(p.t, listening.String()))
	url = "http://" + m[1]
	if !pgtest.Until(2*time.Minute, func() bool {
		r, err := http.Get(url + "/genre?limit=0")
		if err != nil {
			return false
		}
		r.Body.Close()
		return r.StatusCode == http.StatusOK
	}) {
		p.t.Fatalf("the server is not ready\n%s", said.String())
	}
	return url, log
}

// compare runs the subcommand in a process of its own.
func (p *program) compare(requests string, args ...string) result {
	p.t.Helper()
	file := filepath.Join(p.t.TempDir(), "report.json")
	cmd := exec.CommandContext(p.t.Context(), p.path, append([]string{"compare", "--rate", "100000", "--json", file}, args...)...)
	var out, errs bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(requests), &out, &errs
	r := result{}
	var exit *exec.ExitError
	if err := cmd.Run(); errors.As(err, &exit) {
		r.code = exit.ExitCode()
	} else if err != nil {
		p.t.Fatal(err)
	}
	r.text = out.String() + errs.String()
	text, err := os.ReadFile(file)
	if err == nil {
		err = json.Unmarshal(text, &r.report)
	}
	if err != nil {
		p.t.Fatalf("%v\n%s", err, r.text)
	}
	return r
}

// TestProgram compares the program with itself: reads from the corpus, its logs in both formats,
// tokens, writes, a wrong response that a proxy plants, and recorded responses of PostgREST.
func TestProgram(t *testing.T) {
	p := buildProgram(t)
	old, oldLog := p.start()
	new, newLog := p.start("--log-format", "json")
	servers := []string{"--old", old, "--new", new}
	args := func(more ...string) []string { return append(append([]string{}, servers...), more...) }
	equal := func(r result, atLeast int) {
		t.Helper()
		if c := r.Requests; r.code != 0 || c.Equal != c.Requests || c.Equal < atLeast {
			t.Errorf("exit code %d, %+v, want at least %d equal\n%s", r.code, c, atLeast, r.text)
		}
	}
	cases := recordedReads(t)
	var input string
	for _, c := range cases {
		input += c.line(t)
	}
	t.Run("corpus", func(t *testing.T) { equal(p.compare(input, args("--log", "-")...), 1000) })
	t.Run("logs", func(t *testing.T) {
		equal(p.compare("", args("--log", oldLog)...), 1000)
		equal(p.compare("", args("--log", newLog)...), 1000)
		equal(p.compare("", args("--log", oldLog, "--log", newLog, "--limit", "100")...), 100)
	})
	t.Run("tokens", func(t *testing.T) {
		secret := write(t, "aurora-shared-secret-0123456789abcdef\n")
		input := `1.2.3.4 - web_editor ` + stamp + ` "GET /my_notes HTTP/1.1" 200 - "" ""` + "\n"
		equal(p.compare(input, args("--log", "-", "--jwt-secret", secret)...), 1)
		log, err := os.ReadFile(oldLog)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Contains(log, []byte(`- web_editor [`)) {
			t.Error("the server has not seen the role of the token")
		}
	})
	t.Run("writes", func(t *testing.T) {
		input := `{"method":"POST","url":"/genre","headers":{"Prefer":"return=representation"},"body":{"id":900,"name":"Planted"}}
{"method":"PATCH","url":"/genre?id=eq.1","headers":{"Prefer":"return=representation"},"body":{"name":"Planted"}}
{"method":"DELETE","url":"/genre?id=eq.900"}
`
		equal(p.compare(input, args("--log", "-", "--writes", "--concurrency", "1")...), 3)
		r := p.compare(`GET /genre?name=eq.Planted`, args("--log", "-")...)
		equal(r, 1)
		if response, err := http.Get(new + "/genre?name=eq.Planted"); err != nil {
			t.Error(err)
		} else if body, _ := io.ReadAll(response.Body); string(body) != "[]" {
			t.Errorf("written: %s", body)
		}
	})
	t.Run("planted", func(t *testing.T) { planted(t, p, old, new) })
	t.Run("recorded", func(t *testing.T) { testRecorded(t, p, new, cases) })
}

// planted has a proxy change one value in all responses for one table.
func planted(t *testing.T, p *program, old, new string) {
	target := mustParse(new)
	changed := 0
	proxy := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(target) },
		ModifyResponse: func(r *http.Response) error {
			body, err := io.ReadAll(r.Body)
			if err != nil {
				return err
			}
			if r.Request.URL.Path == "/genre" && r.Request.Method == http.MethodGet && bytes.Contains(body, []byte(`"id":1,`)) {
				body = bytes.Replace(body, []byte(`"id":1,`), []byte(`"id":"1",`), 1)
				changed++
			}
			r.Header.Set("Content-Length", strconv.Itoa(len(body)))
			r.Body = io.NopCloser(bytes.NewReader(body))
			return nil
		},
	}
	between := serve(t, proxy.ServeHTTP)
	r := p.compare("GET /genre?order=id\nGET /genre?id=eq.2\n", "--old", old, "--new", between, "--log", "-")
	if r.code != 1 || r.Requests.Different != 1 || r.Requests.Equal != 1 || len(r.Groups) != 1 {
		t.Fatalf("exit code %d, %+v\n%s", r.code, r.Requests, r.text)
	}
	g := r.Groups[0]
	if g.Kind != "type of a value" || g.Shape != "GET /genre?order" || g.Example.Where != "/0/id" ||
		!strings.Contains(g.Example.New, `"id":"1"`) || changed != 2 {
		t.Errorf("%+v, changed %d times", g, changed)
	}
	if want := fmt.Sprintf("curl -gi '%s/genre?order=id'", between); g.Example.Curl != want {
		t.Errorf("%s, want %s", g.Example.Curl, want)
	}
}
