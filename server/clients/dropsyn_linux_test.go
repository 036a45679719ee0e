package clients

import (
	"net"
	"os"
	"testing"
	"time"
)

// TestDropSYN: clients that connect get no answer until another process listens.
// Clients that are connected are not disturbed.
func TestDropSYN(t *testing.T) {
	first, err := ListenTCP("127.0.0.1", 0, true)
	if err != nil {
		t.Fatal(err)
	}
	defer first.Close()
	before, err := net.Dial("tcp", first.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer before.Close()
	if !dropSYN(first) {
		if os.Getuid() != 0 {
			t.Skip("this kernel takes filters from root only")
		}
		t.Fatal("cannot refuse")
	}
	if c, err := net.DialTimeout("tcp", first.Addr().String(), 200*time.Millisecond); err == nil {
		c.Close()
		t.Error("a new connection was not refused")
	}
	taken, err := first.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	for _, ends := range [][2]net.Conn{{before, taken}, {taken, before}} {
		b := []byte{1}
		if _, err := ends[0].Write(b); err != nil {
			t.Error(err)
		}
		_ = ends[1].SetReadDeadline(time.Now().Add(20 * time.Second))
		if _, err := ends[1].Read(b); err != nil {
			t.Error(err)
		}
	}
}
