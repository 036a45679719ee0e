package pgwire

import (
	"context"
	"errors"
	"io"
	"os"
	"time"
)

// Check reports whether an idle connection has been lost. It makes no round trip: it
// reads what has arrived. A server that has gone left the end of the stream, and
// perhaps an error message.
func (c *Conn) Check() error {
	if c.IsBroken() {
		return &ConnError{Kind: Closed}
	}
	in := c.in
	in.room(max(5, in.w-in.r+1))
	n, err := c.poll(in.buf[in.w:])
	in.w += n
	if err != nil {
		c.breakOff()
		return &ConnError{Kind: Lost, Err: err}
	}
	for in.whole() {
		kind, body, err := in.next()
		if err != nil {
			return c.lost(&c.own, err)
		}
		if kind == 'E' {
			return &ConnError{Kind: Lost, Err: c.unsolicitedError(body)}
		}
		if err := c.asyncMessage(kind, body); err != nil {
			return err
		}
	}
	return nil
}

// poll reads what has arrived. It does not wait, or for 50 us where the socket
// cannot be asked.
func (c *Conn) poll(b []byte) (int, error) {
	if c.socket != nil {
		return c.socket.ReadNow(b)
	}
	_ = c.net.SetReadDeadline(time.Now().Add(50 * time.Microsecond))
	n, err := c.net.Read(b)
	_ = c.net.SetReadDeadline(time.Time{})
	if errors.Is(err, os.ErrDeadlineExceeded) {
		err = nil
	} else if err == nil && n == 0 {
		err = io.EOF
	}
	return n, err
}

// Wait reads until a notification has arrived and been passed to
// Config.OnNotification. If ctx ends, the connection is closed.
func (c *Conn) Wait(ctx context.Context) error {
	if c.IsBroken() {
		return &ConnError{Kind: Closed}
	}
	stop := context.AfterFunc(ctx, func() { _ = c.net.SetReadDeadline(time.Unix(1, 0)) })
	defer stop()
	for {
		kind, body, err := c.in.next()
		switch {
		case ctx.Err() != nil:
			c.breakOff()
			return &ConnError{Kind: Canceled, Err: context.Cause(ctx)}
		case err != nil:
			return c.lost(&c.own, err)
		case kind == 'E':
			return c.unsolicitedError(body)
		}
		if err := c.asyncMessage(kind, body); err != nil {
			return err
		}
		if kind == 'A' {
			return nil
		}
	}
}

// unsolicitedError closes a connection whose server reports an error outside of a
// flight, and returns that error.
func (c *Conn) unsolicitedError(body []byte) error {
	c.breakOff()
	said, err := serverError(body)
	if err != nil {
		return &ConnError{Kind: Protocol, Err: err}
	}
	return said
}
