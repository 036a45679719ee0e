package pgwire

import (
	"context"
	"errors"
	"sync/atomic"
	"time"
)

// interruption is how somebody else stops a flight. Whoever stops it and the
// connection that runs it agree on who was first by one exchange of state;
// once stopping has begun, Run waits for it to be finished, so that a cancel
// request can never meet the next flight of the connection.
type interruption struct {
	state atomic.Uint32
	conn  *Conn
	cause error
	done  chan struct{}

	// Of a flight that shares a connection: with whom, and, under that one's
	// lock, whether nobody waits for it any more.
	sharing   atomic.Pointer[Sharing]
	abandoned bool
}

const (
	notRunning uint32 = iota
	running
	interrupted
)

// Interrupt asks the server to cancel the flight, from any goroutine. It
// reports whether there was anything to interrupt: Run then returns, soon, an
// error of kind Canceled with that cause, unless the flight got through
// nevertheless. It blocks until the server has taken the request.
func (f *Flight) Interrupt(cause error) bool {
	if !f.interruption.take(cause) {
		return false
	}
	f.interruption.ask()
	return true
}

// Abandon says that nobody waits for the answer any more. It interrupts the
// flight without waiting for the server. One that shares a connection (see
// Sharing) is interrupted when nobody waits for any of those it shares with:
// a cancel request is not addressed to a flight, it meets whichever is running.
// Abandon reports whether it has asked the server; it may be called again.
func (f *Flight) Abandon(cause error) bool {
	if f.interruption.take(cause) {
		go f.interruption.ask() // Run waits for it
		return true
	}
	if s := f.interruption.sharing.Load(); s != nil {
		return s.abandon(f, cause)
	}
	return false
}

func (in *interruption) share(s *Sharing) {
	in.abandoned = false
	in.sharing.Store(s)
}

// take reports whether it is we who interrupt the flight. From here on until
// ask has done so Run does not return.
func (in *interruption) take(cause error) bool {
	if !in.state.CompareAndSwap(running, interrupted) {
		return false
	}
	in.cause = cause
	return true
}

func (in *interruption) ask() {
	in.conn.cancel()
	in.done <- struct{}{}
}

func (in *interruption) begin(c *Conn) {
	if in.done == nil {
		in.done = make(chan struct{}, 1)
	}
	in.conn = c
	in.state.Store(running)
}

// end reports whether the flight was interrupted. It returns when nobody will
// touch the connection on behalf of the flight any more.
func (in *interruption) end() bool {
	if in.state.CompareAndSwap(running, notRunning) {
		return false
	}
	<-in.done
	in.state.Store(notRunning)
	return true
}

// cancel sends a cancel request on a connection of its own. The server has a
// while to react; then the flight fails for want of an answer.
func (c *Conn) cancel() {
	_ = c.net.SetDeadline(time.Now().Add(c.cfg.CancelWait))
	ctx, stop := context.WithTimeout(context.Background(), c.cfg.CancelWait)
	defer stop()
	_ = c.pg.CancelRequest(ctx) // or else the deadline does it
}

// afterInterrupt turns the end of an interrupted flight into its error.
//
// If the server acted on the request the connection is as good as before. If
// it did not, because the flight ended first, the request may still be under
// way (there are proxies that pass it on at leisure): such a connection is
// not used again.
func (c *Conn) afterInterrupt(f *Flight, err error) error {
	var said *Error
	if errors.As(err, &said) && said.Code == QueryCanceled {
		if !c.broken {
			_ = c.net.SetDeadline(time.Time{})
		}
		return &ConnError{Kind: Canceled, Sent: true, Answered: true, Err: f.interruption.cause}
	}
	c.breakOff()
	var local *ConnError
	if errors.As(err, &local) && (local.Kind == Lost || local.Kind == ResetFailed) {
		return &ConnError{Kind: Canceled, Sent: local.Sent, Answered: local.Answered, Err: f.interruption.cause}
	}
	return err
}

// runUnder runs a flight under a context that can end.
func (c *Conn) runUnder(ctx context.Context, f *Flight) error {
	if ctx.Err() != nil {
		return &ConnError{Kind: Canceled, Err: context.Cause(ctx)}
	}
	over := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(over)
		f.Interrupt(context.Cause(ctx))
	})
	err := c.run(f)
	if !stop() {
		<-over // it must not meet the next run of f
	}
	return err
}
