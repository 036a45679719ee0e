package listen_test

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/fastgrest/fastgrest/pgwire"
	"github.com/fastgrest/fastgrest/pgwire/listen"
	"github.com/fastgrest/fastgrest/pgwire/pgtest"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

// heard has what a listener reports, in channels.
type heard struct {
	connected chan listen.Session
	notified  chan string
	failed    chan error
	pauses    chan time.Duration
	done      chan error
	stop      context.CancelCauseFunc
}

var errStop = errors.New("stop")

func start(t *testing.T, o listen.Options) *heard {
	h := &heard{make(chan listen.Session, 9), make(chan string, 9), make(chan error, 99), make(chan time.Duration, 99), make(chan error, 1), nil}
	o.Connected = func(s listen.Session) { h.connected <- s }
	o.Notified = func(p string) { h.notified <- p }
	o.Failed = func(err error, pause time.Duration) { h.failed <- err; h.pauses <- pause }
	var ctx context.Context
	ctx, h.stop = context.WithCancelCause(context.Background())
	go func() { h.done <- listen.Run(ctx, o) }()
	t.Cleanup(func() { h.stop(errStop) })
	return h
}

func receive[T any](t *testing.T, what string, c <-chan T) T {
	t.Helper()
	select {
	case v := <-c:
		return v
	case <-time.After(time.Minute):
		t.Fatalf("never: %s", what)
		panic("not reached")
	}
}

func config(t *testing.T, uri string) *pgwire.Config {
	t.Helper()
	cfg, err := pgwire.ParseConfig(uri)
	if err != nil {
		t.Fatal(err)
	}
	return cfg
}

func TestListen(t *testing.T) {
	c := pgtest.Start(t)
	for _, channel := range []string{"pgrst", `Odd "channel" é`} {
		h := start(t, listen.Options{Config: config(t, c.URI("postgres", pgtest.Superuser)), Channel: channel})
		s := receive(t, "connected", h.connected)
		if s.Again || !strings.HasPrefix(s.Version, "PostgreSQL ") || !strings.HasPrefix(s.Host, "/") || s.Port == "" {
			t.Errorf("%+v", s)
		}
		for _, payload := range []string{"", "reload schema", "é"} {
			c.Exec(t, "postgres", "select pg_notify($$"+channel+"$$, '"+payload+"')")
			if got := receive(t, "notified", h.notified); got != payload {
				t.Errorf("got %q, want %q", got, payload)
			}
		}
		h.stop(errStop)
		if err := receive(t, "done", h.done); err != errStop {
			t.Error(err)
		}
	}
}

func TestReconnect(t *testing.T) {
	c := pgtest.Start(t)
	h := start(t, listen.Options{Config: config(t, c.URI("postgres", pgtest.Superuser)+"&application_name=victim"), Channel: "pgrst", MinPause: 10 * time.Millisecond})
	receive(t, "connected", h.connected)
	c.Exec(t, "postgres", "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'victim'")
	var said *pgwire.Error
	if err := receive(t, "failed", h.failed); !errors.As(err, &said) || said.Code != "57P01" {
		t.Error(err)
	}
	if s := receive(t, "connected again", h.connected); !s.Again {
		t.Errorf("%+v", s)
	}
	c.Exec(t, "postgres", "notify pgrst, 'x'")
	if got := receive(t, "notified", h.notified); got != "x" {
		t.Errorf("got %q", got)
	}
}

func TestPauses(t *testing.T) {
	h := start(t, listen.Options{Config: config(t, "host=/nonexistent user=u"), Channel: "c", MinPause: time.Millisecond, MaxPause: 6 * time.Millisecond})
	for _, want := range []time.Duration{1, 2, 4, 6, 6} {
		if got := receive(t, "pause", h.pauses); got != want*time.Millisecond {
			t.Errorf("got %v, want %v ms", got, want)
		}
	}
	h.stop(errStop)
	if err := receive(t, "done", h.done); err != errStop {
		t.Error(err)
	}
	if err := receive(t, "failed", h.failed); !strings.HasPrefix(err.Error(), "connection to server on socket") {
		t.Error(err)
	}
}

// TestReadOnly: a standby is refused.
func TestReadOnly(t *testing.T) {
	c := pgtest.Start(t)
	uri := c.URI("postgres", pgtest.Superuser) + "&options=-cdefault_transaction_read_only%3Don"
	h := start(t, listen.Options{Config: config(t, uri), Channel: "c", MinPause: time.Millisecond})
	if err := receive(t, "failed", h.failed); !strings.Contains(err.Error(), "read only") || !errors.Is(err, listen.ErrReadOnly) {
		t.Error(err)
	}
}

// TestSilentServer: a server that accepts connections and does not reply does not stop the listener.
func TestSilentServer(t *testing.T) {
	cfg := config(t, "host=127.0.0.1 user=u sslmode=disable")
	attempts := make(chan net.Conn, 9)
	cfg.DialFunc = func(context.Context, string, string) (net.Conn, error) {
		ours, theirs := net.Pipe()
		attempts <- theirs
		go io.Copy(io.Discard, theirs)
		return ours, nil
	}
	h := start(t, listen.Options{Config: cfg, Channel: "c", MinPause: time.Millisecond, Setup: 10 * time.Millisecond})
	for range 2 {
		defer receive(t, "an attempt", attempts).Close()
		if err := receive(t, "failed", h.failed); !strings.Contains(err.Error(), "does not listen within 10ms") {
			t.Error(err)
		}
	}
}

// TestForgottenTransaction: the queue is cleaned up after its error.
func TestForgottenTransaction(t *testing.T) {
	queries := make(chan string, 99)
	s := pgtest.NewScript(t, func(s *pgtest.Session) {
		for {
			msg, err := s.Receive()
			if err != nil {
				return
			}
			q, ok := msg.(*pgproto3.Query)
			if !ok {
				if _, ok := msg.(*pgproto3.Sync); ok {
					_ = s.Say(&pgproto3.ParseComplete{}, &pgproto3.BindComplete{}, &pgproto3.NoData{}, &pgproto3.CommandComplete{CommandTag: []byte("SELECT 0")}, pgtest.Ready('I'))
				}
				continue
			}
			queries <- q.String
			switch {
			case strings.HasPrefix(q.String, "show"):
				_ = s.Say(&pgproto3.RowDescription{Fields: []pgproto3.FieldDescription{{Name: []byte("a")}}}, &pgproto3.DataRow{Values: [][]byte{[]byte("off")}},
					&pgproto3.CommandComplete{CommandTag: []byte("SHOW")}, pgtest.Ready('I'))
			case s.PID == 1:
				_ = s.Say(&pgproto3.ErrorResponse{Severity: "ERROR", Code: "XX000", Message: "could not access status of transaction 726"}, pgtest.Ready('I'))
			default:
				_ = s.Say(&pgproto3.CommandComplete{CommandTag: []byte("DONE")}, pgtest.Ready('I'))
			}
		}
	})
	cfg := config(t, "host=127.0.0.1 user=u sslmode=disable")
	cfg.DialFunc = s.Dial
	h := start(t, listen.Options{Config: cfg, Channel: "c", MinPause: time.Millisecond})
	receive(t, "connected", h.connected)
	for _, want := range []string{"show transaction_read_only", `LISTEN "c"`, "show transaction_read_only", "select pg_notification_queue_usage()", `LISTEN "c"`} {
		if got := receive(t, "query", queries); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

// TestPooler: queries run in another process than the one that accepted the connection. A test
// notification tells whether the pooler reserves that process.
func TestPooler(t *testing.T) {
	for _, deaf := range []bool{true, false} {
		arrives := make(chan string, 1) // the channel of our notification
		s := pgtest.NewScript(t, func(s *pgtest.Session) {
			var sql, arg string
			for {
				msg, err := s.Receive()
				if err != nil {
					return
				}
				switch m := msg.(type) {
				case *pgproto3.Parse:
					sql = m.Query
				case *pgproto3.Bind:
					arg = ""
					if len(m.Parameters) > 0 {
						arg = string(m.Parameters[0])
					}
				case *pgproto3.Query:
					row := []pgproto3.BackendMessage{&pgproto3.CommandComplete{CommandTag: []byte("DONE")}, pgtest.Ready('I')}
					if strings.HasPrefix(m.String, "show") {
						row = append([]pgproto3.BackendMessage{
							&pgproto3.RowDescription{Fields: []pgproto3.FieldDescription{{Name: []byte("a")}}}, &pgproto3.DataRow{Values: [][]byte{[]byte("off")}},
						}, row...)
					}
					_ = s.Say(row...)
					if !deaf && strings.HasPrefix(m.String, `LISTEN "c `) {
						_ = s.Say(&pgproto3.NotificationResponse{PID: 77, Channel: <-arrives})
					}
				case *pgproto3.Sync:
					if strings.Contains(sql, "pg_notify") {
						arrives <- arg
					}
					_ = s.Say(&pgproto3.ParseComplete{}, &pgproto3.BindComplete{},
						&pgproto3.RowDescription{Fields: []pgproto3.FieldDescription{{Name: []byte("a")}}}, &pgproto3.DataRow{Values: [][]byte{[]byte("4711")}},
						&pgproto3.CommandComplete{CommandTag: []byte("SELECT 1")}, pgtest.Ready('I'))
				}
			}
		})
		cfg := config(t, "host=127.0.0.1 user=u sslmode=disable")
		cfg.DialFunc = s.Dial
		h := start(t, listen.Options{Config: cfg, Channel: "c", MinPause: time.Hour, Patience: map[bool]time.Duration{true: 20 * time.Millisecond, false: time.Minute}[deaf]})
		if deaf {
			if err := receive(t, "failed", h.failed); !errors.Is(err, listen.ErrPooler) {
				t.Error(err)
			}
		} else {
			receive(t, "connected", h.connected)
		}
		if len(h.notified) > 0 {
			t.Errorf("our own notification was passed on: %q", <-h.notified)
		}
	}
}
