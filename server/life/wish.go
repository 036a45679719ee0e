package life

import (
	"context"
	"os"
	"os/signal"
	"sync/atomic"
	"syscall"
	"time"
)

// Wish is what the loop is asked for, as bits.
type Wish uint32

const (
	ReloadConfig  Wish = 1 << iota // read the configuration
	ReloadCatalog                  // load the catalog
	// Relisten starts the listener anew and loads the catalog: the old server
	// sends no notifications, and those of the new one were missed.
	Relisten
)

// Wishes holds what was asked for and not yet taken. All methods may be called
// by any goroutine.
type Wishes struct {
	waiting atomic.Uint32
	wake    chan struct{} // holds a value while there may be something to take
}

func newWishes() Wishes { return Wishes{wake: make(chan struct{}, 1)} }

// Ask adds to the waiting wishes. It does not block. The wishes of one call
// are heard together.
func (w *Wishes) Ask(wish Wish) {
	w.waiting.Or(uint32(wish))
	wake(w.wake)
}

// Waiting returns the waiting wishes.
func (w *Wishes) Waiting() Wish { return Wish(w.waiting.Load()) }

// Take returns the waiting wishes and removes them.
func (w *Wishes) Take() Wish { return Wish(w.waiting.Swap(0)) }

// wake sends on a channel of capacity 1, unless it holds a value already.
func wake(c chan<- struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// Signals asks for the catalog on SIGUSR1, for the configuration on SIGUSR2 and
// for both on SIGHUP, until ctx ends. From then until stop is called the signals
// are ignored: their default action is to kill the process, which may still have
// requests to finish.
func (w *Wishes) Signals(ctx context.Context) (stop func()) {
	c := make(chan os.Signal, 4)
	signal.Notify(c, syscall.SIGUSR1, syscall.SIGUSR2, syscall.SIGHUP)
	go func() {
		for {
			select {
			case <-ctx.Done():
				return
			case s := <-c:
				w.Ask(wishOf(s))
			}
		}
	}()
	return func() { signal.Stop(c) }
}

func wishOf(s os.Signal) Wish {
	switch s {
	case syscall.SIGUSR1:
		return ReloadCatalog
	case syscall.SIGUSR2:
		return ReloadConfig
	}
	return ReloadConfig | ReloadCatalog
}

// Suspicion makes one wish for a catalog of many reasons to think that the
// catalog in force is out of date.
type Suspicion struct {
	Delay time.Duration // between the first reason and the wish

	wishes  *Wishes
	pending atomic.Bool
}

// suspicionDelay is how long the reload waits for further changes. A migration
// makes many of them.
const suspicionDelay = 5 * time.Second

// Raise asks for a reload of the catalog after the delay. Any goroutine may
// call it; it does not block.
func (s *Suspicion) Raise() {
	if s.pending.CompareAndSwap(false, true) {
		time.AfterFunc(s.Delay, func() {
			s.pending.Store(false)
			s.wishes.Ask(ReloadCatalog)
		})
	}
}

// Pending reports whether the delay runs.
func (s *Suspicion) Pending() bool { return s.pending.Load() }
