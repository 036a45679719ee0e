//go:build unix

package socket_test

import (
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/fastgrest/fastgrest/pgwire/socket"
)

// pair returns both ends of a connection.
func pair(t *testing.T, network string) (ours, peer net.Conn) {
	t.Helper()
	addr := "127.0.0.1:0"
	if network == "unix" {
		addr = filepath.Join(t.TempDir(), "s")
	}
	l, err := net.Listen(network, addr)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if ours, err = net.Dial(network, l.Addr().String()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = ours.Close() })
	if peer, err = l.Accept(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = peer.Close() })
	return ours, peer
}

func eachNetwork(t *testing.T, test func(t *testing.T, s *socket.Socket, ours, peer net.Conn)) {
	for _, network := range []string{"tcp", "unix"} {
		t.Run(network, func(t *testing.T) {
			ours, peer := pair(t, network)
			test(t, socket.New(ours), ours, peer)
		})
	}
}

// TestBytes: everything arrives, in order, also if the socket takes only a part at once.
func TestBytes(t *testing.T) {
	eachNetwork(t, func(t *testing.T, s *socket.Socket, _, peer net.Conn) {
		large := bytes.Repeat([]byte("0123456789"), 1<<17)
		for _, parts := range [][2][]byte{{[]byte("a"), nil}, {nil, []byte("b")}, {}, {[]byte("head"), large}, {large, []byte("tail")}, {large, nil}} {
			want := append(bytes.Clone(parts[0]), parts[1]...)
			got := make(chan []byte, 1)
			go func() {
				b := make([]byte, len(want))
				_, _ = io.ReadFull(peer, b)
				got <- b
			}()
			n, err := s.WriteBoth(parts[0], parts[1])
			if err != nil || n != len(want) {
				t.Fatalf("wrote %d of %d: %v", n, len(want), err)
			}
			if !bytes.Equal(<-got, want) {
				t.Fatalf("other bytes of %d", len(want))
			}
			go func() { _, _ = peer.Write(want) }()
			back := make([]byte, len(want))
			if _, err := io.ReadFull(s, back); err != nil || !bytes.Equal(back, want) {
				t.Fatalf("read other bytes of %d: %v", len(want), err)
			}
		}
	})
}

// TestNow: the attempts that do not wait report what was done.
func TestNow(t *testing.T) {
	eachNetwork(t, func(t *testing.T, s *socket.Socket, _, peer net.Conn) {
		b := make([]byte, 1<<20)
		if n, err := s.ReadNow(b); n != 0 || err != nil {
			t.Errorf("nothing has arrived: %d, %v", n, err)
		}
		for sent := 0; ; {
			n, err := s.WriteNow(b)
			if err != nil {
				t.Fatal(err)
			}
			if sent += n; n == 0 {
				break // the socket is full
			}
			if sent > 1<<30 {
				t.Fatal("the socket is never full")
			}
		}
		_ = peer.Close()
	})
}

// TestErrors: the errors are those of package net.
func TestErrors(t *testing.T) {
	b := make([]byte, 8)
	check := func(t *testing.T, what string, ours, net error, is error) {
		t.Helper()
		if !errors.Is(ours, is) || strings.ReplaceAll(ours.Error(), "readv", "read") != net.Error() {
			t.Errorf("%s: %v, package net: %v", what, ours, net)
		}
	}
	eachNetwork(t, func(t *testing.T, s *socket.Socket, ours, peer net.Conn) {
		_ = ours.SetDeadline(time.Unix(1, 0))
		_, err := s.Read(b)
		_, other := ours.Read(b)
		check(t, "deadline of a read", err, other, os.ErrDeadlineExceeded)
		_, err = s.Write(b)
		_, other = ours.Write(b)
		check(t, "deadline of a write", err, other, os.ErrDeadlineExceeded)
		_ = ours.SetDeadline(time.Time{})
		_ = peer.Close()
		_, err = s.Read(b)
		if err != io.EOF {
			t.Errorf("the peer has closed: %v", err)
		}
		if _, err = s.ReadNow(b); err != io.EOF {
			t.Errorf("the peer has closed: %v", err)
		}
		for err = nil; err == nil; { // the peer's refusal takes a moment
			_, err = s.Write(b)
		}
		for other = nil; other == nil || errors.Is(other, syscall.ECONNRESET); {
			_, other = ours.Write(b)
		}
		if !errors.Is(err, syscall.ECONNRESET) {
			check(t, "write to a closed peer", err, other, syscall.EPIPE)
		}
		_ = ours.Close()
		_, err = s.Read(b)
		_, other = ours.Read(b)
		check(t, "read of a closed socket", err, other, net.ErrClosed)
		_, err = s.Write(b)
		_, other = ours.Write(b)
		check(t, "write to a closed socket", err, other, net.ErrClosed)
	})
}

// TestWaits: a Read waits for bytes, and ends when the connection is closed.
func TestWaits(t *testing.T) {
	eachNetwork(t, func(t *testing.T, s *socket.Socket, ours, peer net.Conn) {
		type result struct {
			n   int
			err error
		}
		results := make(chan result)
		read := func() {
			n, err := s.Read(make([]byte, 8))
			results <- result{n, err}
		}
		go read()
		_, _ = peer.Write([]byte("abc"))
		if r := <-results; r.n != 3 || r.err != nil {
			t.Errorf("%d, %v", r.n, r.err)
		}
		go read()
		_ = ours.Close()
		if r := <-results; !errors.Is(r.err, net.ErrClosed) {
			t.Errorf("%d, %v", r.n, r.err)
		}
	})
}

func TestNotASocket(t *testing.T) {
	a, b := net.Pipe()
	defer a.Close()
	defer b.Close()
	if socket.New(a) != nil {
		t.Error("a pipe is no socket")
	}
}

func TestAllocs(t *testing.T) {
	eachNetwork(t, func(t *testing.T, s *socket.Socket, _, peer net.Conn) {
		out, more, in := []byte("abc"), []byte("def"), make([]byte, 6)
		other := socket.New(peer)
		allocs := testing.AllocsPerRun(100, func() {
			_, _ = s.WriteBoth(out, more)
			_, _ = io.ReadFull(other, in)
			_, _ = s.WriteNow(out)
			_, _ = other.Read(in)
			_, _ = other.ReadNow(in)
		})
		if allocs > 0 {
			t.Errorf("%v allocations", allocs)
		}
	})
}
