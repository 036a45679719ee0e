package server

import (
	"errors"
	"io"
	"iter"
	"runtime/debug"

	"github.com/fastgrest/fastgrest/parser/header"
	"github.com/fastgrest/fastgrest/planner"
	"github.com/fastgrest/fastgrest/server/clients"
	"github.com/fastgrest/fastgrest/server/config"
	"github.com/fastgrest/fastgrest/server/exec"
	"github.com/fastgrest/fastgrest/server/spool"
)

// streamedBody is the body of a response whose call is still running. The call is a
// coroutine (iter.Pull): it runs until the first rows are to be sent, and then whenever
// fasthttp has sent a piece. So what runs at any time is either the call or the sending
// of its rows, and a slow client makes PostgreSQL wait.
//
// An error before the first rows is an ordinary response. After that the status is sent,
// and an error ends the connection in the middle of a chunk.
type streamedBody struct {
	observation
	rq   *request
	next func() ([]byte, bool)
	stop func()

	piece    []byte // what the call has handed over and is not sent
	err      error  // of the call, when it has ended
	sent     int64
	complete bool
	panicked bool
	handed   bool // the request belongs to the body
}

// errStopped ends a call whose rows have no receiver any more.
var errStopped = errors.New("the response has ended")

// stream runs a call that can stream, until it ends or its first rows are to be sent. In
// the second case they are the beginning of rq.response.running.
func (rq *request) stream(c *exec.Call) error {
	b := &streamedBody{observation: observation{server: rq.server}, rq: rq}
	var yield func([]byte) bool
	c.Receiver = receiverFunc(func(p []byte) error {
		if !yield(p) {
			return errStopped
		}
		return nil
	})
	b.next, b.stop = iter.Pull(func(to func([]byte) bool) {
		yield = to
		b.err = rq.execution.Run(rq.snap.rules, c)
	})
	var more bool
	if b.piece, more = b.next(); !more {
		return b.err
	}
	rq.response.running = b
	return nil
}

// receiverFunc is a function as a receiver of rows.
type receiverFunc func(p []byte) error

// Take implements exec.Receiver.
func (f receiverFunc) Take(p []byte) error { return f(p) }

// Read is not used: SupportsBodyWriteTo.
func (b *streamedBody) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

// SupportsBodyWriteTo has fasthttp call WriteTo.
func (b *streamedBody) SupportsBodyWriteTo() bool { return true }

// WriteTo sends the rows while the call runs. The error of a call is logged here, and
// fasthttp sees one that it does not log.
func (b *streamedBody) WriteTo(w io.Writer) (int64, error) {
	defer func() {
		if value := recover(); value != nil {
			b.panicked = true
			b.server.log.Panicked(value, debug.Stack())
			panic(value) // fasthttp closes the connection
		}
	}()
	rq := b.rq
	out := clients.NewChunkWriter(w, spool.Client{Conn: clients.Socket(rq.ctx), Patience: rq.snap.config.SpoolSendTimeout})
	for more := true; more; b.piece, more = b.next() {
		if err := b.send(out, b.piece); err != nil {
			return b.sent, err
		}
	}
	if b.err == nil {
		rest := &rq.execution.Result.Body
		if err := b.send(out, rest.Bytes); err != nil {
			return b.sent, err
		}
		b.complete = true
		return b.sent, nil
	}
	out.Break()
	p := problemOf(b.err, rq.authenticated())
	b.access.Code = p.code
	b.server.log.QueryFailed(rq.logID(), string(p.appendJSON(nil, config.Verbose)))
	b.server.checkFatal(b.err, false)
	return b.sent, io.ErrUnexpectedEOF
}

func (b *streamedBody) send(out *clients.ChunkWriter, p []byte) error {
	n, err := out.Write(p)
	b.sent += int64(n)
	return err
}

// Close ends the call, which is cancelled if it still runs, and gives the request back.
func (b *streamedBody) Close() error {
	rq := b.rq
	if rq == nil {
		return nil
	}
	b.rq = nil
	if !b.complete && b.err == nil && !b.panicked {
		rq.execution.Abandon(errClientGone, true)
		b.stop()
	}
	clients.Unwatch(rq.ctx)
	b.report(b.sent, !b.complete)
	rq.response.running = nil
	if b.handed && !b.panicked {
		rq.end()
		rq.server.requests.Put(rq)
	}
	return nil
}

// stopStream ends the call of a response that is replaced by another one.
func (rq *request) stopStream() {
	if b := rq.response.running; b != nil {
		_ = b.Close()
	}
}

// dropPreferences drops the preferences that have no effect on the plan.
func (rq *request) dropPreferences(plan *planner.Plan) {
	if plan.Uncounted() {
		rq.prefer.Count = header.CountNone
	}
	if plan.Lines == planner.NoLines || !plan.Streams() {
		rq.prefer.Stream = header.StreamNone
	}
	if !plan.Bulk {
		rq.prefer.Params = header.ParamsNone
	}
	if !plan.Paged {
		rq.prefer.Page = header.PageNone
	}
	if !plan.Replicable() || rq.prefer.Read == header.ReadBookmark && rq.bookmark.IsZero() {
		rq.prefer.Read = header.ReadAny
	}
}
