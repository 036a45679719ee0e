package life

import (
	"context"
	"sync/atomic"
	"time"
)

// PollHost is the server as a poll sees it.
type PollHost interface {
	// PollInterval returns how often to look at the catalog, 0 for never.
	PollInterval() time.Duration
	// Look returns the fingerprint of the schema. It may return "" if again is
	// set and nothing was written since the last look.
	Look(ctx context.Context, again bool) (fingerprint string, err error)
	// SchemaChanged and PollFailed write the log.
	SchemaChanged()
	PollFailed(error)
}

// Poll looks at the catalog at intervals and asks for a reload when it has
// changed. It is for databases from which no notification can arrive. It sees
// changes later than a listener does, and costs more.
type Poll struct {
	wishes  *Wishes
	host    PollHost
	changed chan struct{} // the interval may have changed

	// loaded is the fingerprint of the schema last loaded, nil if none was taken.
	loaded atomic.Pointer[string]
	failed bool // the last look; only Run uses it
}

// NewPoll makes a poll that asks loop for reloads. Run looks.
func NewPoll(loop *Loop, host PollHost) *Poll {
	return &Poll{wishes: &loop.Wishes, host: host, changed: make(chan struct{}, 1)}
}

// Changed tells that the interval may have changed. Any goroutine may call it;
// it does not block.
func (p *Poll) Changed() { wake(p.changed) }

// Loading keeps the fingerprint of the schema that is about to be loaded, ""
// for none. Any goroutine may call it.
func (p *Poll) Loading(fingerprint string) {
	if fingerprint == "" {
		p.loaded.Store(nil)
		return
	}
	p.loaded.Store(&fingerprint)
}

// Run looks until ctx ends.
func (p *Poll) Run(ctx context.Context) {
	for {
		var tick <-chan time.Time
		if interval := p.host.PollInterval(); interval > 0 {
			tick = time.After(interval)
		}
		select {
		case <-ctx.Done():
			return
		case <-p.changed:
		case <-tick:
			p.look(ctx)
		}
	}
}

func (p *Poll) look(ctx context.Context) {
	print, err := p.host.Look(ctx, p.loaded.Load() != nil)
	switch loaded := p.loaded.Load(); {
	case ctx.Err() != nil:
	case err != nil:
		// Most likely the database is away, and the log says so already.
		if !p.failed {
			p.host.PollFailed(err)
		}
	case print == "": // nothing was written since the last look
	case loaded == nil:
		// Polling was off when the catalog was loaded.
		p.wishes.Ask(ReloadCatalog)
	case print != *loaded:
		p.host.SchemaChanged()
		p.wishes.Ask(ReloadCatalog)
	}
	p.failed = err != nil
}
