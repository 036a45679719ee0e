package life

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/fastgrest/fastgrest/pgwire"
	"github.com/fastgrest/fastgrest/pgwire/listen"
)

// fakeHost is what a listener sees of a server, and its log.
type fakeHost struct {
	channel       Channel
	connect       error
	fatal, giveUp bool
	strings.Builder
}

func (h *fakeHost) Channel() Channel                 { return h.channel }
func (h *fakeHost) Connect() (*pgwire.Config, error) { return nil, h.connect }
func (h *fakeHost) PollInterval() time.Duration      { return time.Minute }
func (h *fakeHost) Fatal(error) bool                 { return h.fatal }
func (h *fakeHost) GiveUp(error) bool                { return h.giveUp }

func (h *fakeHost) ListenerStarted(string, string, string, string) {}
func (h *fakeHost) ListenerSchemaReload(channel string)            { h.WriteString("schema " + channel + ";") }
func (h *fakeHost) ListenerConfigReload(channel string)            { h.WriteString("config " + channel + ";") }
func (h *fakeHost) ListenerFailed(channel string, err error) {
	h.WriteString("failed " + channel + ": " + err.Error() + ";")
}
func (h *fakeHost) ListenerQueueFix() { h.WriteString("fix;") }
func (h *fakeHost) ListenerImpossible(why error, poll time.Duration) {
	fmt.Fprintf(h, "impossible: %v, %v;", why, poll)
}
func (h *fakeHost) ListenerRetrying(pause time.Duration) { fmt.Fprintf(h, "retry %v;", pause) }

// TestNotified: the words of notifications.
func TestNotified(t *testing.T) {
	for payload, want := range map[string]struct {
		wish Wish
		log  string
	}{
		"": {ReloadCatalog, "schema c;"}, "reload schema": {ReloadCatalog, "schema c;"},
		"reload config": {ReloadConfig, "config c;"}, "reload": {0, ""}, "RELOAD CONFIG": {0, ""},
	} {
		loop, h := New(), &fakeHost{}
		NewListener(loop, h, h).notified("c", payload)
		if got := loop.Take(); got != want.wish || h.String() != want.log {
			t.Errorf("%q asks for %d, log %q; want %d, %q", payload, got, h.String(), want.wish, want.log)
		}
	}
}

// TestListenerFailures: what is told of failures, and the state after them.
func TestListenerFailures(t *testing.T) {
	away, stuck := errors.New("away"), errors.New("could not access status of transaction 5")
	pooler := fmt.Errorf("x: %w", listen.ErrPooler)
	h := &fakeHost{}
	l := NewListener(New(), h, h)
	f := listenerFailures{Listener: l, channel: "c"}
	for _, test := range []struct {
		err           error
		fatal, giveUp bool
		log           string
		state         ListenerState
	}{
		{away, false, false, "failed c: away;retry 1s;", ListenerOff},
		{away, false, false, "failed c: away;retry 1s;", ListenerOff},
		{stuck, false, false, "failed c: " + stuck.Error() + ";fix;retry 1s;", ListenerOff},
		{pooler, false, false, "failed c: " + pooler.Error() + ";impossible: " + listen.ErrPooler.Error() + ", 1m0s;retry 1s;", ListenerImpossible},
		{pooler, false, false, "", ListenerImpossible}, // told once
		{listen.ErrReadOnly, false, false, "failed c: " + listen.ErrReadOnly.Error() + ";impossible: " + listen.ErrReadOnly.Error() + ", 1m0s;retry 1s;", ListenerImpossible},
		{away, false, true, "failed c: away;", ListenerOff},
		{away, true, false, "", ListenerOff},
	} {
		h.fatal, h.giveUp = test.fatal, test.giveUp
		f.failed(test.err, time.Second)
		if h.String() != test.log || l.State() != test.state {
			t.Errorf("%v: log %q, state %d; want %q, %d", test.err, h.String(), l.State(), test.log, test.state)
		}
		h.Reset()
	}
}

// TestReached: only a listener that is not connected is told that the database
// has been reached.
func TestReached(t *testing.T) {
	h := &fakeHost{}
	for state, want := range map[ListenerState]int{ListenerOff: 1, ListenerOn: 0, ListenerImpossible: 0} {
		l := NewListener(New(), h, h)
		l.set(state)
		for range 3 {
			l.Reached()
		}
		if got := len(l.reached); got != want {
			t.Errorf("state %d: told %d times, want %d", state, got, want)
		}
	}
}

// TestNoListener: without a channel, or a way to connect, the first load need not wait.
func TestNoListener(t *testing.T) {
	for _, h := range []*fakeHost{{}, {channel: Channel{true, "c"}, connect: errors.New("no")}} {
		l := NewListener(New(), h, h)
		select {
		case <-l.Start(t.Context()):
		default:
			t.Errorf("%+v: to be waited for", h.channel)
		}
		if want := map[bool]string{true: "failed c: no;"}[h.channel.Enabled]; h.String() != want {
			t.Errorf("log %q, want %q", h.String(), want)
		}
		l.Follow(t.Context()) // nothing has changed
		l.Stop()
		if h.channel.Enabled = !h.channel.Enabled; !h.channel.Enabled {
			h.Reset()
			l.Follow(t.Context())
			if h.String() != "" {
				t.Errorf("log %q", h.String())
			}
		}
	}
}
