package auth

import (
	"fmt"
	"strings"
	"sync"
	"testing"
)

func fakeToken(n int) []byte { return fmt.Appendf(nil, "token-%d", n) }

func fakeVerified(n int) *verified {
	return &verified{identity: Identity{Role: fmt.Sprint(n)}}
}

// load looks a token up and then stores it, as an Authenticator does.
func (c *cache) load(n int) (hit bool) {
	if v := c.get(fakeToken(n)); v != nil {
		if v.identity.Role != fmt.Sprint(n) {
			panic("the cache mixed tokens up")
		}
		return true
	}
	c.put(fakeToken(n), fakeVerified(n))
	return false
}

// check compares the queue, the chains and the sums.
func (c *cache) check(t *testing.T) {
	t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	n, bytes := 0, 0
	var previous *entry
	for e := c.oldest; e != nil; previous, e = e, e.newer {
		if e.older != previous {
			t.Fatal("the queue is torn")
		}
		if c.find(e.hash, []byte(e.token)) != e {
			t.Fatalf("%s is in the queue but not in its bucket", e.token)
		}
		n, bytes = n+1, bytes+e.size
	}
	chained := 0
	for i := range c.buckets {
		for e := c.buckets[i].Load(); e != nil; e = e.chain.Load() {
			chained++
		}
	}
	if previous != c.newest || n != c.entries || bytes != c.bytes || chained != n || n > c.maxEntries || bytes > c.maxBytes {
		t.Fatalf("queued %d, chained %d, counted %d of %d, %d bytes, counted %d of %d", n, chained, c.entries, c.maxEntries, bytes, c.bytes, c.maxBytes)
	}
}

func TestCacheBounds(t *testing.T) {
	for _, size := range []int{1, 2, 3, 17, 1000} {
		c := newCache(size, 0)
		for i := range 5 * size {
			c.load(i)
			c.load(i / 2)
		}
		c.check(t)
		if c.entries != size {
			t.Errorf("of %d entries %d are there", size, c.entries)
		}
	}
	c := newCache(1000, 10*(entryOverhead+20))
	for i := range 100 {
		c.load(i)
	}
	c.check(t)
	if c.entries < 9 || c.entries > 11 {
		t.Errorf("%d entries in the bytes of ten", c.entries)
	}
	c.put([]byte(strings.Repeat("x", c.maxBytes)), fakeVerified(0))
	if c.check(t); c.entries < 9 {
		t.Errorf("an entry that cannot fit drove others out: %d are left", c.entries)
	}
	c.put(fakeToken(99), fakeVerified(99)) // again
	c.check(t)
	if newCache(0, 0) != nil || newCache(-1, 0) != nil {
		t.Error("a cache of no entries")
	}
	if c := newCache(1<<40, 0); len(c.buckets) != maxBuckets || c.maxBytes != maxCacheBytes {
		t.Errorf("%d buckets, %d bytes", len(c.buckets), c.maxBytes)
	}
}

// TestSieve: tokens in use survive a stream of tokens that are used once.
func TestSieve(t *testing.T) {
	c := newCache(10, 0)
	for i := range 5 {
		c.load(i)
	}
	for stream := range 1000 {
		c.load(1000 + stream)
		if stream%3 == 0 {
			for i := range 5 {
				if !c.load(i) {
					t.Fatalf("after %d tokens used once, token %d in use was gone", stream, i)
				}
			}
		}
	}
	c.check(t)
	if got := c.evictions.Load(); got != 995 {
		t.Errorf("%d evictions", got)
	}
	// With every mark set, the oldest entry is evicted.
	c = newCache(4, 0)
	for i := range 4 {
		c.load(i)
		c.load(i)
	}
	c.load(4)
	if c.get(fakeToken(0)) != nil || c.get(fakeToken(1)) == nil {
		t.Error("not the oldest went")
	}
	c.check(t)
}

func TestCacheStats(t *testing.T) {
	a := newAuthenticator(t, Options{Secret: []byte(secret), RoleClaimKey: "$.role", AnonRole: "anon", CacheMaxEntries: 2})
	for _, payload := range []string{`{"n":1}`, `{"n":2}`, `{"n":1}`, `{"n":3}`, `{"n":1}`} {
		outcome(a, "Bearer "+hs256(payload), noon)
	}
	outcome(a, "Bearer x", noon)
	outcome(a, "", noon)
	if s := a.CacheStats(); s.Requests != 6 || s.Hits != 2 || s.Evictions != 1 || s.Entries != 2 || s.Bytes < 2*entryOverhead {
		t.Errorf("%+v", s)
	}
	a = newAuthenticator(t, Options{Secret: []byte(secret), RoleClaimKey: "$.role"})
	outcome(a, "Bearer "+hs256(`{"role":"x"}`), noon)
	if s := a.CacheStats(); s != (CacheStats{}) {
		t.Errorf("without a cache: %+v", s)
	}
}

// TestCacheConcurrently is for the race detector: many readers and writers on
// a cache too small for them, each getting its own.
func TestCacheConcurrently(t *testing.T) {
	c := newCache(50, 0)
	var wg sync.WaitGroup
	for worker := range 8 {
		wg.Go(func() {
			for i := range 3000 {
				c.load((i*7 + worker*i) % 120)
			}
		})
	}
	wg.Wait()
	c.check(t)
}

func TestIdentifyConcurrently(t *testing.T) {
	a := newAuthenticator(t, Options{Secret: []byte(hostileKeys()), RoleClaimKey: "$.role", AnonRole: "anon", CacheMaxEntries: 20})
	headers := make([]string, 40)
	for i := range headers {
		headers[i] = "Bearer " + hs256(fmt.Sprintf(`{"role":"r%d"}`, i))
	}
	var wg sync.WaitGroup
	for worker := range 4 {
		wg.Go(func() {
			for i := range 500 {
				n := (i*3 + worker) % len(headers)
				if got, want := outcome(a, headers[n], noon), fmt.Sprintf(`r%d {"role":"r%d"}`, n, n); got != want {
					t.Errorf("got %s, want %s", got, want)
					return
				}
			}
		})
	}
	wg.Wait()
	a.cache.check(t)
}

// TestSameBucket: tokens with a common prefix, in the same bucket or with equal
// hashes are distinct.
func TestSameBucket(t *testing.T) {
	c := newCache(4, 0)
	c.buckets = c.buckets[:1]
	name := func(i int) string { return strings.Repeat("x", 500) + string(rune('a'+i)) }
	for i := range 4 {
		c.put([]byte(name(i)), &verified{identity: Identity{Role: name(i)[500:]}})
	}
	for e := c.buckets[0].Load(); e != nil; e = e.chain.Load() {
		e.hash = 7 // as if all had the same
	}
	for i := range 4 {
		e := c.find(7, []byte(name(i)))
		if e == nil || e.v.identity.Role != name(i)[500:] {
			t.Errorf("%d: %+v", i, e)
		}
	}
	for _, other := range []string{name(4), name(0)[:500], name(0) + "a", ""} {
		if e := c.find(7, []byte(other)); e != nil {
			t.Errorf("%.10q...: found %q", other, e.v.identity.Role)
		}
	}
}
