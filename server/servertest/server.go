package servertest

import (
	"context"
	"maps"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/fastgrest/fastgrest/pgwire/pgtest"
	"github.com/fastgrest/fastgrest/server"
	"github.com/fastgrest/fastgrest/server/config"
	"github.com/fastgrest/fastgrest/server/keysets"
)

const (
	// Secret signs the tokens that the server accepts.
	Secret = "a secret of at least thirty-two characters"
	// Version is what the server says it is.
	Version = "1.2.3"
	// Patience is how long a test waits for something that has to happen.
	Patience = 2 * time.Minute
)

// Server is a running server.
type Server struct {
	API, Admin *http.Client // over unix sockets; the host of the URL does not matter
	Socket     string       // of the API
	Out, Log   pgtest.Transcript

	tb    testing.TB
	stop  context.CancelCauseFunc
	ready chan struct{} // closed when the server accepts requests
	ended chan error    // receives what Run returns, once
}

// Launch starts a server over the schema api, with the anonymous role pgtest.Anon. Of flags, one
// without a name is the configuration file, and one without a value removes a default.
func Launch(tb testing.TB, flags map[string]string) *Server {
	tb.Helper()
	return launch(tb, flags, keysets.Options{})
}

func launch(tb testing.TB, flags map[string]string, keySets keysets.Options) *Server {
	tb.Helper()
	dir := SocketDir(tb)
	api, admin := filepath.Join(dir, "api"), filepath.Join(dir, "admin")
	all := map[string]string{
		"db-schemas": "api", "db-anon-role": pgtest.Anon, "jwt-secret": Secret, "db-pool-acquisition-timeout": "60",
		"server-unix-socket": api, "admin-server-unix-socket": admin, "log-level": "error",
	}
	maps.Copy(all, flags)
	file := all[""]
	maps.DeleteFunc(all, func(k, v string) bool { return k == "" || v == "" })
	s := &Server{API: Client(api), Admin: Client(admin), Socket: api, tb: tb, ready: make(chan struct{}), ended: make(chan error, 1)}
	var ctx context.Context
	ctx, s.stop = context.WithCancelCause(context.Background())
	go func() {
		s.ended <- server.Run(ctx, server.Options{
			Source: config.LoadOptions{File: file, Flags: all}, Version: Version, Stdout: &s.Out, Stderr: &s.Log, Ready: func() { close(s.ready) }, KeySets: keySets,
		})
	}()
	tb.Cleanup(func() {
		s.API.CloseIdleConnections()
		s.Admin.CloseIdleConnections()
		s.Stop(nil)
		if tb.Failed() {
			tb.Logf("the server's log:\n%s", s.Log.String())
		}
	})
	return s
}

// Start starts a server and waits until it accepts requests.
func Start(tb testing.TB, flags map[string]string) *Server {
	tb.Helper()
	return StartFetching(tb, flags, keysets.Options{})
}

// StartFetching is Start for a server that fetches key sets in a certain way.
func StartFetching(tb testing.TB, flags map[string]string, keySets keysets.Options) *Server {
	tb.Helper()
	s := launch(tb, flags, keySets)
	select {
	case <-s.ready:
	case err := <-s.ended:
		s.ended <- err
		tb.Fatalf("the server did not start: %v\n%s", err, s.Log.String())
	case <-time.After(Patience):
		tb.Fatalf("the server does not accept requests\n%s", s.Log.String())
	}
	return s
}

// Stop ends the server for a reason, which may be nil, and waits until it has ended.
func (s *Server) Stop(why error) {
	s.tb.Helper()
	s.stop(why)
	select {
	case err := <-s.ended:
		s.ended <- err
	case <-time.After(Patience):
		s.tb.Error("the server does not end")
	}
}

// Result waits until the server has ended by itself, and returns the result of Run.
func (s *Server) Result() error {
	s.tb.Helper()
	select {
	case err := <-s.ended:
		s.ended <- err
		return err
	case <-time.After(Patience):
		s.tb.Fatalf("the server does not end\n%s", s.Log.String())
		return nil
	}
}

// Running reports whether the server has not ended.
func (s *Server) Running() bool {
	select {
	case err := <-s.ended:
		s.ended <- err
		return false
	default:
		return true
	}
}

// SocketDir is a folder whose name is short enough for a socket, which that of t.TempDir is not.
func SocketDir(tb testing.TB) string {
	tb.Helper()
	dir, err := os.MkdirTemp("", "server")
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

// Client speaks HTTP to a socket. The caller closes its idle connections.
func Client(socket string) *http.Client {
	return &http.Client{Timeout: Patience, Transport: &http.Transport{
		MaxIdleConnsPerHost:   100,
		ExpectContinueTimeout: Patience,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			var d net.Dialer
			return d.DialContext(ctx, "unix", socket)
		},
	}}
}
