package pgwire_test

import (
	"context"
	"net"
	"sync/atomic"
	"testing"
	"time"

	"github.com/fastgrest/fastgrest/pgwire"
	"github.com/fastgrest/fastgrest/pgwire/pgtest"
)

// TestConnectSlowWrite: during a slow write, as on a busy machine, pgconn begins to read in
// the background. That read must not take the first response of the connection.
func TestConnectSlowWrite(t *testing.T) {
	cluster := pgtest.Start(t)
	cfg := mustParse(t, cluster.URI("postgres", pgtest.Superuser))
	var background atomic.Bool
	dial := cfg.DialFunc
	cfg.DialFunc = func(ctx context.Context, network, addr string) (net.Conn, error) {
		conn, err := dial(ctx, network, addr)
		if err != nil {
			return nil, err
		}
		return &slowWriter{Conn: conn, reads: make(chan struct{}, 100), background: &background}, nil
	}
	ctx, cancel := context.WithTimeout(bg, 30*time.Second)
	defer cancel()
	c, err := pgwire.Connect(ctx, cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if !background.Load() {
		t.Fatal("pgconn has not read in the background, so this tests nothing")
	}
	var pid string
	err = c.Query(ctx, "select pg_backend_pid()::text", nil, func(columns [][]byte) error { pid = string(columns[0]); return nil })
	if err != nil || pid == "" {
		t.Errorf("the first query: %q, %v", pid, err)
	}
}

// slowWriter returns from the first write when the whole response has been read and the
// next read has begun.
type slowWriter struct {
	net.Conn
	written    bool
	reads      chan struct{}
	background *atomic.Bool
}

func (w *slowWriter) Write(b []byte) (int, error) {
	n, err := w.Conn.Write(b)
	if w.written {
		return n, err
	}
	w.written = true
	for range 2 {
		select {
		case <-w.reads:
		case <-time.After(10 * time.Second):
			return n, err
		}
	}
	w.background.Store(true)
	return n, err
}

func (w *slowWriter) Read(b []byte) (int, error) {
	select {
	case w.reads <- struct{}{}:
	default:
	}
	return w.Conn.Read(b)
}
