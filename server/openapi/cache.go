package openapi

import "sync"

// Limits of a Cache. The document of a table takes some kilobytes, so the limit
// in bytes is for schemas of thousands of tables.
const (
	maxDocuments = 64
	maxBytes     = 128 << 20
)

// Cache keeps the documents that were rendered last. It belongs to one snapshot
// of configuration and catalog. The zero value is ready to use. It is safe for
// concurrent use.
type Cache struct {
	mu        sync.Mutex
	documents map[Key]*cached
	bytes     int
	clock     uint64
}

type cached struct {
	json func() []byte
	size int // 0 until it is rendered; guarded by Cache.mu, like used
	used uint64
}

// Get returns the document of the key. The first caller renders it; concurrent
// callers for the same key wait. If render panics, every Get of the key panics.
// The caller must not change the bytes.
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

// add counts the size of a new document and drops the least recently used ones
// until the rest fits. It never drops the new document or one that is being
// rendered.
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
