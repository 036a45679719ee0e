package server

import (
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
)

// TestBareLineFeedInRequestLine: wherever in a connection's bytes the request
// line is, and in whatever pieces they arrive, a bare line feed ends it in
// nothing but 400, and one in a body ends nothing.
func TestBareLineFeedInRequestLine(t *testing.T) {
	w := startWire(t, nil)
	const (
		get     = "GET /nowhere HTTP/1.1\r\nHost: a\r\n\r\n"
		bare    = "GET /nowhere HTTP/1.1\nHost: a\r\n\r\n"
		post    = "POST /note HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
		body    = "{\"body\":\n\"a\"}\n\n\n" // of 16 bytes
		chunked = post + "Transfer-Encoding: chunked\r\n\r\n8\r\n{\"body\":\r\n8\r\n\n\"a\"}\n\n\n\r\n0\r\n\r\n"
	)
	known := post + fmt.Sprintf("Content-Length: %d\r\n\r\n%s", len(body), body)
	long := strings.Repeat(" \n", 20000)
	bulk := post + fmt.Sprintf("Content-Length: %d\r\n\r\n%s", len(body)+len(long), body+long)
	for _, test := range []struct{ raw, want string }{
		{bare, "400"},
		{bare + get, "400"},
		{get + bare + get, "404 400"},
		{get + get + get + bare, "404 404 404 400"},
		{"\r\n" + get, "404"},
		{"\r\n\r\n" + get + "\r\n" + get, "404 404"},
		{"\n" + get, "400"},
		{"\r\n\n" + get, "400"},
		{get + "\n" + get, "404 400"},
		{known + get, "201 404"},
		{known + known + get, "201 201 404"},
		{known + bare, "201 400"},
		{known + get + bare + get, "201 404 400"},
		{chunked + get, "201 404"},
		{chunked + bare, "201 400"},
		{chunked + chunked + get + bare, "201 201 404 400"},
		{bulk + get + bulk + get, "201 404 201 404"},
		{bulk + bare, "201 400"},
		{get + bulk + bulk + get + bare, "404 201 201 404 400"},
		{strings.Replace(known, "\r\n", "\n", 1) + get, "400"},
		{strings.Replace(bulk, "\r\n", "\n", 1) + get, "400"},
		{strings.Replace(chunked, "\r\n", "\n", 1) + get, "400"},
		{strings.Replace(known, "Content-Type", "Expect: 100-continue\r\nContent-Type", 1) + bare, "100 201 400"},
	} {
		for _, pieces := range []int{1 << 20, 40, 7, 1} {
			if len(test.raw)/pieces > 2000 {
				continue
			}
			got := statuses(w.sayIn(test.raw, pieces))
			raw := test.raw
			if len(raw) > 300 {
				raw = raw[:150] + " ... " + raw[len(raw)-150:]
			}
			if got != test.want {
				t.Errorf("%q in pieces of %d: %s, want %s", raw, pieces, got, test.want)
			}
		}
	}
}

// sayIn is say in pieces of n bytes, each in a packet of its own if the system
// does as it is told.
func (w *wire) sayIn(raw string, n int) string {
	w.tb.Helper()
	c := w.dial()
	defer c.Close()
	go func() {
		for len(raw) > 0 {
			if _, err := io.WriteString(c, raw[:min(n, len(raw))]); err != nil {
				break
			}
			raw = raw[min(n, len(raw)):]
		}
		_ = c.(*net.UnixConn).CloseWrite()
	}()
	all, _ := io.ReadAll(c)
	return string(all)
}
