package server

import (
	"net"
	"net/netip"
	"testing"
)

// TestBrowserAddress: the log names an address that browsers open.
func TestBrowserAddress(t *testing.T) {
	for address, want := range map[string]string{
		"0.0.0.0:3001": "127.0.0.1:3001", "[::]:3001": "[::1]:3001", "127.0.0.2:3001": "127.0.0.2:3001", "[::1]:3001": "[::1]:3001",
	} {
		a := net.TCPAddrFromAddrPort(netip.MustParseAddrPort(address))
		if got := browserAddress(a); got != want {
			t.Errorf("%s: %s, want %s", address, got, want)
		}
	}
}
