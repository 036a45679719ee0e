package pgwire

import (
	"context"
	"errors"
	"sync/atomic"
	"time"
)

// interruption stops a flight from another goroutine. One exchange of state decides
// whether the interruption or the end of the flight was first. After an interruption
// has begun, Run waits for its end, so that the cancel request cannot meet the next
// flight of the connection.
type interruption struct {
	state atomic.Uint32
	conn  *Conn
	cause error
	done  chan struct{}

	// Of a flight that shares a connection: the Sharing, and, under its lock, whether
	// the flight has been abandoned.
	sharing   atomic.Pointer[Sharing]
	abandoned bool

	// Of a flight that is merged: the Merger. Its lock then guards abandoned.
	merger atomic.Pointer[Merger]
}

const (
	notRunning uint32 = iota
	running
	interrupted
)

// Interrupt asks the server to cancel the flight, and reports whether the flight was
// running. Run then returns soon: an error of kind Canceled with the cause, or the
// response if the flight ended first. Interrupt may be called by any goroutine and
// blocks until the server has received the request.
func (f *Flight) Interrupt(cause error) bool {
	if !f.interruption.take(cause) {
		return false
	}
	f.interruption.ask()
	return true
}

// Abandon says that the response is not needed any more. It interrupts the flight and
// does not wait for the server. A cancel request meets the flight that is running at
// that moment. So flights that share a connection (see Sharing) are interrupted when
// all of them have been abandoned, and so are merged flights. Abandon reports whether it has sent a cancel
// request. It may be called again.
func (f *Flight) Abandon(cause error) bool {
	if f.interruption.take(cause) {
		go f.interruption.ask() // Run waits for it
		return true
	}
	if s := f.interruption.sharing.Load(); s != nil {
		return s.abandon(f, cause)
	}
	if m := f.interruption.merger.Load(); m != nil {
		return m.abandon(f, cause)
	}
	return false
}

func (in *interruption) share(s *Sharing) {
	in.abandoned = false
	in.sharing.Store(s)
}

// take reports whether the caller is the one to interrupt the flight. Run does not
// return until the caller has called ask.
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

// end reports whether the flight was interrupted. It returns when the interruption no
// longer uses the connection.
func (in *interruption) end() bool {
	if in.state.CompareAndSwap(running, notRunning) {
		return false
	}
	<-in.done
	in.state.Store(notRunning)
	return true
}

// cancel sends a cancel request, on another connection. If the server does not react
// within CancelWait, the flight fails at the deadline.
func (c *Conn) cancel() {
	_ = c.net.SetDeadline(time.Now().Add(c.cfg.CancelWait))
	ctx, stop := context.WithTimeout(context.Background(), c.cfg.CancelWait)
	defer stop()
	_ = c.pg.CancelRequest(ctx) // if it fails, the deadline ends the flight
}

// afterInterrupt returns the error of an interrupted flight.
//
// If the server canceled the flight, the connection can be used again. If the flight
// ended first, the request may still be under way, because some proxies delay it. Then
// the connection is closed.
func (c *Conn) afterInterrupt(f *Flight, err error) error {
	var said *Error
	if errors.As(err, &said) && said.Code == QueryCanceled {
		if !c.broken {
			_ = c.net.SetDeadline(time.Time{})
		}
		return &ConnError{Kind: Canceled, Sent: true, Begun: true, Err: f.interruption.cause}
	}
	c.breakOff()
	var local *ConnError
	if errors.As(err, &local) && (local.Kind == Lost || local.Kind == ResetFailed) {
		return &ConnError{Kind: Canceled, Sent: local.Sent, Begun: local.Begun, Err: f.interruption.cause}
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
		<-over // the interruption must not meet the next run of f
	}
	return err
}
