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

// Reasons why there can be no notifications, however often we try. Errors that
// Failed is told wrap them.
var (
	// ErrReadOnly: there are only read replicas, which send none.
	ErrReadOnly = errors.New("only read-only servers can be reached")
	// ErrPooler: what is between us and the server takes LISTEN and passes no
	// notifications on, as a pooler in transaction mode.
	ErrPooler = errors.New("a connection pooler does not pass notifications on")
)

// QueueStuck reports whether a listener failed on a notification whose sender's
// transaction the server has forgotten about. The next attempt asks how full the
// queue is, which makes the server throw such entries away. PostgreSQL calls
// this an internal error (XX000, or 58P01 where the file is missing), so the text
// has to tell.
func QueueStuck(err error) bool {
	return strings.Contains(err.Error(), "could not access status of transaction")
}

// Options say what to listen to and which functions to call. The goroutine of Run
// calls them, one at a time. They may be nil.
type Options struct {
	Config  *pgwire.Config
	Channel string

	// MinPause and MaxPause are the first and the longest pause between attempts
	// to connect. Default 1 s and 32 s.
	MinPause, MaxPause time.Duration

	// Patience is how long a notification of our own may take behind a pooler
	// before we believe that it passes none on. Default 5 s.
	Patience time.Duration

	// Setup is how long an attempt may take from connecting until the server
	// listens. Default 1 min.
	Setup time.Duration

	// Wake ends a pause that has lasted for MinPause: the server has been
	// reached on another connection. May be nil.
	Wake <-chan struct{}

	// Connected is called when the server has agreed to send notifications.
	Connected func(Session)
	// Notified is called for each notification.
	Notified func(payload string)
	// Failed is called when an attempt to connect has failed, or a connection
	// has ended. The next attempt comes after the pause.
	Failed func(err error, pause time.Duration)
}

// Session is a connection that listens.
type Session struct {
	Host, Port string
	Version    string // of the server, in full
	Again      bool   // not the first attempt: notifications may have been missed
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
	// Notifications cannot be received from a standby server; where several
	// hosts are configured this finds the one that is not.
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
	cleanUp bool // the queue of notifications, see failed

	probe string // channel of a notification of our own, "" if none is expected
	heard bool   // it has come
}

func (l *listener) failed(err error, pause time.Duration) {
	l.again = true
	l.cleanUp = QueueStuck(err)
	if l.o.Failed != nil {
		l.o.Failed(err, pause)
	}
}

// session is one connection, from beginning to end.
func (l *listener) session(ctx context.Context) error {
	// A server that accepts connections and does not answer must not hold the
	// listener for good: another host may answer by then.
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

// connect makes a connection that listens. It may return a connection with an
// error.
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
	// Last, and in these letters: monitoring looks for it in pg_stat_activity.
	return conn, s, conn.Exec(ctx, "LISTEN "+quote(l.o.Channel))
}

// check makes sure that notifications arrive. Where the process that answers
// is not the one that greeted us, a pooler is in between. Whether it keeps a
// process for us alone only a notification from elsewhere can tell.
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

// notifyProbe sends the notification on a connection of its own, which a pooler
// may well give the process that listens: what that one hears does not count.
func (l *listener) notifyProbe(ctx context.Context) error {
	cfg := l.cfg.Copy()
	cfg.OnNotification = nil
	// A pooler without a connection left to give would have us wait for ever.
	ctx, cancel := context.WithTimeout(ctx, probeTime)
	defer cancel()
	conn, err := pgwire.Connect(ctx, cfg)
	if err != nil {
		return err
	}
	defer conn.Close()
	return conn.Query(ctx, "select pg_notify($1, '')", []string{l.probe}, func([][]byte) error { return nil })
}

// quote makes an identifier of any text. (A zero byte, which no identifier
// can hold, is refused by the connection.)
func quote(name string) string {
	return `"` + strings.ReplaceAll(name, `"`, `""`) + `"`
}
