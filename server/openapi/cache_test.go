package openapi

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
)

func keyed(i int) Key { return Key{Schema: fmt.Sprint(i)} }

func (c *Cache) get(i, size int, rendered *int) []byte {
	return c.Get(keyed(i), func() []byte { *rendered++; return make([]byte, size) })
}

func TestCacheBounds(t *testing.T) {
	for _, tt := range []struct{ size, kept int }{
		{1, maxDocuments},
		{maxBytes / 4, 4},
		{maxBytes, 1},
		{maxBytes + 1, 1}, // the last one always stays
	} {
		var c Cache
		rendered := 0
		const asked = maxDocuments + 10
		for i := range asked {
			c.get(i, tt.size, &rendered)
		}
		if rendered != asked || len(c.documents) != tt.kept || c.bytes != tt.kept*tt.size {
			t.Errorf("size %d: rendered %d, kept %d with %d bytes, want %d", tt.size, rendered, len(c.documents), c.bytes, tt.kept)
		}
		c.get(asked-1, tt.size, &rendered)
		if rendered != asked {
			t.Errorf("size %d: the last one was dropped", tt.size)
		}
	}
}

// TestCacheOldest checks that the least recently used document is dropped
// first.
func TestCacheOldest(t *testing.T) {
	var c Cache
	rendered := 0
	for i := range maxDocuments {
		c.get(i, 1, &rendered)
	}
	c.get(0, 1, &rendered)
	c.get(maxDocuments, 1, &rendered) // drops 1
	rendered = 0
	c.get(0, 1, &rendered)
	c.get(2, 1, &rendered)
	if rendered != 0 {
		t.Error("others were dropped")
	}
	if c.get(1, 1, &rendered); rendered != 1 {
		t.Error("the oldest was kept")
	}
}

// TestCacheOnce checks that concurrent requests for a document render it once,
// and that other documents are available meanwhile.
func TestCacheOnce(t *testing.T) {
	var c Cache
	var rendered atomic.Int32
	begun, finish := make(chan struct{}), make(chan struct{})
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			doc := c.Get(keyed(1), func() []byte {
				rendered.Add(1)
				close(begun)
				<-finish
				return []byte("slow")
			})
			if string(doc) != "slow" {
				t.Errorf("got %q", doc)
			}
		})
	}
	<-begun
	for i := range 2 * maxDocuments { // would drop it if it were not being rendered
		if doc := c.Get(keyed(100+i), func() []byte { return []byte("quick") }); string(doc) != "quick" {
			t.Errorf("got %q", doc)
		}
	}
	close(finish)
	all.Wait()
	if n := rendered.Load(); n != 1 {
		t.Errorf("rendered %d times", n)
	}
}

// TestCachePanic checks that after a panic while rendering no caller gets an
// empty document.
func TestCachePanic(t *testing.T) {
	var c Cache
	for range 2 {
		func() {
			defer func() {
				if recover() == nil {
					t.Error("no panic")
				}
			}()
			c.Get(keyed(1), func() []byte { panic("planted") })
		}()
	}
}
