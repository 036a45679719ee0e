package compare

import (
	"bufio"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// seen is a server that notes what it is asked.
type seen struct {
	mu       sync.Mutex
	requests []string
	headers  []http.Header
}

func (s *seen) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests = append(s.requests, r.Method+" "+r.RequestURI)
	s.headers = append(s.headers, r.Header)
}

const mixedInput = `GET /a
nonsense
GET /a
POST /a
{"method":"GET","url":"/a","headers":{"Accept":"text/csv"}}
OPTIONS /a
1.2.3.4 - x ` + stamp + ` "PATCH /a HTTP/1.1" 204 - "" ""
GET /b
`

func TestInput(t *testing.T) {
	for _, c := range []struct {
		in   *input
		sent []string
		want skipped
	}{
		{&input{}, []string{"GET /a", "GET /a", "GET /b"}, skipped{Lines: 1, Writes: 2, Methods: 1, Repeated: 1}},
		{&input{repeat: true}, []string{"GET /a", "GET /a", "GET /a", "GET /b"}, skipped{Lines: 1, Writes: 2, Methods: 1}},
		{&input{writes: true}, []string{"GET /a", "POST /a", "GET /a", "GET /b"}, skipped{Lines: 1, Bodiless: 1, Methods: 1, Repeated: 1}},
		{&input{limit: 2}, []string{"GET /a", "GET /a"}, skipped{Lines: 1, Writes: 1, Repeated: 1}},
	} {
		c.in.files, c.in.stdin = []string{"-"}, strings.NewReader(mixedInput)
		var sent []string
		if err := c.in.read(func(r *request) error { sent = append(sent, r.Method+" "+r.Target); return nil }); err != nil {
			t.Error(err)
		}
		if d := cmp.Diff(c.sent, sent); d != "" {
			t.Errorf("sent (-want +got):\n%s", d)
		}
		if d := cmp.Diff(c.want, c.in.counts()); d != "" {
			t.Errorf("skipped (-want +got):\n%s", d)
		}
	}
}

// TestFiles: several files are read one after the other, and the same request in another file is a
// repetition.
func TestFiles(t *testing.T) {
	dir := t.TempDir()
	var flags []string
	for name, text := range map[string]string{"1": "GET /a\nGET /b\n", "2": "GET /b\nGET /c"} {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		flags = append(flags, "--log", path)
	}
	url := serve(t, canned{}.handler)
	r := compareURLs(t, url, url, "GET /d\n", flags...)
	if r.Requests.Equal != 4 || r.Skipped.Repeated != 1 {
		t.Errorf("%+v %+v", r.Requests, r.Skipped)
	}
}

func TestReadLine(t *testing.T) {
	long := strings.Repeat("x", maxLine+1)
	r := bufio.NewReaderSize(strings.NewReader("a\r\n\n"+long+"\nb"), 64<<10)
	for _, want := range []string{"a", "", "long", "b"} {
		line, isLong, err := readLine(r)
		if got := string(line); isLong != (want == "long") || !isLong && got != want {
			t.Errorf("%q, %t, %v; want %q", got, isLong, err, want)
		}
	}
}

// TestTargets: what is sent is what the log has, byte for byte.
func TestTargets(t *testing.T) {
	var old, new seen
	targets := []string{"/a?b=c%20d&e=%2f", `/a?b="c"&d={e}<f>|^`, "//x?y", "/a%2Fb/../c", "/\xc3\xa4?b=\xff", "/a?"}
	r := compareURLs(t, serve(t, old.ServeHTTP), serve(t, new.ServeHTTP)+"/base/", "GET "+strings.Join(targets, "\nGET ")+"\n", "--concurrency", "1")
	if r.Requests.Equal != len(targets) {
		t.Fatalf("%s", r.text)
	}
	for i, target := range targets {
		got, _ := strings.CutPrefix(old.requests[i], "GET http://127.0.0.1:") // the absolute form of //x
		if !strings.HasSuffix(got, target) || new.requests[i] != "GET /base"+target {
			t.Errorf("%q: sent as %q and %q", target, old.requests[i], new.requests[i])
		}
	}
}

func mustParse(text string) *url.URL {
	u, err := url.Parse(text)
	if err != nil {
		panic(err)
	}
	return u
}
