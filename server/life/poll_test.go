package life

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

type fakePoll struct {
	interval atomic.Int64
	looks    atomic.Int64
	print    atomic.Value // string or error
	log      strings.Builder
}

func (h *fakePoll) PollInterval() time.Duration { return time.Duration(h.interval.Load()) }
func (h *fakePoll) SchemaChanged()              { h.log.WriteString("changed ") }
func (h *fakePoll) PollFailed(err error)        { h.log.WriteString(err.Error() + " ") }

func (h *fakePoll) Look(_ context.Context, again bool) (string, error) {
	h.looks.Add(1)
	switch v := h.print.Load().(type) {
	case error:
		return "", v
	case string:
		if v != "" || again {
			return v, nil
		}
	}
	return "first", nil
}

// TestPoll: what looks at the catalog lead to.
func TestPoll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(context.Background())
		l, h := New(), &fakePoll{}
		p := NewPoll(l, h)
		ended := make(chan struct{})
		go func() { defer close(ended); p.Run(ctx) }()
		step := func(print any, looks int64, wish Wish, log string) {
			t.Helper()
			h.print.Store(print)
			h.looks.Store(0)
			time.Sleep(10 * time.Second)
			synctest.Wait()
			if got := l.Take(); h.looks.Load() != looks || got != wish || h.log.String() != log {
				t.Errorf("%v: %d looks, asked for %d, log %q; want %d, %d, %q", print, h.looks.Load(), got, h.log.String(), looks, wish, log)
			}
			h.log.Reset()
		}
		step("a", 0, 0, "") // never
		h.interval.Store(int64(10 * time.Second))
		step("a", 0, 0, "") // it has not heard of the interval
		p.Changed()
		step("a", 1, ReloadCatalog, "") // no fingerprint was taken when the catalog was loaded
		p.Loading("a")
		step("a", 1, 0, "")
		step("", 1, 0, "")
		step("b", 1, ReloadCatalog, "changed ")
		p.Loading("b")
		step("b", 1, 0, "")
		p.Loading("")
		step("", 1, ReloadCatalog, "")
		cancel()
		<-ended
	})
}

// TestPollFails: of failures in a row the first is logged.
func TestPollFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(context.Background())
		l, h := New(), &fakePoll{}
		h.interval.Store(int64(time.Second))
		p := NewPoll(l, h)
		p.Loading("a")
		for _, test := range []struct {
			print any
			log   string
		}{{errors.New("away"), "away "}, {"a", "away "}, {errors.New("away"), "away away "}} {
			h.print = atomic.Value{}
			h.print.Store(test.print)
			p.look(ctx)
			p.look(ctx)
			if h.log.String() != test.log {
				t.Errorf("log %q, want %q", h.log.String(), test.log)
			}
		}
		cancel()
		h.print = atomic.Value{}
		h.print.Store("b")
		p.look(ctx)
		if l.Waiting() != 0 {
			t.Error("a reload was asked for at the end")
		}
	})
}
