package clients

import (
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// TestHosts: which of the loopback addresses a host word lets clients use.
func TestHosts(t *testing.T) {
	if l, err := net.Listen("tcp", "[::1]:0"); err != nil {
		t.Skipf("there is no IPv6 here: %v", err)
	} else {
		l.Close()
	}
	for _, test := range []struct {
		host   string
		v4, v6 bool
	}{
		{"*", true, true}, {"*4", true, true}, {"*6", true, true}, {"!4", true, false}, {"!6", true, true},
		{"127.0.0.1", true, false}, {"::1", false, true}, {"0.0.0.0", true, false},
	} {
		l, err := ListenTCP(test.host, 0, false)
		if err != nil {
			t.Errorf("%s: %v", test.host, err)
			continue
		}
		port := l.Addr().(*net.TCPAddr).Port
		for host, want := range map[string]bool{"127.0.0.1": test.v4, "::1": test.v6} {
			c, err := net.Dial("tcp", net.JoinHostPort(host, fmt.Sprint(port)))
			if err == nil {
				c.Close()
			}
			if (err == nil) != want {
				t.Errorf("%s: connecting to %s: %v", test.host, host, err)
			}
		}
		l.Close()
	}
}

func TestReusePort(t *testing.T) {
	first, err := ListenTCP("127.0.0.1", 0, true)
	if err != nil {
		t.Fatal(err)
	}
	defer first.Close()
	port := first.Addr().(*net.TCPAddr).Port
	second, err := ListenTCP("127.0.0.1", port, true)
	if err != nil {
		t.Fatalf("beside another that allows it: %v", err)
	}
	second.Close()
	if l, err := ListenTCP("127.0.0.1", port, false); err == nil || !strings.Contains(err.Error(), "is taken by another program") {
		t.Errorf("without: %v %v", l, err)
	}
}

// TestUnixSocket: the file has its mode, replaces a socket but nothing else,
// and goes with the listener it belongs to.
func TestUnixSocket(t *testing.T) {
	dir, err := os.MkdirTemp("", "listen") // t.TempDir is too long for a socket
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "s")
	reaches := func(want net.Listener) bool {
		t.Helper()
		c, err := net.Dial("unix", path)
		if err != nil {
			t.Error(err)
			return false
		}
		defer c.Close()
		got, err := want.Accept()
		if err != nil {
			t.Error(err)
			return false
		}
		return got.Close() == nil
	}

	stale, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	stale.SetUnlinkOnClose(false)
	stale.Close()
	for _, mode := range []uint32{0o600, 0o660, 0o777} {
		l, err := ListenUnix(path, mode)
		if err != nil {
			t.Fatal(err)
		}
		info, err := os.Lstat(path)
		if err != nil || info.Mode() != fs.ModeSocket|fs.FileMode(mode) {
			t.Errorf("mode %v, want %o, %v", info.Mode(), mode, err)
		}
		if l.Addr().String() != path {
			t.Errorf("address %s", l.Addr())
		}
		reaches(l)
		l.Close()
		if _, err := os.Lstat(path); err == nil {
			t.Error("the file is left")
		}
	}

	first, err := ListenUnix(path, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	second, err := ListenUnix(path, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	reaches(second)
	first.Close()
	reaches(second) // the file is not the first one's any more
	second.Close()

	if err := os.WriteFile(path, []byte("precious"), 0o600); err != nil {
		t.Fatal(err)
	}
	if l, err := ListenUnix(path, 0o600); err == nil || !strings.Contains(err.Error(), "is in the way") {
		t.Errorf("took the place of a file: %v %v", l, err)
	}
	if b, err := os.ReadFile(path); string(b) != "precious" {
		t.Errorf("%s, %v", b, err)
	}

	// As long as a name can be: no room for a temporary one.
	const longest = len(syscall.RawSockaddrUnix{}.Path) - 1
	path = filepath.Join(dir, strings.Repeat("x", longest-len(dir)-1))
	for range 2 {
		l, err := ListenUnix(path, 0o600)
		if err != nil {
			t.Fatal(err)
		}
		reaches(l)
		if info, err := os.Lstat(path); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("long name: %v %v", info, err)
		}
		l.Close()
	}
	if left, _ := os.ReadDir(dir); len(left) != 1 {
		t.Errorf("left: %v", left)
	}
}
