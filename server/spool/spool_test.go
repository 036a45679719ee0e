package spool_test

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/fastgrest/fastgrest/server/spool"
)

// text returns n bytes of ascending numbers, so that a lost or repeated part shows.
func text(n int) []byte {
	b := make([]byte, 0, n+16)
	for i := 0; len(b) < n; i++ {
		b = fmt.Appendf(b, "%d,", i)
	}
	return b[:n]
}

func newStore(t *testing.T, l spool.Limits) *spool.Store {
	t.Helper()
	dir := t.TempDir()
	s, err := spool.NewStore(dir, l)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if got := s.Stats(); got != (spool.Stats{}) {
			t.Errorf("not released: %+v", got)
		}
		if left, _ := os.ReadDir(dir); len(left) > 0 {
			t.Errorf("files left: %v", left)
		}
	})
	return s
}

func fill(t *testing.T, b *spool.Body, p []byte, each int) {
	t.Helper()
	for at := 0; at < len(p); at += each {
		part := p[at:min(at+each, len(p))]
		if n, err := b.Write(part); n != len(part) || err != nil {
			t.Fatalf("%d bytes at %d: %d, %v", len(part), at, n, err)
		}
	}
}

// TestBody checks that a body is read as it was written, for all places it may
// be in and all ways to read it.
func TestBody(t *testing.T) {
	const body = 4 * spool.Piece
	s := newStore(t, spool.Limits{Body: body, Files: 64 << 20})
	for _, size := range []int{0, 1, spool.Piece - 16, spool.Piece - 15, spool.Piece, body, body + 1, 3*body + 777, 5 << 20} {
		for _, each := range []int{1000, spool.Piece, spool.Piece + 5000, 1 << 20} {
			for name, send := range ways {
				t.Run(fmt.Sprintf("%d by %d to %s", size, each, name), func(t *testing.T) {
					want := text(size)
					b := s.NewBody(false)
					defer b.Close()
					fill(t, b, want, each)
					b.WriteTail([]byte("]"))
					if b.Size() != int64(size)+1 {
						t.Fatalf("size %d", b.Size())
					}
					if files := s.Stats().Files; (files > 0) != (size > body) {
						t.Errorf("%d bytes in files", files)
					}
					if memory := s.Stats().Memory; memory > body+2*spool.Piece {
						t.Errorf("%d bytes in memory", memory)
					}
					if got := send(t, b); !bytes.Equal(got, append(want, ']')) {
						t.Errorf("%d other bytes", len(got))
					}
				})
			}
		}
	}
}

// ways are the ways to read a body.
var ways = map[string]func(t *testing.T, b *spool.Body) []byte{
	"a reader": func(t *testing.T, b *spool.Body) []byte {
		got, err := io.ReadAll(struct{ io.Reader }{b})
		if err != nil {
			t.Fatal(err)
		}
		return got
	},
	"a buffer": func(t *testing.T, b *spool.Body) []byte {
		var out bytes.Buffer
		if n, err := b.WriteTo(&out); n != b.Size() || err != nil {
			t.Fatal(n, err)
		}
		return out.Bytes()
	},
	"TCP":           func(t *testing.T, b *spool.Body) []byte { return overSocket(t, b, "tcp", "127.0.0.1:0") },
	"a unix socket": func(t *testing.T, b *spool.Body) []byte { return overSocket(t, b, "unix", shortDir(t)+"/s") },
}

// TestRoom checks that parts built with Room come out like written parts,
// whether they fit into the room or outgrow it, and wherever the rest of the
// body is.
func TestRoom(t *testing.T) {
	const limit = 4 * spool.Piece
	for _, files := range []int64{64 << 20, 0} {
		s := newStore(t, spool.Limits{Body: limit, Files: files})
		for _, size := range []int{100, spool.Piece, limit - 1, limit + 1, 2 << 20} {
			for _, part := range []int{1, 300, 5000, 20000, spool.Piece + 1} {
				if part == 1 && size > spool.Piece {
					continue
				}
				for name, send := range ways {
					t.Run(fmt.Sprintf("%d by %d to %s, %d in files", size, part, name, files), func(t *testing.T) {
						want := text(size)
						b := s.NewBody(false)
						defer b.Close()
						rooms := 0
						for left, i := want, 0; len(left) > 0; i++ {
							n := min(part*(1+i%3), len(left))
							room := b.Room(part)
							switch {
							case room == nil:
								fill(t, b, left[:n], n)
							case len(room) != 0 || cap(room) < part:
								t.Fatalf("room of %d bytes for %d", cap(room), part)
							default:
								if err := b.Fill(append(room, left[:n]...)); err != nil {
									t.Fatal(err)
								}
								rooms++
							}
							left = left[n:]
						}
						if (rooms > 0) != (part <= 5000) {
							t.Errorf("%d rooms", rooms)
						}
						b.WriteTail([]byte("]"))
						if b.Size() != int64(size)+1 {
							t.Fatalf("size %d", b.Size())
						}
						if got := s.Stats(); got.Files == 0 && files > 0 && (size > limit || got.Memory > limit+2*spool.Piece) {
							t.Errorf("%d bytes are %+v", size, got)
						}
						if got := send(t, b); !bytes.Equal(got, append(want, ']')) {
							t.Errorf("%d other bytes", len(got))
						}
					})
				}
			}
		}
	}
}

func shortDir(t *testing.T) string {
	dir, err := os.MkdirTemp("", "spool")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

func sockets(t *testing.T, network, address string) (server, client net.Conn) {
	t.Helper()
	l, err := net.Listen(network, address)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if client, err = net.Dial(network, l.Addr().String()); err != nil {
		t.Fatal(err)
	}
	if server, err = l.Accept(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Close(); client.Close() })
	return server, client
}

func overSocket(t *testing.T, b *spool.Body, network, address string) []byte {
	server, client := sockets(t, network, address)
	sent := make(chan error, 1)
	go func() {
		w := bufio.NewWriter(server)
		w.WriteString("head")
		b.For(spool.Client{Conn: server, Patience: time.Minute})
		n, err := b.WriteTo(w)
		if err == nil && n != b.Size() {
			err = fmt.Errorf("%d of %d bytes", n, b.Size())
		}
		if err == nil {
			err = w.Flush()
		}
		server.Close()
		sent <- err
	}()
	got, err := io.ReadAll(client)
	if err != nil {
		t.Fatal(err)
	}
	if err := <-sent; err != nil {
		t.Fatal(err)
	}
	got, ok := bytes.CutPrefix(got, []byte("head"))
	if !ok {
		t.Fatal("the head of the response is not the first part sent")
	}
	return got
}

// TestMemoryShared checks that bodies go to files while other bodies fill the
// memory.
func TestMemoryShared(t *testing.T) {
	const each = 4 * spool.Piece
	s := newStore(t, spool.Limits{Body: each, Files: 64 << 20})
	want := text(each)
	var bodies []*spool.Body
	for range 100 {
		b := s.NewBody(false)
		defer b.Close()
		fill(t, b, want, 10000)
		bodies = append(bodies, b)
	}
	if got := s.Stats(); got.Memory > 9*each || got.Memory < 4*each || got.Files == 0 {
		t.Errorf("%+v", got)
	}
	for i, b := range bodies {
		got, err := io.ReadAll(b)
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("body %d: %d bytes, %v", i, len(got), err)
		}
	}
}

// TestFull checks the error above the limit of the files, and that there is
// room again after a body was closed. A body that must be kept gets no error.
func TestFull(t *testing.T) {
	const files = 1 << 20
	s := newStore(t, spool.Limits{Body: spool.Piece, Files: files})
	first := s.NewBody(false)
	fill(t, first, text(files*3/4), 100000)
	refused := s.NewBody(false)
	part := text(100 << 10)
	var err error
	for range 10 {
		if _, err = refused.Write(part); err != nil {
			break
		}
	}
	if !errors.Is(err, spool.ErrFull) {
		t.Fatalf("%v", err)
	}
	kept, want := s.NewBody(true), text(2*files)
	fill(t, kept, want, 30000)
	if got, err := io.ReadAll(kept); err != nil || !bytes.Equal(got, want) {
		t.Errorf("kept: %d bytes, %v", len(got), err)
	}
	for _, b := range []*spool.Body{first, refused, kept, kept} {
		b.Close()
	}
	again := s.NewBody(false)
	fill(t, again, text(files*3/4), 100000)
	again.Close()

	s.SetLimits(spool.Limits{Body: spool.Piece})
	inMemory := s.NewBody(false)
	fill(t, inMemory, want, 30000)
	if got := s.Stats(); got.Files != 0 || got.Memory < 2*files {
		t.Errorf("without files: %+v", got)
	}
	inMemory.Close()
}

// TestNoDirectory checks a store without a usable directory: it reports an
// error and keeps bodies in memory.
func TestNoDirectory(t *testing.T) {
	s, err := spool.NewStore(filepath.Join(t.TempDir(), "missing"), spool.Limits{Body: spool.Piece, Files: 1 << 20})
	if err == nil {
		t.Fatal("no error")
	}
	b, want := s.NewBody(false), text(3<<20)
	defer b.Close()
	fill(t, b, want, 30000)
	if got, err := io.ReadAll(b); err != nil || !bytes.Equal(got, want) {
		t.Errorf("%d bytes, %v", len(got), err)
	}
}

// TestDirectoryLost removes the directory while the store is in use.
func TestDirectoryLost(t *testing.T) {
	dir := t.TempDir() + "/spool"
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	s, err := spool.NewStore(dir, spool.Limits{Body: spool.Piece, Files: 1 << 20})
	if err != nil {
		t.Fatal(err)
	}
	os.RemoveAll(dir)
	want := text(3 * spool.Piece)
	b := s.NewBody(false)
	if _, err := b.Write(want); !errors.Is(err, spool.ErrFull) {
		t.Errorf("%v", err)
	}
	b.Close()
	kept := s.NewBody(true)
	fill(t, kept, want, 30000)
	if got, err := io.ReadAll(kept); err != nil || !bytes.Equal(got, want) {
		t.Errorf("kept: %d bytes, %v", len(got), err)
	}
	kept.Close()
	if got := s.Stats(); got != (spool.Stats{}) {
		t.Errorf("%+v", got)
	}
}

// TestPatience checks that sending fails when the client does not read, once
// the socket buffers are full.
func TestPatience(t *testing.T) {
	s := newStore(t, spool.Limits{Body: spool.Piece, Files: 64 << 20})
	for _, network := range [][2]string{{"tcp", "127.0.0.1:0"}, {"unix", shortDir(t) + "/s"}} {
		for _, size := range []int{spool.Piece - 100, 20 << 20} {
			server, _ := sockets(t, network[0], network[1])
			b := s.NewBody(false)
			fill(t, b, text(size), spool.Piece)
			fits, patience := size < spool.Piece, 300*time.Millisecond
			if fits {
				patience = time.Minute
			}
			b.For(spool.Client{Conn: server, Patience: patience})
			_, err := b.WriteTo(bufio.NewWriter(server))
			if fits != (err == nil) || !fits && !errors.Is(err, os.ErrDeadlineExceeded) {
				t.Errorf("%s, %d bytes: %v", network[0], size, err)
			}
			b.Close()
			os.Remove(network[1])
		}
	}
}
