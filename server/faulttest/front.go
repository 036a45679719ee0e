package faulttest

import (
	"net"
	"net/url"
	"os"
	"path/filepath"
	"testing"
)

// Front starts a proxy in front of a server that uri reaches by unix socket. It
// returns the proxy and the URI that leads through it. The proxy is closed when
// the test ends.
func Front(tb testing.TB, uri string) (*Proxy, string) {
	tb.Helper()
	parsed, err := url.Parse(uri)
	if err != nil {
		tb.Fatal(err)
	}
	query := parsed.Query()
	socket := func(dir string) string { return filepath.Join(dir, ".s.PGSQL."+query.Get("port")) }
	upstream := socket(query.Get("host"))
	// t.TempDir is too long for a socket, and a comma in the test's name would
	// make it a list of hosts.
	dir, err := os.MkdirTemp("", "front")
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { os.RemoveAll(dir) })
	listener, err := net.Listen("unix", socket(dir))
	if err != nil {
		tb.Fatal(err)
	}
	p := NewProxy(listener, func() (net.Conn, error) { return net.Dial("unix", upstream) })
	tb.Cleanup(p.Close)
	query.Set("host", dir)
	parsed.RawQuery = query.Encode()
	return p, parsed.String()
}
