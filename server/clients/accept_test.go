package clients

import (
	"errors"
	"net"
	"os"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/valyala/fasthttp"
)

// failingListener has no descriptors left for a while.
type failingListener struct {
	net.Listener
	failures []error
	tried    atomic.Int32
}

func (l *failingListener) Accept() (net.Conn, error) {
	if n := int(l.tried.Add(1)); n <= len(l.failures) {
		return nil, &net.OpError{Op: "accept", Net: "tcp", Err: os.NewSyscallError("accept4", l.failures[n-1])}
	}
	return l.Listener.Accept()
}

// TestOutOfDescriptors: a server that cannot accept now goes on when it can.
func TestOutOfDescriptors(t *testing.T) {
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l := &failingListener{Listener: inner, failures: []error{syscall.EMFILE, syscall.ENFILE, syscall.ECONNABORTED, syscall.ENOBUFS, syscall.ENOMEM, syscall.EMFILE}}
	s := NewServer(l, Options{Handler: func(ctx *fasthttp.RequestCtx) { ctx.SetBodyString("here") }, ReadBufferSize: 4096})
	ended := make(chan error, 1)
	go func() { ended <- s.Serve() }()
	code, body, err := fasthttp.GetTimeout(nil, "http://"+inner.Addr().String(), time.Minute)
	if code != 200 || string(body) != "here" {
		t.Errorf("%d %q, %v", code, body, err)
	}
	if n := int(l.tried.Load()); n <= len(l.failures) {
		t.Errorf("only %d attempts", n)
	}
	inner.Close()
	if err := <-ended; err != nil {
		t.Errorf("a closed listener: %v", err)
	}
	broken := &failingListener{Listener: inner, failures: []error{syscall.EBADF}}
	if _, err := retryAccept(broken); !errors.Is(err, syscall.EBADF) {
		t.Errorf("a broken listener: %v", err)
	}
}
