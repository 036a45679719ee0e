package auth

import (
	"hash/maphash"
	"math/bits"
	"sync"
	"sync/atomic"
)

// cache stores verified tokens. Reads are lock-free: buckets and chains are
// atomic pointers to entries that are immutable except for the SIEVE mark.
// A mutex serializes writes, each of which follows an expensive signature check.
//
// Eviction is SIEVE, as in PostgREST. Entries queue in order of arrival, and a
// hit only sets a mark. A hand walks from old to new entries. It clears the
// marks it passes and evicts the first entry without one. A token used once has
// no mark, so a scan cannot evict the tokens in use.
//
// The cache is bounded by the number of entries and by their bytes.
type cache struct {
	seed    maphash.Seed // random, so that clients cannot target one bucket
	buckets []atomic.Pointer[entry]
	counts  [countStripes]counters

	mu         sync.Mutex
	maxEntries int
	maxBytes   int
	entries    int
	bytes      int
	newest     *entry
	oldest     *entry
	hand       *entry // the next entry to examine; nil: the oldest
	evictions  atomic.Uint64
}

type entry struct {
	hash   uint64
	token  string
	v      verified
	size   int
	marked atomic.Bool
	chain  atomic.Pointer[entry] // next in the bucket

	newer, older *entry // guarded by cache.mu
}

// Counters are sharded by hash, each on a separate cache line, so that hits do
// not contend for them.
const countStripes = 8

type counters struct {
	requests, hits atomic.Uint64
	_              [48]byte
}

const (
	maxBuckets    = 1 << 17
	entryOverhead = 320 // an entry, its bucket and the headers of its texts
	bytesPerEntry = 16 << 10
	maxCacheBytes = 64 << 20
)

// newCache returns nil, an absent cache, if maxEntries is 0 or less.
func newCache(maxEntries, maxBytes int) *cache {
	if maxEntries <= 0 {
		return nil
	}
	if maxBytes <= 0 {
		maxBytes = maxCacheBytes
		if maxEntries < maxCacheBytes/bytesPerEntry {
			maxBytes = maxEntries * bytesPerEntry
		}
	}
	n := maxBuckets
	if maxEntries < maxBuckets {
		n = 1 << bits.Len(uint(maxEntries))
	}
	return &cache{
		seed:       maphash.MakeSeed(),
		buckets:    make([]atomic.Pointer[entry], n),
		maxEntries: maxEntries,
		maxBytes:   maxBytes,
	}
}

func (c *cache) bucket(hash uint64) *atomic.Pointer[entry] {
	return &c.buckets[hash&uint64(len(c.buckets)-1)]
}

func (c *cache) get(token []byte) *verified {
	hash := maphash.Bytes(c.seed, token)
	count := &c.counts[hash>>32%countStripes]
	count.requests.Add(1)
	e := c.find(hash, token)
	if e == nil {
		return nil
	}
	count.hits.Add(1)
	// Only the first hit after the hand has passed writes the mark, so the cache
	// line stays shared between processors.
	if !e.marked.Load() {
		e.marked.Store(true)
	}
	return &e.v
}

// find may miss an entry whose chain is being changed. This counts as a miss.
func (c *cache) find(hash uint64, token []byte) *entry {
	for e := c.bucket(hash).Load(); e != nil; e = e.chain.Load() {
		if e.hash == hash && e.token == string(token) {
			return e
		}
	}
	return nil
}

func (c *cache) put(token []byte, v *verified) {
	e := &entry{
		hash:  maphash.Bytes(c.seed, token),
		token: string(token),
		v:     *v,
		size:  len(token) + len(v.identity.Role) + len(v.identity.Claims) + entryOverhead,
	}
	if e.size > c.maxBytes {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if old := c.find(e.hash, token); old != nil {
		if old.v.current() {
			return // another request stored the token first
		}
		c.remove(old)
	}
	for c.entries >= c.maxEntries || c.bytes+e.size > c.maxBytes {
		c.evict()
	}
	c.entries++
	c.bytes += e.size
	e.older = c.newest
	if c.newest != nil {
		c.newest.newer = e
	} else {
		c.oldest = e
	}
	c.newest = e
	bucket := c.bucket(e.hash)
	e.chain.Store(bucket.Load())
	bucket.Store(e)
}

// drop removes a token, if it is there.
func (c *cache) drop(token []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if e := c.find(maphash.Bytes(c.seed, token), token); e != nil {
		c.remove(e)
	}
}

// evict drops one entry; the cache must not be empty. The hand clears all marks
// in its first round and finds an entry in the second, unless hits set marks as
// fast as the hand clears them. The number of rounds is therefore limited to two.
func (c *cache) evict() {
	e := c.hand
	for tries := 2 * c.entries; ; tries-- {
		if e == nil {
			e = c.oldest
		}
		if tries <= 0 || !e.marked.Swap(false) {
			break
		}
		e = e.newer
	}
	c.hand = e
	c.remove(e)
	c.evictions.Add(1)
}

func (c *cache) remove(e *entry) {
	c.entries--
	c.bytes -= e.size
	if c.hand == e {
		c.hand = e.newer
	}
	if e.older != nil {
		e.older.newer = e.newer
	} else {
		c.oldest = e.newer
	}
	if e.newer != nil {
		e.newer.older = e.older
	} else {
		c.newest = e.older
	}
	// A reader at e continues along e.chain, which does not change.
	link := c.bucket(e.hash)
	for link.Load() != e {
		link = &link.Load().chain
	}
	link.Store(e.chain.Load())
}

// CacheStats has the counters of the token cache since it was made.
type CacheStats struct {
	Requests, Hits, Evictions uint64
	Entries, Bytes            int
}

// CacheStats returns the counters, all zero without a cache.
func (a *Authenticator) CacheStats() CacheStats {
	c := a.cache
	if c == nil {
		return CacheStats{}
	}
	var s CacheStats
	for i := range c.counts {
		s.Requests += c.counts[i].requests.Load()
		s.Hits += c.counts[i].hits.Load()
	}
	s.Evictions = c.evictions.Load()
	c.mu.Lock()
	s.Entries, s.Bytes = c.entries, c.bytes
	c.mu.Unlock()
	return s
}
