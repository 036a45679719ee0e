package compare

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"time"
)

// Run is the subcommand. It writes the report to stdout, and its progress to stderr. When ctx ends,
// it reports what was compared up to then.
func Run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) error {
	var o options
	if done, err := o.parse(args, stdout); done || err != nil {
		return err
	}
	p, servers, err := newReplay(&o)
	if err != nil {
		return err
	}
	for _, s := range servers {
		if err := s.reach(ctx); err != nil {
			return err
		}
	}
	in := &input{files: o.logs, stdin: stdin, writes: o.writes, repeat: o.repeat, limit: o.limit}
	stopped := play(ctx, p, in, stderr)
	report := newReport(p, servers, in.counts(), stopped)
	if ctx.Err() != nil {
		report.Stopped = "by a signal"
	}
	if err := report.write(o.json, stdout); err != nil {
		return fail("cannot write the report: %v", err)
	}
	switch {
	case stopped != nil:
		return stopped
	case report.Requests.Different > 0:
		return errDifferent
	case report.Requests.Failed > 0:
		return fail("%d requests could not be compared", report.Requests.Failed)
	case report.Requests.Requests == 0 && ctx.Err() == nil:
		return fail("the input has no requests to send (PostgREST and fastgrest log all requests with log-level = \"info\")")
	}
	return nil
}

func newReplay(o *options) (*replay, []*server, error) {
	old, err := newServer("old", o.old, o)
	if err != nil {
		return nil, nil, err
	}
	new, err := newServer("new", o.new, o)
	if err != nil {
		return nil, nil, err
	}
	p := &replay{old: old, new: new, pace: newPace(o.rate), concurrency: o.concurrency, tally: newTally(new)}
	p.judge.strict = o.strict
	for _, name := range o.ignored {
		p.judge.ignored = append(p.judge.ignored, http.CanonicalHeaderKey(name))
	}
	if p.headers, err = o.header(); err != nil {
		return nil, nil, err
	}
	if p.tokens, err = newTokens(o); err != nil {
		return nil, nil, err
	}
	servers := []*server{old, new}
	if o.writes {
		p.rollback = &rollback{servers: servers, granted: o.bothRollBack}
	}
	return p, servers, nil
}

// play reads the input and replays it. It does not wait for an input that has no end.
func play(ctx context.Context, p *replay, in *input, stderr io.Writer) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	requests := make(chan *request)
	read := make(chan error, 1)
	go func() {
		defer close(requests)
		read <- in.read(func(r *request) error {
			select {
			case requests <- r:
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		})
	}()
	go progress(ctx, p.tally, stderr)
	if err := p.run(ctx, requests); err != nil || ctx.Err() != nil {
		return err
	}
	return <-read
}

// progress writes a line every ten seconds.
func progress(ctx context.Context, t *tally, w io.Writer) {
	tick := time.NewTicker(10 * time.Second)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			c := t.now()
			fmt.Fprintf(w, "%d requests, %d different, %d failed\n", c.Requests, c.Different, c.Failed)
		case <-ctx.Done():
			return
		}
	}
}
