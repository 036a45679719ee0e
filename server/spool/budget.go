package spool

import "sync/atomic"

// Budget counts a shared resource, such as bytes of memory. It is safe for
// concurrent use.
type Budget struct{ used atomic.Int64 }

// Take takes n and reports true if the total stays within limit.
func (b *Budget) Take(n, limit int64) bool {
	for {
		used := b.used.Load()
		if used+n > limit {
			return false
		}
		if b.used.CompareAndSwap(used, used+n) {
			return true
		}
	}
}

// Force takes n regardless of any limit.
func (b *Budget) Force(n int64) { b.used.Add(n) }

// Give returns n.
func (b *Budget) Give(n int64) { b.used.Add(-n) }

// Used returns the amount that is currently taken.
func (b *Budget) Used() int64 { return b.used.Load() }
