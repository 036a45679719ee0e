package server

import (
	"context"
	"reflect"
	"sync/atomic"
	"time"
)

// reloader takes requests for reloads. Requests of one kind that wait are one
// request. reloadLoop serves them.
type reloader struct {
	catalog chan struct{} // load the schema
	config  chan struct{} // read the configuration
	strayed chan struct{} // the pool has left its server: listen on the new one
	polling chan struct{} // for pollSchema: db-schema-poll-interval may have changed
	reached chan struct{} // for the listener: the pool has reached the database

	first  chan struct{} // closed after the first attempt to load a catalog
	ready  chan struct{} // closed after the first catalog
	begun  atomic.Bool   // a catalog has been asked for
	loaded atomic.Bool   // the catalog in force is the one last asked for

	reads  atomic.Uint64          // configurations that were begun to be read
	stored atomic.Pointer[stored] // settings of the database, as last read

	// fingerprint is that of the schema last loaded, "" if none was taken.
	fingerprint atomic.Pointer[string]

	suspicion suspicion // that the catalog in force is out of date; see stale.go
}

func (r *reloader) init() {
	r.catalog = make(chan struct{}, 1)
	r.config = make(chan struct{}, 1)
	r.strayed = make(chan struct{}, 1)
	r.polling = make(chan struct{}, 1)
	r.reached = make(chan struct{}, 1)
	r.first = make(chan struct{})
	r.ready = make(chan struct{})
	r.stored.Store(&stored{})
	r.suspicion.delay = suspicionDelay
}

func (r *reloader) wantCatalog() { wish(r.catalog) }
func (r *reloader) wantConfig()  { wish(r.config) }

func wish(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

const (
	firstDelay = time.Second
	maxDelay   = 32 * time.Second
)

// nextDelay is how long to wait after one more failure.
func nextDelay(delay time.Duration) time.Duration { return min(max(delay*2, firstDelay), maxDelay) }

// startReloads starts the listener and then loads the first catalog. The
// channel it returns is closed when the loop has ended.
func (s *Server) startReloads(ctx context.Context) <-chan struct{} {
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		s.reloadLoop(ctx)
	}()
	return ended
}

// reloadLoop is the only place where configuration, catalog and listener are
// changed. What asks the database, which can take long and fail, runs in
// goroutines beside it, so that the loop hears every request at once, also
// while a catalog is being loaded and while it waits to try again.
func (s *Server) reloadLoop(ctx context.Context) {
	l := reloadState{server: s, ctx: ctx, configs: make(chan *configRead), catalogs: make(chan *catalogRead)}
	defer s.stopListener()
	// The first catalog is not read before we listen, so that no notification is
	// lost between them.
	listening, late := s.startListener(ctx), time.After(listenPatience)
	for {
		select {
		case <-ctx.Done():
			return
		case <-listening:
			listening, late = nil, nil
			l.load()
		case <-late:
			listening, late = nil, nil
			l.load()
		case <-s.reloads.config:
			l.readConfig()
		case <-s.reloads.catalog:
			l.load()
		case <-s.reloads.strayed:
			// The old server sends no notifications, and those that the new one has
			// sent meanwhile are lost.
			s.relisten(ctx)
			l.load()
		case <-l.retry:
			l.load()
		case r := <-l.configs:
			l.configRead(r)
		case r := <-l.catalogs:
			l.catalogRead(r)
		}
	}
}

// listenPatience is how long the first catalog waits for the listener.
const listenPatience = 2 * time.Second

// reloadState is what reloadLoop knows.
type reloadState struct {
	server *Server
	ctx    context.Context

	reading  bool // a configuration, for its own sake
	reread   bool // it was asked for once more meanwhile
	configs  chan *configRead
	newest   uint64 // number of the configuration in force
	loading  bool   // a catalog
	reload   bool   // it was asked for once more meanwhile
	catalogs chan *catalogRead
	delay    time.Duration
	retry    <-chan time.Time // when to load after a failure; nil: no failure
}

// readConfig begins to read the configuration.
func (l *reloadState) readConfig() {
	if l.reading {
		l.reread = true
		return
	}
	l.reading, l.reread = true, false
	go func() {
		r := l.server.readConfiguration(l.ctx)
		r.alone = true
		deliver(l.ctx, l.configs, r)
	}()
}

// load begins to load the catalog. A configuration that is being read comes
// first, because the catalog depends on it.
func (l *reloadState) load() {
	l.retry = nil
	if l.loading || l.reading {
		l.reload = true
		return
	}
	l.loading, l.reload = true, false
	l.server.reloads.begun.Store(true)
	go func() {
		deliver(l.ctx, l.catalogs, l.server.readEverything(l.ctx, func(r *configRead) {
			r.inForce = make(chan struct{})
			deliver(l.ctx, l.configs, r)
			select {
			case <-r.inForce:
			case <-l.ctx.Done():
			}
		}))
	}()
}

func deliver[T any](ctx context.Context, c chan<- T, v T) {
	select {
	case c <- v:
	case <-ctx.Done():
	}
}

// configRead puts a configuration in force.
func (l *reloadState) configRead(r *configRead) {
	changed := false
	// One that another has overtaken is of no use.
	if r.number > l.newest {
		l.newest = r.number
		changed = l.server.applyConfig(l.ctx, r)
	}
	if r.inForce != nil {
		close(r.inForce)
	}
	if !r.alone {
		return
	}
	l.reading = false
	switch {
	case l.reread:
		l.readConfig()
	case l.reload, changed && l.retry != nil: // the reason of the failure may be gone
		l.load()
	}
}

// catalogRead puts a catalog in force, or plans the next attempt.
func (l *reloadState) catalogRead(r *catalogRead) {
	s := l.server
	l.loading = false
	err := s.applyCatalog(r)
	switch {
	case err == nil:
		closeOnce(s.reloads.first)
		l.delay = 0
		s.delay.Store(0)
		closeOnce(s.reloads.ready)
		// The configuration may have changed while the catalog was being read.
		if l.reload || !reflect.DeepEqual(r.options, catalogOptions(s.config())) {
			l.load()
		}
	case l.ctx.Err() != nil, Logged(err): // the process ends
	case !s.config().DBPoolAutomaticRecovery:
		s.giveUp(err)
	default:
		closeOnce(s.reloads.first)
		l.delay = nextDelay(l.delay)
		s.delay.Store(int64(l.delay / time.Second))
		s.log.Reconnecting(l.delay)
		l.retry = time.After(l.delay)
		if l.reload {
			l.load()
		}
	}
}

// closeOnce closes a channel that only this goroutine closes.
func closeOnce(c chan struct{}) {
	select {
	case <-c:
	default:
		close(c)
	}
}
