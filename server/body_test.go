package server

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/fastgrest/fastgrest/pgwire/pgtest"
)

// bodyTest is a server on a socket whose memory for bodies is visible to the test.
type bodyTest struct {
	*writer
	t       *testing.T
	address string
}

func startBodies(t *testing.T, settings map[string]string) *bodyTest {
	t.Helper()
	flags := map[string]string{direct: "yes", login: pgtest.Superuser, "db-anon-role": "test_anon", "db-pool": "4"}
	for k, v := range settings {
		flags[k] = v
	}
	w := startWriter(t, wireSchema, flags)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	serveAPI(t, w.apiServer(w.config(), l))
	return &bodyTest{writer: w, t: t, address: l.Addr().String()}
}

// begin sends a head and the beginning of a body.
func (b *bodyTest) begin(head, body string) net.Conn {
	b.t.Helper()
	c, err := net.Dial("tcp", b.address)
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() { c.Close() })
	_ = c.SetDeadline(time.Now().Add(2 * time.Minute))
	b.send(c, head+"\r\n"+body)
	return c
}

func (b *bodyTest) send(c net.Conn, text string) {
	b.t.Helper()
	if _, err := io.WriteString(c, text); err != nil {
		b.t.Fatal(err)
	}
}

func (b *bodyTest) answer(c net.Conn) (r *http.Response, body string) {
	b.t.Helper()
	r, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		b.t.Fatal(err)
	}
	text, _ := io.ReadAll(r.Body)
	return r, string(text)
}

// until waits until the bodies use the given amount of memory.
func (b *bodyTest) until(wanted func(used int64) bool) int64 {
	b.t.Helper()
	for end := time.Now().Add(time.Minute); ; time.Sleep(5 * time.Millisecond) {
		used := b.bodies.Used()
		if wanted(used) {
			return used
		}
		if time.Now().After(end) {
			b.t.Fatalf("bodies take %d bytes", used)
		}
	}
}

func posting(path string, length int, more ...string) string {
	return fmt.Sprintf("POST %s HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n%s", path, length, strings.Join(more, ""))
}

const postingChunks = "POST %s HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n"

// TestBodiesTakeWhatTheyBring: memory grows with the bytes that have arrived, not
// with the announced length, and is released.
func TestBodiesTakeWhatTheyBring(t *testing.T) {
	const senders, sent = 10, 1 << 20
	b := startBodies(t, nil)
	var all []net.Conn
	for i := range senders {
		if i%2 == 0 {
			all = append(all, b.begin(posting("/note", 100<<20), strings.Repeat(" ", sent)))
		} else {
			all = append(all, b.begin(fmt.Sprintf(postingChunks, "/note"), fmt.Sprintf("%x\r\n%s", 100<<20, strings.Repeat(" ", sent))))
		}
	}
	// A buffer that grows counts with its old and its new size until it is copied.
	b.until(func(used int64) bool { return used >= senders*sent && used <= 2*senders*sent })
	for _, c := range all {
		c.Close()
	}
	b.until(func(used int64) bool { return used == 0 })
}

// TestNothingIsReadForNothing: a request that is refused without its body gets the
// response at once, and the body takes no memory.
func TestNothingIsReadForNothing(t *testing.T) {
	t.Parallel()
	b := startBodies(t, nil)
	some := strings.Repeat(" ", 20<<10) // fasthttp reads 8 KiB before it asks us
	chunk := fmt.Sprintf("%x\r\n%s", 100<<20, strings.Repeat(" ", 128<<10))
	for _, test := range []struct {
		name, head, body string
		status           int
		code             string
	}{
		{"no relation", posting("/nowhere", 100<<20), some, 404, "PGRST205"},
		{"no relation, chunks", fmt.Sprintf(postingChunks, "/nowhere"), chunk, 404, "PGRST205"},
		{"no function", posting("/rpc/nothing", 100<<20), some, 404, "PGRST202"},
		{"no function, chunks", fmt.Sprintf(postingChunks, "/rpc/nothing"), chunk, 404, "PGRST202"},
		{"no path", posting("/a/b", 100<<20), some, 404, "PGRST125"},
		{"no schema", posting("/note", 100<<20, "Content-Profile: other\r\n"), some, 406, "PGRST106"},
		{"no method", strings.Replace(posting("/rpc/me", 100<<20), "POST", "PATCH", 1), some, 405, "PGRST101"},
		{"a bad token", posting("/note", 100<<20, "Authorization: Bearer a\r\n"), some, 401, "PGRST301"},
		{"too large", posting("/note", 100<<20+1), some, 413, "PGRSTX01"},
		{"an invalid query", posting("/note?id=nonsense", 100<<20), some, 400, "PGRST100"},
	} {
		r, body := b.answer(b.begin(test.head, test.body))
		if r.StatusCode != test.status || !strings.Contains(body, test.code) || !r.Close {
			t.Errorf("%s: %d %s", test.name, r.StatusCode, body)
		}
		if used := b.bodies.Used(); used != 0 {
			t.Errorf("%s: the body takes %d bytes", test.name, used)
		}
	}
}

// TestBudgetOfBodies: the memory of all bodies is bounded. Beyond the bound, large
// bodies get a clear error until others have ended.
func TestBudgetOfBodies(t *testing.T) {
	b := startBodies(t, map[string]string{"bodies-max-size": "1"})
	const length = 500 << 10
	row := `{"body":"a"}`
	rest := strings.Repeat(" ", length-len(row))
	first := b.begin(posting("/note", length), row+rest[:length-len(row)-1])
	b.until(func(used int64) bool { return used >= length })

	r, body := b.answer(b.begin(posting("/note", length), row+rest))
	if r.StatusCode != 503 || r.Header.Get("Retry-After") != "1" || !strings.Contains(body, `"PGRSTX08"`) || !strings.Contains(body, "bodies-max-size") {
		t.Errorf("%d %v %s", r.StatusCode, r.Header, body)
	}
	if r, body = b.answer(b.begin(posting("/note", len(row)), row)); r.StatusCode != 201 {
		t.Errorf("a small body: %d %s", r.StatusCode, body)
	}
	b.send(first, " ")
	if r, body = b.answer(first); r.StatusCode != 201 {
		t.Errorf("the first body: %d %s", r.StatusCode, body)
	}
	b.until(func(used int64) bool { return used == 0 })
	if r, body = b.answer(b.begin(posting("/note", length), row+rest)); r.StatusCode != 201 {
		t.Errorf("the next body: %d %s", r.StatusCode, body)
	}

	// The converted form of a body counts as well.
	csv := "body\n" + strings.Repeat("a\n", 100_000)
	if r, body = b.answer(b.begin(posting("/note", len(csv), "Content-Type: text/csv\r\n"), csv)); r.StatusCode != 503 {
		t.Errorf("CSV: %d %s", r.StatusCode, body)
	}
	b.until(func(used int64) bool { return used == 0 })
	if n := b.count("api.note"); n != 3 {
		t.Errorf("%d rows", n)
	}
}
