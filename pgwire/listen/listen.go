package listen

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/fastgrest/fastgrest/pgwire"
	"github.com/fastgrest/fastgrest/pgwire/backoff"
)

// Reasons why notifications cannot arrive, which another attempt does not change. The
// errors passed to Options.Failed wrap them.
var (
	// ErrReadOnly: only read replicas can be reached, which send no notifications.
	ErrReadOnly = errors.New("only read-only servers can be reached")
	// ErrPooler: a pooler accepts LISTEN and does not pass notifications on, as poolers
	// in transaction mode do.
	ErrPooler = errors.New("a connection pooler does not pass notifications on")
)

// QueueStuck reports whether a listener failed on a notification of which the server no
// longer knows the transaction. The next attempt asks how full the queue is, which makes
// the server remove such entries. PostgreSQL reports an internal error (XX000, or 58P01
// if the file is missing), so only the text identifies it.
func QueueStuck(err error) bool {
	return strings.Contains(err.Error(), "could not access status of transaction")
}

// Options has the channel and the functions to call. The goroutine of Run calls them, one
// at a time. Each may be nil.
type Options struct {
	Config  *pgwire.Config
	Channel string

	// MinPause and MaxPause bound the pauses between attempts to connect. A pause is
	// twice as long as the one before. Default 1 s and 32 s.
	MinPause, MaxPause time.Duration

	// Patience is how long a test notification may take behind a pooler. After that the
	// pooler counts as one that does not pass notifications on. Default 5 s.
	Patience time.Duration

	// Setup bounds an attempt, from the connection to the end of LISTEN. Default 1 min.
	Setup time.Duration

	// Wake ends a pause that has lasted for MinPause, because the server has been
	// reached otherwise. May be nil.
	Wake <-chan struct{}

	// Connected is called when the server has accepted LISTEN.
	Connected func(Session)
	// Notified is called for each notification.
	Notified func(payload string)
	// Failed is called when an attempt has failed or the connection is lost, with the
	// pause before the next attempt.
	Failed func(err error, pause time.Duration)
}

// Session is a connection that listens.
type Session struct {
	Host, Port string
	Version    string // of the server, in full
	Again      bool   // after a failure: notifications may have been missed
}

// Run listens until the context ends and returns its cause.
func Run(ctx context.Context, o Options) error {
	if o.MinPause <= 0 {
		o.MinPause = time.Second
	}
	if o.MaxPause < o.MinPause {
		o.MaxPause = max(32*time.Second, o.MinPause)
	}
	if o.Patience <= 0 {
		o.Patience = 5 * time.Second
	}
	if o.Setup <= 0 {
		o.Setup = time.Minute
	}
	l := &listener{o: o, cfg: o.Config.Copy(), pauses: backoff.Backoff{First: o.MinPause, Last: o.MaxPause}}
	// A standby server does not send notifications. If several hosts are configured, this
	// finds the primary.
	l.cfg.ValidateConnect = func(ctx context.Context, pg *pgconn.PgConn) error {
		if err := pgconn.ValidateConnectTargetSessionAttrsReadWrite(ctx, pg); err != nil {
			return fmt.Errorf("%w: %w", ErrReadOnly, err)
		}
		return nil
	}
	l.cfg.Statements = 0
	l.cfg.OnNotification = func(channel, payload string) {
		switch {
		case channel == l.probe:
			l.heard = true
		case o.Notified != nil && channel == o.Channel:
			o.Notified(payload)
		}
	}
	for {
		err := l.session(ctx)
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		pause := l.pauses.Next()
		l.failed(err, pause)
		l.rest(ctx, pause)
	}
}

// rest waits for the pause to end; Options.Wake shortens it.
func (l *listener) rest(ctx context.Context, pause time.Duration) {
	first := min(pause, l.o.MinPause)
	select {
	case <-ctx.Done():
	case <-time.After(first):
	}
	select {
	case <-ctx.Done():
	case <-l.o.Wake:
	case <-time.After(pause - first):
	}
}

type listener struct {
	o       Options
	cfg     *pgwire.Config
	pauses  backoff.Backoff
	again   bool
	cleanUp bool // the queue of notifications is stuck, see QueueStuck

	probe string // channel of the test notification, "" if none is expected
	heard bool   // the test notification has arrived
}

func (l *listener) failed(err error, pause time.Duration) {
	l.again = true
	l.cleanUp = QueueStuck(err)
	if l.o.Failed != nil {
		l.o.Failed(err, pause)
	}
}

// session makes a connection and listens until it is lost.
func (l *listener) session(ctx context.Context) error {
	// A server that accepts connections and does not reply must not stop the listener:
	// another host may reply by then.
	setup, cancel := context.WithTimeoutCause(ctx, l.o.Setup, fmt.Errorf("the server does not listen within %v", l.o.Setup))
	defer cancel()
	conn, s, err := l.connect(setup)
	if conn != nil {
		defer conn.Close()
	}
	if err != nil {
		if setup.Err() != nil && ctx.Err() == nil {
			return context.Cause(setup)
		}
		return err
	}
	l.pauses.Reset()
	if l.o.Connected != nil {
		l.o.Connected(s)
	}
	for {
		if err := conn.Wait(ctx); err != nil {
			return err
		}
	}
}

// connect makes a connection that listens. With an error it may also return a
// connection, which the caller closes.
func (l *listener) connect(ctx context.Context) (*pgwire.Conn, Session, error) {
	conn, err := pgwire.Connect(ctx, l.cfg)
	if err != nil {
		return nil, Session{}, err
	}
	s := Session{Host: conn.Host(), Port: conn.Port(), Again: l.again}
	err = conn.Query(ctx, "select version()", nil, func(columns [][]byte) error {
		s.Version = string(columns[0])
		return nil
	})
	if err != nil {
		return conn, s, err
	}
	if l.cleanUp {
		if err := conn.Exec(ctx, "select pg_notification_queue_usage()"); err != nil {
			return conn, s, err
		}
	}
	if err := l.check(ctx, conn); err != nil {
		return conn, s, err
	}
	// The last statement, in upper case: monitoring looks for it in pg_stat_activity.
	return conn, s, conn.Exec(ctx, "LISTEN "+quote(l.o.Channel))
}

// check tests whether notifications arrive. If the process that runs queries is not the
// one that accepted the connection, a pooler is in between. Whether the pooler reserves
// the process for this connection only a notification from another connection can tell.
func (l *listener) check(ctx context.Context, conn *pgwire.Conn) error {
	pid := ""
	err := conn.Query(ctx, "select pg_backend_pid()", nil, func(columns [][]byte) error {
		pid = string(columns[0])
		return nil
	})
	greeted := strconv.FormatUint(uint64(conn.PID()), 10)
	if err != nil || pid == "" || pid == greeted {
		return err
	}
	l.probe, l.heard = l.o.Channel+" "+greeted+" "+pid, false
	defer func() { l.probe = "" }()
	if err := conn.Exec(ctx, "LISTEN "+quote(l.probe)); err != nil {
		return err
	}
	if err := l.notifyProbe(ctx); err != nil {
		return err
	}
	wait, cancel := context.WithTimeout(ctx, l.o.Patience)
	defer cancel()
	for !l.heard {
		if err := conn.Wait(wait); err != nil {
			if wait.Err() != nil && ctx.Err() == nil {
				return ErrPooler
			}
			return err
		}
	}
	return conn.Exec(ctx, "UNLISTEN "+quote(l.probe))
}

const probeTime = 30 * time.Second

// notifyProbe sends the test notification on another connection. A pooler may give it
// the process that listens, so notifications that arrive there do not count.
func (l *listener) notifyProbe(ctx context.Context) error {
	cfg := l.cfg.Copy()
	cfg.OnNotification = nil
	// A pooler that has no connection left would not reply.
	ctx, cancel := context.WithTimeout(ctx, probeTime)
	defer cancel()
	conn, err := pgwire.Connect(ctx, cfg)
	if err != nil {
		return err
	}
	defer conn.Close()
	return conn.Query(ctx, "select pg_notify($1, '')", []string{l.probe}, func([][]byte) error { return nil })
}

// quote makes an identifier of any text. (The connection refuses a zero byte, which an
// identifier cannot contain.)
func quote(name string) string {
	return `"` + strings.ReplaceAll(name, `"`, `""`) + `"`
}
