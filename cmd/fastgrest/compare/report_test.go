package compare

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/spf13/pflag"
)

// TestReportText shows a whole report.
func TestReportText(t *testing.T) {
	old := serve(t, func(w http.ResponseWriter, r *http.Request) {
		canned{body: `[{"id":1,"title":"A ` + strings.Repeat("very ", 30) + `long one"}]`}.handler(w, r)
	})
	new := serve(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/equal":
			canned{body: `[{"id":1,"title":"A ` + strings.Repeat("very ", 30) + `long one"}]`}.handler(w, r)
		case "/gone":
			canned{status: 404, body: notFound}.handler(w, r)
		default:
			canned{body: `[{"id":1,"title":"A ` + strings.Repeat("very ", 30) + "l\x1b[31m" + `ng one"}]`}.handler(w, r)
		}
	})
	input := `GET /equal
no request
GET /book?id=eq.1&select=id,title
GET /book?id=eq.10000&select=id,title
{"method":"GET","url":"/book?id=eq.2&select=it's","headers":{"Accept":"application/json","Authorization":"Basic dXNlcjpwYXNz"}}
GET /gone
`
	r := compareURLs(t, old, new, input, "--concurrency", "1")
	text := strings.ReplaceAll(regexp.MustCompile(`p(\d\d) [0-9.e+-]+`).ReplaceAllString(r.text, "p$1 N"), new, "http://new")
	want := `DIFFERENT: invalid JSON (3 requests)
  GET /book?id&select (3 requests)
    curl -gi 'http://new/book?id=eq.1&select=id,title'
    old  ...ery very very very very very very very very very long one"}]
    new  ...ery very very very very very very very very very l\x1b[31mng one"}]
                                                              ^

DIFFERENT: status 200 -> 404 (1 request)
  GET /gone (1 request)
    curl -gi 'http://new/gone'
    old  200 [{"id":1,"title":"A very very very very very very very very very very very very very very very very very v...
    new  404 {"code":"PGRST205","details":null,"hint":"Perhaps you meant the table 'api.book'","message":"no table"}
         ^

5 requests: 1 equal, 4 different in 2 kinds
skipped: 1 line without a request
latency of old in ms: p50 N, p95 N, p99 N
latency of new in ms: p50 N, p95 N, p99 N
`
	if text != want {
		t.Errorf("got\n%s\nwant\n%s", text, want)
	}
	// A command with headers.
	request := parseLine([]byte(strings.Split(input, "\n")[4]))
	const command = `curl -gi -H 'Accept: application/json' -H "Authorization: $AUTHORIZATION" 'http://new/book?id=eq.2&select=it'\''s'`
	if got := curl(&server{base: mustParse("http://new")}, request, secretsOf(request)); got != command {
		t.Errorf("got  %s\nwant %s", got, command)
	}
}

// TestManualReport: the report that the manual shows is one.
func TestManualReport(t *testing.T) {
	page, err := os.ReadFile("../manual/compare.md")
	if err != nil {
		t.Fatal(err)
	}
	answer := func(one, hint, separator string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			switch r.URL.Path {
			case "/book":
				canned{body: `[{"id":` + one + `,"title":"Emma"}]`}.handler(w, r)
			case "/bok":
				canned{status: 404, body: `{"code":"PGRST205","hint":"Perhaps you meant the table 'api.` + hint + `'"}`}.handler(w, r)
			default:
				canned{body: "[1" + separator + "2]"}.handler(w, r)
			}
		}
	}
	old, new := serve(t, answer("1", "book", ", \n ")), serve(t, answer(`"1"`, "box", ","))
	input := `1.2.3.4 - librarian ` + stamp + ` "GET /book?id=eq.1&select=id,title HTTP/1.1" 200 - "" ""
1.2.3.4 - librarian ` + stamp + ` "GET /book?select=id,title&id=eq.22 HTTP/1.1" 200 - "" ""
GET /genre
HEAD /genre
HEAD /author
GET /bok
GET /bok
POST /book
29/Nov/2026:04:50:27 +0000: Schema cache loaded in 4.1 milliseconds
`
	r := compareURLs(t, old, new, input, "--tokens", write(t, "librarian=abcdefgh"))
	numbers := regexp.MustCompile(`p(\d\d) [0-9.e+-]+`)
	got := strings.ReplaceAll(r.text, new, "http://localhost:3100")
	_, shown, _ := strings.Cut(string(page), "```text norun\n")
	shown, _, _ = strings.Cut(shown, "```\n")
	if numbers.ReplaceAllString(got, "p$1 N") != numbers.ReplaceAllString(shown, "p$1 N") {
		t.Errorf("the manual shows\n%s\nand the report is\n%s", shown, got)
	}
}

// TestManualFlags: the manual names all flags, and no others.
func TestManualFlags(t *testing.T) {
	page, err := os.ReadFile("../manual/compare.md")
	if err != nil {
		t.Fatal(err)
	}
	var o options
	known := map[string]bool{"--no-log-prefix": true, "--follow": true} // of docker
	o.flags().VisitAll(func(f *pflag.Flag) {
		known["--"+f.Name] = true
		if !strings.Contains(string(page), "--"+f.Name) {
			t.Errorf("the manual does not have --%s", f.Name)
		}
	})
	for _, name := range regexp.MustCompile(`--[a-z][a-z0-9-]+`).FindAllString(string(page), -1) {
		if !known[name] {
			t.Errorf("the manual has %s, which is not a flag", name)
		}
	}
}

// TestGroupsAreBounded: hostile paths do not fill the memory.
func TestGroupsAreBounded(t *testing.T) {
	tally := newTally(&server{base: mustParse("http://new")})
	for i := range maxGroups + 10 {
		r := &request{Method: "GET", Target: "/" + strconv.Itoa(i)}
		tally.add(r, verdict{Class: different, Found: []difference{{Kind: "value"}}}, false, 1)
		tally.add(r, verdict{Class: failed, Why: strconv.Itoa(i)}, false, 1)
	}
	if len(tally.groups) != maxGroups || tally.dropped != 10 || tally.now().Different != maxGroups+10 || len(tally.failures) > 100 {
		t.Errorf("%d groups, %d dropped, %d failures", len(tally.groups), tally.dropped, len(tally.failures))
	}
}

// TestSmallestExample: a group shows the shortest request and responses.
func TestSmallestExample(t *testing.T) {
	url := serve(t, canned{body: "[1]"}.handler)
	other := serve(t, canned{body: "[2]"}.handler)
	r := compareURLs(t, url, other, "GET /a?b=long\nGET /a?b=s\nGET /a?b=longer\n", "--concurrency", "1")
	if len(r.Groups) != 1 || r.Groups[0].Count != 3 || !strings.HasSuffix(r.Groups[0].Example.Curl, "/a?b=s'") {
		t.Errorf("%+v", r.Groups)
	}
}

// TestInterrupted: a signal ends a replay whose input has no end, and the report has what was compared.
func TestInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	stdin, feed := io.Pipe()
	defer feed.Close()
	asked := make(chan struct{}, 10)
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		canned{body: "[]"}.handler(w, r)
		asked <- struct{}{}
	})
	go func() {
		io.WriteString(feed, "GET /a\nGET /b\nGET /c\n")
		for range 5 { // the third request has begun, so the first is counted
			<-asked
		}
		cancel()
	}()
	var out bytes.Buffer
	err := Run(ctx, []string{"--old", url, "--new", url, "--log", "-", "--rate", "1000", "--concurrency", "1"}, stdin, &out, io.Discard)
	if err != nil || !strings.Contains(out.String(), "stopped: by a signal") || strings.HasPrefix(out.String(), "0 requests") {
		t.Errorf("%v\n%s", err, out.String())
	}
}

// TestFailures: what cannot be compared has exit code 2 and says why.
func TestFailures(t *testing.T) {
	url := serve(t, canned{body: "[]"}.handler)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed := "http://" + listener.Addr().String()
	listener.Close()
	untrusted := httptest.NewUnstartedServer(http.NotFoundHandler())
	untrusted.Config.ErrorLog = log.New(io.Discard, "", 0) // of the handshake that fails
	untrusted.StartTLS()
	defer untrusted.Close()
	two := []string{"--old", url, "--new", url}
	from := append(two, "--log", "-")
	with := func(flags ...string) []string { return append(append([]string{}, from...), flags...) }
	for says, args := range map[string][]string{
		"--old is missing":                        {"--new", url, "--log", "-"},
		"--new is missing":                        {"--old", url, "--log", "-"},
		"--new is not the URL of a server":        {"--old", url, "--new", "127.0.0.1:3000", "--log", "-"},
		"--old has a user name":                   {"--old", "http://a:b@x", "--new", url, "--log", "-"},
		"certificate signed by unknown authority": {"--old", url, "--new", untrusted.URL, "--log", "-"},
		"cannot reach the new server":             {"--old", url, "--new", closed, "--log", "-"},
		"--log is missing":                        two,
		"the input has no requests":               from,
		"is not a flag":                           with("x.log"),
		"unknown flag: --nope":                    with("--nope"),
		"--limit must not be negative":            with("--limit=-1"),
		"--rate must be between":                  with("--rate=0"),
		"--concurrency must be between":           with("--concurrency=0"),
		"--timeout must be positive":              with("--timeout=0s"),
		"--max-body must be between":              with("--max-body=0"),
		"--both-roll-back has no effect":          with("--both-roll-back"),
		"--header is not":                         with("--header=secret"),
		"--header cannot set host":                with("--header=host: x"),
		"--token has a character":                 with("--token=a\nb"),
		"--tokens: open":                          with("--tokens=" + filepath.Join(t.TempDir(), "none")),
		"--tokens: line 2":                        with("--tokens=" + write(t, "a=b\nc\n")),
		"the name of a file with the secret":      with("--jwt-secret=" + filepath.Join(t.TempDir(), "none")),
		"is empty":                                with("--jwt-secret=" + write(t, "\n")),
		"is not base64":                           with("--jwt-secret="+write(t, "?"), "--jwt-secret-is-base64"),
		"is not a JWK":                            with("--jwt-secret=" + write(t, "{")),
		"a public key cannot sign":                with("--jwt-secret=" + write(t, `{"keys":[]}`)),
		"--claims is not a JSON object":           with("--claims=[]"),
		"no such file or directory":               append(two, "--log", filepath.Join(t.TempDir(), "none")),
		"cannot write the report":                 with("--json=" + t.TempDir()),
		"--rate\" flag":                           with("--rate=fast"),
		"fastgrest compare --help lists the fl":   with("--nope"),
	} {
		var out bytes.Buffer
		err := Run(t.Context(), args, strings.NewReader(""), &out, io.Discard)
		var f *failure
		if !errors.As(err, &f) || f.Exit() != 2 || !strings.Contains(err.Error(), says) {
			t.Errorf("%q: %v, want %q", args, err, says)
		}
		if strings.Contains(err.Error(), "secret'") {
			t.Errorf("a secret is in %q", err)
		}
	}
}

// TestServerGoesAway: after some failed requests in a row the replay ends.
func TestServerGoesAway(t *testing.T) {
	url := serve(t, canned{drop: true}.handler)
	r := compareURLs(t, url, url, strings.Repeat("GET /a\n", 100), "--repeat", "--concurrency", "1")
	if r.code != 2 || r.Requests.Failed != patience || r.Stopped == "" {
		t.Errorf("exit code %d, %+v", r.code, r.Requests)
	}
}

// TestBodyTooLong: the length of a body is bounded.
func TestBodyTooLong(t *testing.T) {
	url := serve(t, canned{body: `["0123456789"]`}.handler)
	r := compareURLs(t, url, url, "GET /a\n", "--max-body", "10")
	if r.class() != "failed" || !strings.Contains(r.text, errTooLong.Error()) {
		t.Errorf("%s", r.text)
	}
	if r := compareURLs(t, url, url, "GET /a\n", "--max-body", "14"); r.class() != "equal" {
		t.Errorf("%s", r.text)
	}
}

func TestHelp(t *testing.T) {
	var out bytes.Buffer
	if err := Run(t.Context(), []string{"--help"}, nil, &out, io.Discard); err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(out.String()) {
		if len(line) > 81 {
			t.Errorf("%d columns: %s", len(line)-1, line)
		}
	}
}
