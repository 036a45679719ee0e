package compare

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/fastgrest/fastgrest/pgwire/pgtest"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

// result is what the subcommand did.
type result struct {
	report
	text string
	code int
	err  error
}

// compareURLs runs the subcommand with requests on standard input.
func compareURLs(t *testing.T, old, new, requests string, flags ...string) result {
	t.Helper()
	file := filepath.Join(t.TempDir(), "report.json")
	args := append([]string{"--old", old, "--new", new, "--log", "-", "--json", file, "--rate", "100000"}, flags...)
	var out, errs bytes.Buffer
	r := result{}
	r.err = Run(t.Context(), args, strings.NewReader(requests), &out, &errs)
	var chosen interface{ Exit() int }
	if errors.As(r.err, &chosen) {
		r.code = chosen.Exit()
	} else if r.err != nil {
		t.Fatalf("%v has no exit code", r.err)
	}
	r.text = out.String()
	if text, err := os.ReadFile(file); err == nil {
		if err := json.Unmarshal(text, &r.report); err != nil {
			t.Fatal(err)
		}
	}
	return r
}

// serve starts a server for the test.
func serve(t *testing.T, h http.HandlerFunc) string {
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s.URL
}

// canned is a response. A header without a value is absent.
type canned struct {
	status  int
	headers []string // name, value, ...
	body    string
	cut     bool // the connection ends one byte early
	drop    bool // the connection ends without a response
}

func (c canned) handler(w http.ResponseWriter, r *http.Request) {
	if c.drop {
		conn, _, _ := http.NewResponseController(w).Hijack()
		conn.Close()
		return
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	for i := 0; i < len(c.headers); i += 2 {
		w.Header().Del(c.headers[i])
		if c.headers[i+1] != "" {
			w.Header().Set(c.headers[i], c.headers[i+1])
		}
	}
	status := c.status
	if status == 0 {
		status = http.StatusOK
	}
	if c.cut {
		w.Header().Set("Content-Length", "1000000")
		w.WriteHeader(status)
		w.Write([]byte(c.body))
		http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	}
	w.WriteHeader(status)
	if r.Method != http.MethodHead {
		w.Write([]byte(c.body))
	}
}

// class is the name of the class that the only request of a report is in.
func (r *result) class() string {
	c := r.Requests
	for _, class := range []struct {
		name string
		n    int
	}{
		{"equal", c.Equal}, {"white space", c.WhiteSpace}, {"order", c.Order}, {"different", c.Different},
		{"intended", c.Intended}, {"unstable", c.Unstable}, {"failed", c.Failed},
	} {
		if class.n == 1 && c.Requests == 1 {
			return class.name
		}
	}
	return "none"
}

func (r *result) kinds() (list []string) {
	for _, g := range r.Groups {
		list = append(list, g.Kind)
	}
	return list
}
