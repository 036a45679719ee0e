//go:build !race

package server

import (
	"net"
	"testing"
)

// TestServedAllocatesNothing: a quick request over a socket costs no allocation,
// from reading the request to writing the response, although its client is
// watched while it runs.
func TestServedAllocatesNothing(t *testing.T) {
	s := startTest(t, allocSchema)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	serveAPI(t, s.apiServer(s.config(), l))
	client, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	raw, back := rawRequest("GET", "/item?id=eq.7", "", nil), make([]byte, 4096)
	exchange := func() {
		if _, err := client.Write(raw); err != nil {
			t.Fatal(err)
		}
		if n, err := client.Read(back); err != nil || string(back[:15]) != "HTTP/1.1 200 OK" {
			t.Fatalf("%s, %v", back[:n], err)
		}
	}
	for range 50 {
		exchange()
	}
	if n := testing.AllocsPerRun(1000, exchange); n > 0 {
		t.Errorf("%v allocations per request", n)
	}
}
