//go:build linux && !race

package faulttest_test

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/fastgrest/fastgrest/pgwire/pgtest"
	"github.com/fastgrest/fastgrest/server/servertest"
)

// megabytes is the size of the bodies. Larger sizes are for manual runs:
// FAULTTEST_MB=500 go test -run Memory -v ./server/faulttest.
func megabytes(usual int) int {
	if n, err := strconv.Atoi(os.Getenv("FAULTTEST_MB")); err == nil {
		return n
	}
	return usual
}

// child is a server in a separate process.
type child struct {
	*http.Client
	pid   int
	api   string // path of the socket
	admin *http.Client
}

func startChild(t *testing.T, f *fixture) *child {
	t.Helper()
	return startChildOn(t, f.uri)
}

func startChildOn(t *testing.T, uri string) *child {
	t.Helper()
	api := t.TempDir() + "/s"
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), serverEnv+"="+uri, serverEnv+"_SOCKET="+api)
	var log bytes.Buffer
	cmd.Stderr = &log
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Signal(syscall.SIGKILL)
		cmd.Wait()
		if t.Failed() {
			t.Logf("the server's log:\n%s", log.String())
		}
	})
	if line, err := bufio.NewReader(out).ReadString('\n'); line != "ready\n" {
		t.Fatalf("%q, %v", line, err)
	}
	c := &child{Client: servertest.Client(api), pid: cmd.Process.Pid, api: api, admin: servertest.Client(api + "a")}
	c.Timeout = 0
	t.Cleanup(c.CloseIdleConnections)
	t.Cleanup(c.admin.CloseIdleConnections)
	return c
}

// peak returns the server's peak memory.
func (c *child) peak(t *testing.T) int {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", c.pid))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(status), "VmHWM:")
	kb, err := strconv.Atoi(strings.Fields(rest)[0])
	if err != nil {
		t.Fatal(err)
	}
	return kb << 10
}

// TestMemory posts a large array and checks the server's peak memory: less than
// twice the size and a constant, even if all rows are returned.
func TestMemory(t *testing.T) {
	const constant = 48 << 20
	size := megabytes(100) << 20
	f := start(t, pgtest.Start(t), nil)
	f.db.Value("create unlogged table api.big (id int, body text); alter table api.big alter body set storage external; grant all on api.big to test_anon")
	for _, test := range []struct {
		name    string
		chunked bool
		row     int
		headers []string
	}{
		{"small rows", false, 1 << 10, nil},
		{"large rows", false, 1 << 20, nil},
		{"chunked", true, 1 << 20, nil},
		{"small rows, and back", false, 1 << 10, []string{"Prefer", "return=representation"}},
		{"large rows, and back", false, 1 << 20, []string{"Prefer", "return=representation"}},
		{"small rows, and back as CSV", false, 1 << 10, []string{"Prefer", "return=representation", "Accept", "text/csv"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			server := startChild(t, f)
			before := server.peak(t)
			body := newArray(size, test.row)
			rows := body.rows
			req, err := http.NewRequest("POST", "http://api/big?columns=id,body", body)
			if err != nil {
				t.Fatal(err)
			}
			req.Header.Set("Content-Type", "application/json")
			for i := 0; i < len(test.headers); i += 2 {
				req.Header.Set(test.headers[i], test.headers[i+1])
			}
			if !test.chunked {
				req.ContentLength = int64(body.size)
			}
			began := time.Now()
			resp, err := server.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			n, err := io.Copy(io.Discard, resp.Body)
			resp.Body.Close()
			if resp.StatusCode != 201 || err != nil {
				t.Fatalf("status %d, %d bytes, %v", resp.StatusCode, n, err)
			}
			if back := len(test.headers) > 0; back != (n > int64(size)*9/10) {
				t.Errorf("%d bytes came back", n)
			}
			after := server.peak(t)
			got := f.db.Count("select count(*) from api.big")
			f.db.Value("truncate api.big")
			if got != rows {
				t.Errorf("%d rows, want %d", got, rows)
			}
			t.Logf("body %d MB in %d rows, %.1f s: peak %d MB before, %d MB after: %.2f of the body", body.size>>20, rows,
				time.Since(began).Seconds(), before>>20, after>>20, float64(after-before)/float64(body.size))
			if after > 2*body.size+constant {
				t.Errorf("peak memory %d MB for a body of %d MB", after>>20, body.size>>20)
			}
		})
	}
}

// TestMemoryOfAnswers checks that large responses to clients that stop reading
// take little memory, whatever their size.
func TestMemoryOfAnswers(t *testing.T) {
	const (
		clients = 8
		bound   = 64 << 20
	)
	size := megabytes(64) << 20
	f := start(t, pgtest.Start(t), nil)
	f.db.Value(`create view api.lots as select i as id, repeat('x', 1000) as body from generate_series(1, 1500000) i; grant all on api.lots to test_anon`)
	for accept, size := range map[string]int{"application/json": size, "text/csv": size / 4} { // PostgreSQL makes CSV slowly
		t.Run(accept, func(t *testing.T) {
			server := startChild(t, f)
			before := server.peak(t)
			var answers []*http.Response
			for range clients {
				req, err := http.NewRequest("GET", "http://api/lots?limit="+strconv.Itoa(size/1000), nil)
				if err != nil {
					t.Fatal(err)
				}
				req.Header.Set("Accept", accept)
				resp, err := server.Do(req)
				if err != nil {
					t.Fatal(err)
				}
				defer resp.Body.Close()
				if _, err := io.CopyN(io.Discard, resp.Body, 1<<20); err != nil || resp.StatusCode != 200 {
					t.Fatalf("status %d, %v", resp.StatusCode, err)
				}
				answers = append(answers, resp)
			}
			for _, resp := range answers {
				if n, err := io.Copy(io.Discard, resp.Body); err != nil || n != resp.ContentLength-1<<20 || n < int64(size)-1<<20 {
					t.Errorf("the rest has %d bytes, %v", n, err)
				}
			}
			after := server.peak(t)
			t.Logf("%d responses of %d MB: peak %d MB before, %d MB after", clients, size>>20, before>>20, after>>20)
			if after > bound {
				t.Errorf("peak memory %d MB", after>>20)
			}
		})
	}
}

// array generates a JSON array of rows without storing it.
type array struct {
	rows, size int
	row        []byte
	next       int
	rest       bytes.Buffer
}

func newArray(size, row int) *array {
	a := &array{row: bytes.Repeat([]byte("z"), row-len(`{"id":00000000,"body":""},`))}
	a.rows = (size - 1) / row
	a.size = a.rows*row + 1
	return a
}

func (a *array) Read(p []byte) (int, error) {
	for a.rest.Len() == 0 {
		if a.next > a.rows {
			return 0, io.EOF
		}
		switch {
		case a.next == a.rows:
			a.rest.WriteString("]")
		default:
			separator := ","
			if a.next == 0 {
				separator = "["
			}
			fmt.Fprintf(&a.rest, `%s{"id":%8d,"body":"%s"}`, separator, a.next, a.row)
		}
		a.next++
	}
	return a.rest.Read(p)
}
