package keysets

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/fastgrest/fastgrest/server/auth"
)

// Options configure a Store.
type Options struct {
	Log       Log
	UserAgent string
	Transport http.RoundTripper // nil: one with the certificates of the system
	Limits    Limits
}

// Log is told what happens to the key sets.
type Log interface {
	// KeysFetched is a fetch whose keys differ from those before, or that follows a
	// failure.
	KeysFetched(from string, keys int)
	// KeysFailed is a fetch that has failed. The next one is after the pause.
	KeysFailed(from, problem string, pause time.Duration)
}

// Limits say when key sets are fetched. The zero value of a field selects its default.
type Limits struct {
	Shortest time.Duration // lifetime of a set; default: 1 minute
	Longest  time.Duration // default: 24 hours
	Unknown  time.Duration // between fetches because of unknown keys; default: 1 minute
}

const (
	usualLifetime = 5 * time.Minute // of a set without Cache-Control
	patience      = 10 * time.Second
	firstPause    = time.Second // after a failure
	longestPause  = time.Minute
)

// Store has the key sets of a server. Its methods may be called by many goroutines.
type Store struct {
	options Options
	client  *http.Client

	mu      sync.Mutex
	sets    map[auth.Remote]*set
	running context.Context // that of Run, while it runs
	ended   sync.WaitGroup
}

// New returns a Store without key sets. Run fetches.
func New(o Options) *Store {
	o.Limits.Shortest = cmp.Or(o.Limits.Shortest, time.Minute)
	o.Limits.Longest = cmp.Or(o.Limits.Longest, 24*time.Hour)
	o.Limits.Unknown = cmp.Or(o.Limits.Unknown, time.Minute)
	return &Store{options: o, client: newClient(o), sets: map[auth.Remote]*set{}}
}

// Source returns the keys of a remote. The Store fetches them from the first call on,
// until Keep is called without the remote.
func (s *Store) Source(r auth.Remote) auth.KeySource {
	s.mu.Lock()
	defer s.mu.Unlock()
	k := s.sets[r]
	if k == nil {
		k = newSet(s, r)
		s.sets[r] = k
		s.start(k)
	}
	return k
}

// start begins to fetch a set if Run has been called. The caller holds mu.
func (s *Store) start(k *set) {
	if s.running == nil {
		return
	}
	ctx, stop := context.WithCancel(s.running)
	k.stop = stop
	s.ended.Go(func() { k.run(ctx) })
}

// Keep stops fetching all sets but these.
func (s *Store) Keep(remotes []auth.Remote) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for r, k := range s.sets {
		if !slices.Contains(remotes, r) {
			delete(s.sets, r)
			k.stop()
		}
	}
}

// Run fetches until ctx ends.
func (s *Store) Run(ctx context.Context) {
	s.mu.Lock()
	s.running = ctx
	for _, k := range s.sets {
		s.start(k)
	}
	s.mu.Unlock()
	<-ctx.Done()
	s.mu.Lock()
	s.running = nil // no set is started from now on
	s.mu.Unlock()
	s.ended.Wait()
	s.client.CloseIdleConnections()
}

// Refresh fetches all sets now, except for those whose first fetch has not ended.
func (s *Store) Refresh() {
	for _, k := range s.list() {
		select {
		case <-k.tried:
			wake(k.ask)
		default:
		}
	}
}

// Wait returns when each set was fetched, or could not be fetched, or ctx ends.
func (s *Store) Wait(ctx context.Context) {
	for _, k := range s.list() {
		select {
		case <-k.tried:
		case <-ctx.Done():
			return
		}
	}
}

func (s *Store) list() (list []*set) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, k := range s.sets {
		list = append(list, k)
	}
	return list
}

func (s *Store) has(r auth.Remote) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.sets[r] != nil
}

// Figures describe a key set.
type Figures struct {
	From            string // the URL or the issuer
	Keys            int
	At              time.Time // of the last successful fetch; zero before the first
	Fetched, Failed uint64
	Problem         string // why the last fetch failed; "" if it succeeded
}

// Figures returns those of all sets, sorted by From.
func (s *Store) Figures() (list []Figures) {
	for _, k := range s.list() {
		f := k.figures()
		if s.has(auth.Remote{URL: k.remote.Issuer}) { // From tells the sets apart
			f.From += " (discovery)"
		}
		list = append(list, f)
	}
	slices.SortFunc(list, func(a, b Figures) int { return cmp.Compare(a.From, b.From) })
	return list
}
