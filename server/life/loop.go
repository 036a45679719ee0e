package life

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/fastgrest/fastgrest/pgwire/backoff"
)

// World is what the loop reads and changes.
type World interface {
	// ReadConfig reads the configuration. It runs in a goroutine beside the loop.
	ReadConfig(context.Context) Config
	// ReadCatalog reads the catalog. If the database keeps settings, it reads
	// the configuration first and passes it to inForce, which returns when the
	// loop has put it in force. fresh: the configuration was just read and is
	// not read again. It runs in a goroutine beside the loop.
	ReadCatalog(ctx context.Context, fresh bool, inForce func(Config)) Catalog
	// Retrying tells that the next attempt to load the catalog comes after the
	// pause. It runs in the loop.
	Retrying(pause time.Duration)
}

// Config is a configuration that was read.
type Config interface {
	// Number counts configurations in the order in which reading them began,
	// from 1.
	Number() uint64
	// Install puts the configuration in force. It runs in the loop. changed: it
	// differs from the one before. complete: it has all that loading the catalog
	// would read, so that loading need not read it again.
	Install() (changed, complete bool)
}

// Catalog is a catalog that was read, or the reason why there is none.
type Catalog interface {
	// Install puts the catalog in force. It runs in the loop.
	Install() Outcome
}

// Outcome is the result of loading a catalog.
type Outcome uint8

const (
	Loaded      Outcome = iota // the catalog is in force
	Outdated                   // it is in force, but the configuration has changed since it was read
	Unreachable                // the database could not be reached; the last catalog stays in force
	Failed                     // the catalog could not be read; the last one stays in force
	Ending                     // the process ends
)

// Notifications is the listener, as the loop sees it. Only the loop calls it.
type Notifications interface {
	// Start starts to listen, if that is configured. The channel is closed when
	// that has succeeded or failed for the first time.
	Start(context.Context) (tried <-chan struct{})
	// Follow starts or stops to listen as the configuration in force says.
	Follow(context.Context)
	// Restart listens anew.
	Restart(context.Context)
	// Stop waits until nothing listens any more.
	Stop()
}

const (
	// listenPatience is how long the first load waits for the listener.
	listenPatience = 2 * time.Second
	// firstPause and longestPause bound the pauses between attempts to load.
	firstPause   = time.Second
	longestPause = 32 * time.Second
)

// Loop hears wishes and has them served. Any goroutine may call its methods,
// except Run.
type Loop struct {
	Wishes
	Suspicion Suspicion

	begun  atomic.Bool   // the first load has begun
	tried  chan struct{} // see Tried
	ready  chan struct{} // see Ready
	loaded atomic.Bool   // see Loaded
	pause  atomic.Int64  // see Pause
}

// New makes a loop that hears wishes from now on. Run serves them.
func New() *Loop {
	l := &Loop{Wishes: newWishes(), tried: make(chan struct{}), ready: make(chan struct{})}
	l.Suspicion.Delay, l.Suspicion.wishes = suspicionDelay, &l.Wishes
	return l
}

// Tried is closed when the first attempt to load a catalog has ended, unless
// it ended the process.
func (l *Loop) Tried() <-chan struct{} { return l.tried }

// Ready is closed when the first catalog is in force.
func (l *Loop) Ready() <-chan struct{} { return l.ready }

// Loaded reports whether the last load put its catalog in force. A database
// that cannot be reached leaves it as it was.
func (l *Loop) Loaded() bool { return l.loaded.Load() }

// Pause returns how long the loop waits before it tries again, counted from the
// last failure. It is 0 if the last load succeeded.
func (l *Loop) Pause() time.Duration { return time.Duration(l.pause.Load()) }

// Run starts the listener, loads the first catalog and then serves wishes until
// ctx ends.
func (l *Loop) Run(ctx context.Context, w World, n Notifications) {
	r := run{
		Loop: l, ctx: ctx, world: w, listener: n,
		configs: make(chan configRead), catalogs: make(chan Catalog),
		backoff: backoff.Backoff{First: firstPause, Last: longestPause},
	}
	defer n.Stop()
	// The first catalog is not read before we listen, so that no notification is
	// lost between them.
	listening, late := n.Start(ctx), time.After(listenPatience)
	for {
		select {
		case <-ctx.Done():
			return
		case <-listening:
			listening = nil
			r.start()
		case <-late:
			r.start()
		case <-l.wake:
			r.hear(l.Take())
		case <-r.retry:
			r.hear(ReloadCatalog)
		case c := <-r.configs:
			r.configRead(c)
		case c := <-r.catalogs:
			r.catalogRead(c)
		}
	}
}

// state is that of the catalog; see the package comment.
type state uint8

const (
	starting state = iota
	loading
	loaded
	retrying
	stopping
)

// run is the state of the loop. Only the goroutine of Run uses it.
type run struct {
	*Loop
	ctx      context.Context
	world    World
	listener Notifications

	state   state
	reading bool // a configuration is being read for itself, not as part of a load
	wanted  Wish // heard and not begun
	fresh   bool // the last configuration began to be read after all wishes for a catalog, and is complete

	newest   uint64 // number of the configuration in force
	backoff  backoff.Backoff
	retry    <-chan time.Time // when to load after a failure; nil: not planned
	configs  chan configRead
	catalogs chan Catalog
}

// configRead is a configuration for the loop to put in force.
type configRead struct {
	Config
	inForce chan struct{} // closed when that is done, if the configuration is part of a load; else nil
}

// start begins the first load, if no wish has begun it already.
func (r *run) start() {
	if r.state == starting {
		r.hear(ReloadCatalog)
	}
}

// hear takes wishes, in whatever state.
func (r *run) hear(w Wish) {
	if r.state == stopping {
		return
	}
	if w&Relisten != 0 {
		r.listener.Restart(r.ctx)
		w |= ReloadCatalog
	}
	if w&ReloadCatalog != 0 {
		r.fresh = false
	}
	r.wanted |= w & (ReloadConfig | ReloadCatalog)
	r.next()
}

// next begins what is wanted and can begin. The configuration comes first,
// because the catalog depends on it.
func (r *run) next() {
	if r.state == stopping || r.reading {
		return
	}
	if r.wanted&ReloadConfig != 0 {
		r.wanted &^= ReloadConfig
		r.reading, r.fresh = true, true
		go func() { deliver(r.ctx, r.configs, configRead{Config: r.world.ReadConfig(r.ctx)}) }()
		return
	}
	if r.wanted&ReloadCatalog != 0 && r.state != loading {
		r.wanted &^= ReloadCatalog
		r.state, r.retry = loading, nil
		r.begun.Store(true)
		fresh := r.fresh
		go func() { deliver(r.ctx, r.catalogs, r.world.ReadCatalog(r.ctx, fresh, r.inForce)) }()
	}
}

// inForce has the loop put the configuration in force and waits for that, or for
// the end of ctx. A goroutine beside the loop calls it.
func (r *run) inForce(c Config) {
	done := make(chan struct{})
	deliver(r.ctx, r.configs, configRead{c, done})
	select {
	case <-done:
	case <-r.ctx.Done():
	}
}

func deliver[T any](ctx context.Context, c chan<- T, v T) {
	select {
	case c <- v:
	case <-ctx.Done():
	}
}

// configRead puts a configuration in force.
func (r *run) configRead(c configRead) {
	if r.ctx.Err() != nil || r.state == stopping {
		return
	}
	var changed, complete bool
	// A newer one may have been read in less time.
	if c.Number() > r.newest {
		r.newest = c.Number()
		changed, complete = c.Install()
		if changed {
			r.listener.Follow(r.ctx)
		}
	}
	if c.inForce != nil {
		close(c.inForce)
		return
	}
	r.reading = false
	r.fresh = r.fresh && complete
	if changed && r.state == retrying { // the reason of the failure may be gone
		r.wanted |= ReloadCatalog
	}
	r.next()
}

// catalogRead puts a catalog in force, or plans the next attempt.
func (r *run) catalogRead(c Catalog) {
	if r.ctx.Err() != nil {
		return
	}
	outcome := c.Install()
	if outcome != Unreachable {
		r.loaded.Store(outcome <= Outdated)
	}
	switch outcome {
	case Loaded, Outdated:
		r.state = loaded
		r.backoff.Reset()
		r.pause.Store(0)
		closeOnce(r.tried)
		closeOnce(r.ready)
		if outcome == Outdated {
			r.wanted |= ReloadCatalog
		}
	case Unreachable, Failed:
		r.state = retrying
		pause := r.backoff.Next()
		r.pause.Store(int64(pause))
		closeOnce(r.tried)
		r.world.Retrying(pause)
		r.retry = time.After(pause)
	case Ending:
		r.state = stopping
	}
	r.next()
}

// closeOnce closes a channel that only the loop closes.
func closeOnce(c chan struct{}) {
	select {
	case <-c:
	default:
		close(c)
	}
}
