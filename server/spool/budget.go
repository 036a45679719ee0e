package spool

import "sync/atomic"

// Budget counts what many share, such as bytes of memory. It is safe for
// concurrent use.
type Budget struct{ used atomic.Int64 }

// Take takes n if all that is taken stays within limit.
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

// Force takes n in any case.
func (b *Budget) Force(n int64) { b.used.Add(n) }

// Give gives n back.
func (b *Budget) Give(n int64) { b.used.Add(-n) }

// Used is what is taken at the moment.
func (b *Budget) Used() int64 { return b.used.Load() }
