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
)

// TestMemory posts a large array and looks at what the server needed for it:
// less than twice its size and a constant.
func TestMemory(t *testing.T) {
	const (
		size     = 100 << 20
		constant = 48 << 20
	)
	f := start(t, pgtest.Start(t), nil)
	f.exec(t, "create unlogged table api.big (id int, body text); alter table api.big alter body set storage external; grant all on api.big to fault_anon")
	for _, test := range []struct {
		name    string
		chunked bool
		row     int
		headers []string
	}{
		{"small rows", false, 1 << 10, nil},
		{"large rows", false, 1 << 20, nil},
		{"chunked", true, 1 << 20, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			api := t.TempDir() + "/s"
			cmd := exec.Command(os.Args[0])
			cmd.Env = append(os.Environ(), serverEnv+"="+f.uri, serverEnv+"_SOCKET="+api)
			var log bytes.Buffer
			cmd.Stderr = &log
			out, err := cmd.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			defer func() {
				cmd.Process.Signal(syscall.SIGKILL)
				cmd.Wait()
				if t.Failed() {
					t.Logf("the server's log:\n%s", log.String())
				}
			}()
			if line, err := bufio.NewReader(out).ReadString('\n'); line != "ready\n" {
				t.Fatalf("%q, %v", line, err)
			}
			client := unixClient(api)
			defer client.CloseIdleConnections()
			peak := func() int {
				t.Helper()
				status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", cmd.Process.Pid))
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
			before := peak()
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
			resp, err := client.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			n, _ := io.Copy(io.Discard, resp.Body)
			resp.Body.Close()
			if resp.StatusCode != 201 {
				t.Fatalf("status %d, %d bytes", resp.StatusCode, n)
			}
			after := peak()
			got := f.count(t, "select count(*) from api.big")
			f.exec(t, "truncate api.big")
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

// array is a JSON array of rows that nobody keeps in memory.
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
