package openapi

import "sync"

// Bounds of a Cache. A document of a table is some kilobytes, so the second
// one is for schemas of thousands of tables.
const (
	maxDocuments = 64
	maxBytes     = 128 << 20
)

// Cache keeps the documents rendered last. It belongs to one snapshot of
// configuration and catalog and goes with it. The zero value is ready.
type Cache struct {
	mu        sync.Mutex
	documents map[Key]*cached
	bytes     int
	clock     uint64
}

type cached struct {
	json func() []byte
	size int // 0 until it is rendered; guarded by Cache.mu, as used is
	used uint64
}

// Get returns the document under the key. The first caller renders it; others
// who want the same document wait. If render panics, so does every Get of it.
func (c *Cache) Get(key Key, render func() []byte) []byte { return c.find(key, render).json() }

func (c *Cache) find(key Key, render func() []byte) *cached {
	c.mu.Lock()
	defer c.mu.Unlock()
	d := c.documents[key]
	if d == nil {
		d = &cached{}
		d.json = sync.OnceValue(func() []byte {
			json := render()
			c.add(d, len(json))
			return json
		})
		if c.documents == nil {
			c.documents = map[Key]*cached{}
		}
		c.documents[key] = d
	}
	c.clock++
	d.used = c.clock
	return d
}

// add counts a document in and drops those not used for longest until the rest
// fits. The new one stays, however large, and so does what is being rendered.
func (c *Cache) add(d *cached, size int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	d.size = size
	c.bytes += size
	for len(c.documents) > maxDocuments || c.bytes > maxBytes {
		var oldest Key
		var found *cached
		for key, other := range c.documents {
			if other != d && other.size > 0 && (found == nil || other.used < found.used) {
				oldest, found = key, other
			}
		}
		if found == nil {
			return
		}
		delete(c.documents, oldest)
		c.bytes -= found.size
	}
}
