package faulttest_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/fastgrest/fastgrest/pgwire/pgtest"
	"github.com/fastgrest/fastgrest/server"
	"github.com/fastgrest/fastgrest/server/config"
	"github.com/fastgrest/fastgrest/server/exec"
	"github.com/fastgrest/fastgrest/server/servertest"
)

// TestBodyLimit checks that a body larger than server-max-body-size is rejected
// before it has any effect, with a response that the client can read even while
// it still sends. A body of the maximum size is accepted.
func TestBodyLimit(t *testing.T) {
	const limit = 1 << 20
	f := start(t, pgtest.Start(t), map[string]string{"server-max-body-size": strconv.Itoa(limit)})
	for _, test := range []struct {
		name    string
		size    int
		chunked bool
		expect  bool // the client sends Expect: 100-continue
		status  int
	}{
		{"at the limit", limit, false, false, 201},
		{"at the limit, chunked", limit, true, false, 201},
		{"at the limit, with Expect", limit, false, true, 201},
		{"one byte above the limit", limit + 1, false, false, 413},
		{"one byte above the limit, chunked", limit + 1, true, false, 413},
		{"one byte above the limit, with Expect", limit + 1, false, true, 413},
		{"far above the limit", 64 * limit, false, false, 413},
		{"far above the limit, chunked", 64 * limit, true, false, 413},
		{"far above the limit, with Expect", 64 * limit, false, true, 413},
	} {
		t.Run(test.name, func(t *testing.T) {
			for range 3 { // including reused connections
				f.db.Value("truncate log, api.note")
				body := &filler{left: test.size, head: `{"tag":"`, tail: `"}`}
				req, err := http.NewRequest("POST", "http://api/note", body)
				if err != nil {
					t.Fatal(err)
				}
				req.Header.Set("Content-Type", "application/json")
				req.Header.Set("Origin", "http://example.com")
				if test.expect {
					req.Header.Set("Expect", "100-continue")
				}
				if !test.chunked {
					req.ContentLength = int64(test.size)
				}
				resp, err := f.API.Do(req)
				if err != nil {
					t.Fatal(err)
				}
				text, err := io.ReadAll(resp.Body)
				resp.Body.Close()
				if err != nil || resp.StatusCode != test.status {
					t.Fatalf("%d %s, %v; want %d", resp.StatusCode, text, err, test.status)
				}
				want, rows := "", 1
				if test.status == 413 {
					rows = 0
					want = fmt.Sprintf(`{"code":"PGRSTX01","details":"The limit is %d bytes (server-max-body-size).","hint":null,"message":"Request body too large"}`, limit)
				}
				if string(text) != want {
					t.Errorf("body %s, want %s", text, want)
				}
				if test.status == 413 && resp.Header.Get("Content-Type") != "application/json; charset=utf-8" {
					t.Errorf("content type %q", resp.Header.Get("Content-Type"))
				}
				if n := f.db.Count("select count(*) from api.note where length(tag) = $1", strconv.Itoa(test.size-10)); n != rows {
					t.Errorf("%d rows", n)
				}
			}
		})
	}
}

// filler is a JSON document of a given size.
type filler struct {
	left       int
	head, tail string
	begun      bool
}

func (f *filler) Read(p []byte) (int, error) {
	if f.left == 0 {
		return 0, io.EOF
	}
	p = p[:min(len(p), f.left)]
	for i := range p {
		p[i] = 'x'
	}
	if !f.begun {
		copy(p, f.head)
		f.begun = true
	}
	f.left -= len(p)
	if n := len(f.tail) - f.left; n > 0 {
		copy(p[max(len(p)-n, 0):], f.tail[max(n-len(p), 0):])
	}
	return len(p), nil
}

// serverEnv makes this test binary a server in a separate process, so that its
// memory can be measured.
const serverEnv = "FAULTTEST_SERVER"

func TestMain(m *testing.M) {
	exec.QuickTime = time.Minute // requests share connections even on a busy machine
	if uri := os.Getenv(serverEnv); uri != "" {
		err := server.Run(context.Background(), server.Options{
			Source: config.LoadOptions{Flags: map[string]string{
				"db-uri": uri, "db-schemas": "api", "db-anon-role": "test_anon", "db-channel-enabled": "false",
				"server-unix-socket": os.Getenv(serverEnv + "_SOCKET"), "admin-server-unix-socket": os.Getenv(serverEnv+"_SOCKET") + "a",
				"log-level": "crit", "jwt-secret": servertest.Secret,
				"server-max-body-size": strconv.Itoa(1 << 30), "spool-send-timeout": "0",
			}},
			Version: "test", Stdout: io.Discard, Stderr: os.Stderr, Ready: func() { fmt.Println("ready") },
		})
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	pgtest.MainWaiting(m)
}

// TestLeftoverBodies checks that an unread body is never parsed as the next
// request of the connection.
func TestLeftoverBodies(t *testing.T) {
	f := start(t, pgtest.Start(t), map[string]string{"server-max-body-size": strconv.Itoa(1 << 20)})
	const inner = "POST /note HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 18\r\n\r\n" + `{"tag":"smuggled"}` + "\r\n"
	padded := func(size int) string {
		return strings.Repeat("\r\n", max(size-len(inner), 0)/2) + inner
	}
	const token = "Authorization: Bearer nonsense\r\n"
	for _, test := range []struct{ name, head string }{
		{"GET", "GET /thing HTTP/1.1\r\nHost: a\r\n"},
		{"HEAD", "HEAD /thing HTTP/1.1\r\nHost: a\r\n"},
		{"DELETE", "DELETE /thing?tag=eq.x HTTP/1.1\r\nHost: a\r\n"},
		{"OPTIONS", "OPTIONS /thing HTTP/1.1\r\nHost: a\r\n"},
		{"preflight", "OPTIONS /thing HTTP/1.1\r\nHost: a\r\nOrigin: http://b\r\nAccess-Control-Request-Method: POST\r\n"},
		{"refused token", "POST /thing HTTP/1.1\r\nHost: a\r\n" + token},
		{"no such table", "POST /nothing HTTP/1.1\r\nHost: a\r\n"},
		{"no such path", "POST /a/b/c HTTP/1.1\r\nHost: a\r\n"},
		{"unknown method", "BREW /thing HTTP/1.1\r\nHost: a\r\n"},
		{"bad query", "POST /thing?select=(( HTTP/1.1\r\nHost: a\r\n"},
		{"invalid JSON", "POST /thing HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"},
		{"with Expect", "DELETE /thing?tag=eq.x HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n"},
	} {
		sizes := []int{len(inner), 8 << 10, 8<<10 + len(inner)/2, 100 << 10}
		if test.name == "GET" || test.name == "refused token" || test.name == "invalid JSON" {
			sizes = append(sizes, 900<<10, 3<<20) // larger than the limit, and than the server drains
		}
		for _, size := range sizes {
			for _, chunked := range []bool{false, true} {
				body := padded(size)
				framed := fmt.Sprintf("Content-Length: %d\r\n\r\n%s", len(body), body)
				if chunked {
					half := len(body) / 2
					framed = fmt.Sprintf("Transfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n%x\r\n%s\r\n0\r\n\r\n", half, body[:half], len(body)-half, body[half:])
				}
				conn, err := net.Dial("unix", f.Socket)
				if err != nil {
					t.Fatal(err)
				}
				conn.SetDeadline(time.Now().Add(2 * time.Minute))
				const next = "POST /note HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 14\r\nPrefer: tx=commit\r\nConnection: close\r\n\r\n" + `{"tag":"next"}`
				go io.WriteString(conn, test.head+framed+next)
				answers, err := responses(conn, strings.Fields(test.head)[0])
				conn.Close()
				what := fmt.Sprintf("%s, %d bytes, chunked %t", test.name, len(body), chunked)
				if err != nil || len(answers) < 1 || len(answers) > 2 {
					t.Errorf("%s: responses %v, %v", what, answers, err)
				} else if len(answers) == 2 && answers[1] != 201 {
					t.Errorf("%s: responses %v", what, answers)
				} else if len(answers) == 1 && len(body) < 200<<10 {
					t.Errorf("%s: the connection was closed for a small body", what)
				}
			}
		}
	}
	if n := f.db.Count("select count(*) from api.note where tag = 'smuggled'"); n != 0 {
		t.Errorf("%d requests were smuggled", n)
	}
	if n := f.db.Count("select count(*) from api.note where tag = 'next'"); n == 0 {
		t.Error("no connection went on")
	}
}

// responses reads the statuses of all responses on a connection.
func responses(conn net.Conn, method string) (statuses []int, err error) {
	r := bufio.NewReader(conn)
	for {
		if _, err := r.Peek(1); err != nil {
			if err == io.EOF {
				return statuses, nil
			}
			return statuses, err
		}
		resp, err := http.ReadResponse(r, &http.Request{Method: method})
		if err != nil {
			return statuses, err
		}
		if _, err := io.Copy(io.Discard, resp.Body); err != nil {
			return statuses, err
		}
		if resp.StatusCode != http.StatusContinue {
			statuses = append(statuses, resp.StatusCode)
			method = "POST"
		}
	}
}

// TestBrokenBodies checks that a body with wrong framing changes nothing and
// ends the connection.
func TestBrokenBodies(t *testing.T) {
	f := start(t, pgtest.Start(t), nil)
	const head = "POST /note HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
	for _, test := range []struct {
		name, rest string
		status     int // 0: no response
	}{
		{"body shorter than its length", "Content-Length: 100\r\n\r\n" + `{"tag":"broken"}`, 400},
		{"invalid chunk size", "Transfer-Encoding: chunked\r\n\r\nzz\r\n" + `{"tag":"broken"}` + "\r\n0\r\n\r\n", 400},
		{"chunk without an end", "Transfer-Encoding: chunked\r\n\r\n10\r\n" + `{"tag":"broken"}` + "xx0\r\n\r\n", 400},
		{"no last chunk", "Transfer-Encoding: chunked\r\n\r\n10\r\n" + `{"tag":"broken"}` + "\r\n", 400},
		{"chunk size out of range", "Transfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n" + `{"tag":"broken"}`, 400},
		{"negative length", "Content-Length: -5\r\n\r\n" + `{"tag":"broken"}`, 400},
	} {
		conn, err := net.Dial("unix", f.Socket)
		if err != nil {
			t.Fatal(err)
		}
		conn.SetDeadline(time.Now().Add(2 * time.Minute))
		io.WriteString(conn, head+test.rest)
		conn.(*net.UnixConn).CloseWrite()
		answers, err := responses(conn, "POST")
		conn.Close()
		if err != nil || len(answers) != 1 || answers[0] != test.status {
			t.Errorf("%s: responses %v, %v; want %d", test.name, answers, err, test.status)
		}
	}
	if n := f.db.Count("select count(*) from api.note"); n != 0 {
		t.Errorf("%d rows", n)
	}
}
