package keysets

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/fastgrest/fastgrest/pgwire/backoff"
	"github.com/fastgrest/fastgrest/server/auth"
)

// set is one key set. It implements auth.KeySource.
type set struct {
	store  *Store
	remote auth.Remote
	keys   atomic.Pointer[auth.Keys]
	ask    chan struct{} // holds one token if the set is wanted before its time
	tried  chan struct{} // closed after the first fetch
	stop   context.CancelFunc

	mu      sync.Mutex
	unknown time.Time // from then on an unknown key is a reason to fetch
	wanted  bool      // a token had an unknown key, and no fetch has succeeded since
	next    time.Time // when the set is fetched again
	state   Figures
}

func newSet(s *Store, r auth.Remote) *set {
	return &set{
		store: s, remote: r, ask: make(chan struct{}, 1), tried: make(chan struct{}), stop: func() {},
		state: Figures{From: r.String()},
	}
}

// Keys implements auth.KeySource.
func (k *set) Keys() *auth.Keys { return k.keys.Load() }

// Unknown implements auth.KeySource.
func (k *set) Unknown() bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	if now := time.Now(); !now.Before(k.unknown) {
		k.unknown = now.Add(k.store.options.Limits.Unknown)
		k.wanted = true
		wake(k.ask)
	}
	return k.wanted
}

// RetryAfter implements auth.KeySource.
func (k *set) RetryAfter() int {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.wanted && k.state.Problem == "" { // the fetch has begun
		return 1
	}
	return max(1, int((time.Until(k.next)+time.Second-1)/time.Second))
}

// run fetches the set until ctx ends.
func (k *set) run(ctx context.Context) {
	pauses := backoff.Backoff{First: firstPause, Last: longestPause}
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		case <-k.ask:
		}
		timer.Reset(k.fetch(ctx, &pauses))
	}
}

// fetch fetches the set once, and returns when to fetch it again.
func (k *set) fetch(ctx context.Context, pauses *backoff.Backoff) (pause time.Duration) {
	k.mu.Lock()
	because := k.wanted // a key that becomes unknown later needs a fetch that begins later
	k.mu.Unlock()
	before := k.keys.Load()
	keys, lifetime, err := k.store.fetch(ctx, k.remote, before)
	if ctx.Err() != nil {
		return longestPause // run ends
	}
	pause = lifetime
	if err != nil {
		pause = pauses.Next()
	} else {
		pauses.Reset()
		k.keys.Store(keys)
	}

	k.mu.Lock()
	recovered := k.state.Problem != ""
	k.next = time.Now().Add(pause)
	if because && err == nil {
		k.wanted = false
	}
	if err != nil {
		k.state.Failed++
		k.state.Problem = shorten(err)
	} else {
		k.state.Fetched++
		k.state.Problem, k.state.At, k.state.Keys = "", time.Now(), keys.Len()
	}
	first := k.state.Fetched+k.state.Failed == 1
	k.mu.Unlock()

	if err != nil {
		k.store.options.Log.KeysFailed(k.remote.String(), shorten(err), pause)
	} else if recovered || keys != before {
		k.store.options.Log.KeysFetched(k.remote.String(), keys.Len())
	}
	if first {
		close(k.tried)
	}
	return pause
}

func (k *set) figures() Figures {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.state
}

func wake(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
