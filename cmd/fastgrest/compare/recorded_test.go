package compare

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const corpus = "../../../server/spectest/testdata/corpus"

// recordedCase is a request to PostgREST and its response, as package spectest has them.
type recordedCase struct {
	Name, Group, Scenario string
	Request               struct {
		Method, Path, Port string
		Headers            [][2]string
	}
	Expect struct {
		Status  int
		Headers map[string]json.RawMessage // a string or a list; Content-Length is only "present"
		Body    string
		JSON    json.RawMessage
		Base64  *string
	}
	Ignore, Match []json.RawMessage // parts of the response that were not recorded
}

// complete reports whether the whole response was recorded, and net/http can send the request: it
// trims values of headers.
func (c *recordedCase) complete() bool {
	trimmed := slices.ContainsFunc(c.Request.Headers, func(h [2]string) bool { return strings.TrimSpace(h[1]) != h[1] })
	return len(c.Ignore)+len(c.Match) == 0 && c.Expect.Base64 == nil && !trimmed
}

// recordedReads are the cases of the common configuration that only read and need no token.
func recordedReads(t *testing.T) (list []recordedCase) {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(corpus, "cases", "*", "*.json"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		var cases []recordedCase
		if err := json.Unmarshal(text, &cases); err != nil {
			t.Fatal(err)
		}
		for _, c := range cases {
			r := request{Method: c.Request.Method, Target: c.Request.Path}
			common := (c.Group == "" || c.Group == "base") && c.Scenario == "" && c.Request.Port == ""
			if common && r.reads() && !strings.Contains(fmt.Sprint(c.Request.Headers), "{{") {
				list = append(list, c)
			}
		}
	}
	return list
}

// line is the request as a line of the input, with further headers.
func (c *recordedCase) line(t *testing.T, more ...[2]string) string {
	t.Helper()
	headers := map[string][]string{}
	for _, h := range append(c.Request.Headers, more...) {
		headers[h[0]] = append(headers[h[0]], h[1])
	}
	text, err := json.Marshal(map[string]any{"method": c.Request.Method, "url": c.Request.Path, "headers": headers})
	if err != nil {
		t.Fatal(err)
	}
	return string(text) + "\n"
}

// serve sends the recorded response, with the separators that PostgREST has between rows.
func (c *recordedCase) serve(w http.ResponseWriter) {
	for name, raw := range c.Expect.Headers {
		var one string
		several := []string{}
		if json.Unmarshal(raw, &one) == nil {
			several = []string{one}
		} else {
			_ = json.Unmarshal(raw, &several)
		}
		for i := range several {
			several[i] = strings.Replace(several[i], "{agent}", "PostgRESTv16.2", 1)
		}
		if name != "Content-Length" {
			w.Header()[name] = several
		}
	}
	body := []byte(c.Expect.Body)
	var rows []json.RawMessage
	switch {
	case c.Expect.JSON != nil && json.Unmarshal(c.Expect.JSON, &rows) == nil && rows != nil:
		body = append(append([]byte("["), bytes.Join(asBytes(rows), []byte(", \n "))...), ']')
	case c.Expect.JSON != nil:
		body = c.Expect.JSON
	}
	if _, ok := c.Expect.Headers["Content-Type"]; !ok {
		w.Header()["Content-Type"] = nil
	}
	w.WriteHeader(c.Expect.Status)
	if c.Request.Method != http.MethodHead {
		_, _ = w.Write(body)
	}
}

func asBytes(rows []json.RawMessage) [][]byte {
	list := make([][]byte, len(rows))
	for i, r := range rows {
		list[i] = r
	}
	return list
}

// testRecorded compares the responses of PostgREST that were recorded with those of the program.
func testRecorded(t *testing.T, p *program, url string, cases []recordedCase) {
	if p.postgres != 15 {
		t.Skip("the responses were recorded with PostgreSQL 15")
	}
	var input string
	for i, c := range cases {
		if c.complete() {
			input += c.line(t, [2]string{"X-Case", strconv.Itoa(i)})
		}
	}
	r := p.compare(input, "--old", recordedServer(t, cases), "--new", url, "--log", "-")
	if c := r.Requests; r.code != 0 || c.Different != 0 || c.WhiteSpace < 1000 || c.Intended == 0 {
		t.Errorf("exit code %d, %+v\n%s", r.code, c, r.text)
	}
}

// recordedServer is a PostgREST that knows only the recorded requests. A header has their number.
func recordedServer(t *testing.T, cases []recordedCase) string {
	return serve(t, func(w http.ResponseWriter, r *http.Request) {
		i, err := strconv.Atoi(r.Header.Get("X-Case"))
		if err != nil || i >= len(cases) {
			http.Error(w, "unknown", http.StatusTeapot)
			return
		}
		cases[i].serve(w)
	})
}
