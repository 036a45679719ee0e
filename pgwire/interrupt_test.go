package pgwire_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/fastgrest/fastgrest/pgwire"
	"github.com/fastgrest/fastgrest/pgwire/pgtest"
)

// expiring is a context whose deadline passes when a channel is closed.
type expiring struct {
	context.Context
	moment chan struct{}
}

func (e expiring) Done() <-chan struct{} { return e.moment }

func (e expiring) Err() error {
	select {
	case <-e.moment:
		return context.DeadlineExceeded
	default:
		return nil
	}
}

// TestInterrupt: the outcomes of a cancel request.
func TestInterrupt(t *testing.T) {
	cause := errors.New("client went away")
	canceled := refusal("ERROR", "57014", "ProcessInterrupts")
	for _, test := range []struct {
		name     string
		response func(*pgtest.Session, chan struct{}) // the channel: the request has arrived
		kind     pgwire.Kind                          // 0: no error
		broken   bool
	}{
		{"it is obeyed", func(s *pgtest.Session, asked chan struct{}) { <-asked; _ = s.Say(parsed, canceled, idle) }, pgwire.Canceled, false},
		{"it comes too late", func(s *pgtest.Session, asked chan struct{}) {
			<-asked
			_ = s.Say(parsed, bound, oneField, selected, idle)
		}, 0, true},
		{"it is ignored", func(*pgtest.Session, chan struct{}) {}, pgwire.Canceled, true},
		{"the server goes", func(s *pgtest.Session, asked chan struct{}) { <-asked; s.Conn.Close() }, pgwire.Canceled, true},
	} {
		for _, how := range []string{"interrupt", "abandon", "cancel", "deadline"} {
			t.Run(test.name+"/"+how, func(t *testing.T) {
				asked, started := make(chan struct{}), make(chan struct{})
				s := pgtest.NewScript(t, func(s *pgtest.Session) {
					s.Hear()
					close(started)
					test.response(s, asked)
					s.Hear() // that the client has gone
				})
				c := connectTo(t, s, func(cfg *pgwire.Config) {
					if test.name == "it is ignored" {
						cfg.CancelWait = 50 * time.Millisecond
					}
				})
				go func() {
					if <-s.Cancels == 1 {
						close(asked)
					}
				}()
				var f pgwire.Flight
				f.Add(pgwire.NewStmt("a"), new(log))
				ctx, want := bg, cause
				switch how {
				case "interrupt":
					go func() {
						<-started
						if !f.Interrupt(cause) {
							t.Error("nothing to interrupt")
						}
					}()
				case "abandon":
					go func() {
						<-started
						if !f.Abandon(cause) {
							t.Error("nothing to interrupt")
						}
						if f.Abandon(cause) || f.Interrupt(cause) {
							t.Error("interrupted twice")
						}
					}()
				case "cancel":
					var cancel context.CancelCauseFunc
					ctx, cancel = context.WithCancelCause(bg)
					go func() { <-started; cancel(cause) }()
				case "deadline":
					ctx, want = expiring{bg, started}, context.DeadlineExceeded
				}
				var err error
				soon(t, "flight", func() { err = c.Run(ctx, &f) })
				var ce *pgwire.ConnError
				if test.kind == 0 && err != nil || test.kind != 0 && (!errors.As(err, &ce) || ce.Kind != test.kind || !ce.Sent || !errors.Is(err, want)) {
					t.Errorf("got %#v", err)
				}
				if c.IsBroken() != test.broken {
					t.Errorf("broken: %v", c.IsBroken())
				}
				if f.Interrupt(cause) || f.Abandon(cause) {
					t.Error("interrupted what was over")
				}
			})
		}
	}
}

func TestEndedContext(t *testing.T) {
	heard := make(chan string, 1)
	c := connectTo(t, pgtest.NewScript(t, responses(heard)))
	ctx, cancel := context.WithCancel(bg)
	cancel()
	var f pgwire.Flight
	f.Add(pgwire.NewStmt("a"), nil)
	var ce *pgwire.ConnError
	if err := c.Run(ctx, &f); !errors.As(err, &ce) || ce.Kind != pgwire.Canceled || ce.Sent || c.IsBroken() || len(heard) > 0 {
		t.Errorf("%#v", err)
	}
}
