//go:build !race

package server

import (
	"bufio"
	"net"
	"testing"

	"github.com/valyala/fasthttp"
)

// TestWatchAllocatesNothing: that its client is watched costs a quick request
// no allocation, from the reading of the request to the writing of the answer.
func TestWatchAllocatesNothing(t *testing.T) {
	s := startTest(t, allocSchema)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	client, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	conn, err := newClientListener(l, 4096).Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	raw := rawRequest("GET", "/item?id=eq.7", "", nil)
	ctx := &fasthttp.RequestCtx{}
	ctx.Init2(conn, nil, false)
	in, out := bufio.NewReaderSize(conn, 4096), bufio.NewWriter(conn)
	back := make([]byte, 4096)
	exchange := func(handle func()) {
		if _, err := client.Write(raw); err != nil {
			t.Fatal(err)
		}
		ctx.Response.Reset()
		if err := ctx.Request.Read(in); err != nil {
			t.Fatal(err)
		}
		handle()
		if err := ctx.Response.Write(out); err != nil {
			t.Fatal(err)
		}
		if err := out.Flush(); err != nil {
			t.Fatal(err)
		}
		if _, err := client.Read(back); err != nil {
			t.Fatal(err)
		}
	}
	watched := func() { exchange(func() { s.handle(ctx) }) }
	for range 20 {
		watched()
	}
	if status := ctx.Response.StatusCode(); status != 200 {
		t.Fatalf("status %d: %s", status, ctx.Response.Body())
	}
	if c := conn.(*clientConn); c.number < 20 {
		t.Fatal("was not watched")
	}
	theirs := testing.AllocsPerRun(200, func() { exchange(func() {}) })
	if n := testing.AllocsPerRun(200, watched) - theirs; n > 0 {
		t.Errorf("%v allocations per request (fasthttp itself %v)", n, theirs)
	}
}
