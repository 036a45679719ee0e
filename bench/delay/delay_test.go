package delay

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

// start starts a proxy in front of a server that handles each connection with
// serve.
func start(t *testing.T, roundTrip time.Duration, serve func(net.Conn)) (dial func() net.Conn, stop func()) {
	t.Helper()
	dir := t.TempDir()
	target, err := net.Listen("unix", filepath.Join(dir, "target"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { target.Close() })
	go func() {
		for {
			conn, err := target.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				serve(conn)
			}()
		}
	}()
	listener, err := net.Listen("unix", filepath.Join(dir, "proxy"))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		ended <- Serve(ctx, listener, func(context.Context) (net.Conn, error) { return net.Dial("unix", target.Addr().String()) }, roundTrip)
	}()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("the proxy ended with %v", err)
		}
	})
	t.Cleanup(stop)
	return func() net.Conn {
		conn, err := net.Dial("unix", listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { conn.Close() })
		if err := conn.SetDeadline(time.Now().Add(time.Minute)); err != nil {
			t.Fatal(err)
		}
		return conn
	}, stop
}

func echo(conn net.Conn) { _, _ = io.Copy(conn, conn) }

// TestRoundTrip checks that no response arrives before the round trip time. The excess of the fastest response is
// logged only, because a busy machine may be slow.
func TestRoundTrip(t *testing.T) {
	for _, roundTrip := range []time.Duration{0, 500 * time.Microsecond, 3 * time.Millisecond} {
		dial, _ := start(t, roundTrip, echo)
		conn := dial()
		buf := make([]byte, 1)
		fastest := time.Hour
		for range 300 {
			began := time.Now()
			if _, err := conn.Write([]byte("x")); err != nil {
				t.Fatal(err)
			}
			if _, err := io.ReadFull(conn, buf); err != nil {
				t.Fatal(err)
			}
			fastest = min(fastest, time.Since(began))
		}
		if fastest < roundTrip {
			t.Errorf("round trip of %s: a response after %s", roundTrip, fastest)
		}
		t.Logf("round trip of %s: the fastest took %s", roundTrip, fastest)
	}
}

// TestOrderAndThroughput sends more bytes than can be under way, on several connections, in parts of different
// sizes, and compares the bytes that return.
func TestOrderAndThroughput(t *testing.T) {
	const size = 3 * parcels * parcelSize / 2
	dial, _ := start(t, 20*time.Millisecond, echo)
	var group sync.WaitGroup
	for seed := range 3 {
		conn := dial()
		sent := make([]byte, size)
		random := rand.New(rand.NewPCG(uint64(seed), 7))
		for i := range sent {
			sent[i] = byte(random.Uint32())
		}
		group.Go(func() {
			for rest := sent; len(rest) > 0; {
				n := min(len(rest), 1+random.IntN(3*parcelSize))
				if _, err := conn.Write(rest[:n]); err != nil {
					t.Error(err)
					return
				}
				rest = rest[n:]
			}
			if err := conn.(*net.UnixConn).CloseWrite(); err != nil {
				t.Error(err)
			}
		})
		group.Go(func() {
			got, err := io.ReadAll(conn) // ends when the end of the connection has passed both ways
			if err != nil || !bytes.Equal(got, sent) {
				t.Errorf("connection %d: %d bytes came back of %d, the same: %v, %v", seed, len(got), len(sent), bytes.Equal(got, sent), err)
			}
		})
	}
	group.Wait()
}

// TestOneWaits checks that a connection whose receiver does not read delays no
// other connection.
func TestOneWaits(t *testing.T) {
	dial, _ := start(t, time.Millisecond, echo)
	stuck := dial()
	filled := make(chan struct{})
	go func() {
		defer close(filled)
		chunk := make([]byte, parcelSize)
		for range 4 * parcels { // echoed to a client that does not read
			if _, err := stuck.Write(chunk); err != nil {
				return
			}
		}
	}()
	other := dial()
	buf := make([]byte, 1)
	for range 100 {
		if _, err := other.Write([]byte("x")); err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(other, buf); err != nil {
			t.Fatal(err)
		}
	}
	stuck.Close()
	<-filled
}

func TestEnds(t *testing.T) {
	t.Run("near", endsNear)
	t.Run("far", endsFar)
}

func endsNear(t *testing.T) {
	gone := make(chan struct{})
	dial, _ := start(t, time.Millisecond, func(conn net.Conn) {
		defer close(gone)
		echo(conn)
	})
	conn := dial()
	conn.Close()
	<-gone // the far end has seen it
}

func endsFar(t *testing.T) {
	dial, stop := start(t, time.Millisecond, func(conn net.Conn) { _, _ = conn.Write([]byte("bye")) })
	conn := dial()
	if got, err := io.ReadAll(conn); err != nil || string(got) != "bye" {
		t.Errorf("got %q, %v", got, err)
	}
	conn = dial()
	stop() // returns after all connections are closed
	if _, err := io.ReadAll(conn); errors.Is(err, os.ErrDeadlineExceeded) {
		t.Error("a connection outlived the proxy")
	}
}

func TestServeUnix(t *testing.T) {
	dir := t.TempDir()
	if err := ServeUnix(t.Context(), filepath.Join(dir, "no", "such"), "x", 0); err == nil {
		t.Error("listens in a folder that does not exist")
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	path := filepath.Join(dir, "proxy")
	go func() { ended <- ServeUnix(ctx, path, filepath.Join(dir, "nobody"), 0) }()
	var conn net.Conn
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(time.Millisecond) {
		var err error
		if conn, err = net.Dial("unix", path); err == nil {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal(err)
		}
	}
	defer conn.Close()
	if got, _ := io.ReadAll(conn); len(got) != 0 { // there is no server, so the connection ends
		t.Errorf("got %q", got)
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}
