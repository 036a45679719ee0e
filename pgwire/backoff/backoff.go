// Package backoff counts the pauses between attempts that fail: each pause is
// twice as long as the one before, up to a longest one. It neither sleeps nor
// reads a clock; the caller waits, and says what can end the wait.
package backoff

import "time"

// A Backoff is the pauses of one series of attempts. It belongs to one
// goroutine.
type Backoff struct {
	First time.Duration // the first pause, > 0
	Last  time.Duration // the longest pause; First if it is shorter than that

	next time.Duration // 0: First
}

// Next returns the pause after one more failure.
func (b *Backoff) Next() time.Duration {
	pause := max(b.next, b.First)
	b.next = min(2*pause, max(b.Last, b.First))
	return pause
}

// Reset begins a new series, after a success.
func (b *Backoff) Reset() { b.next = 0 }
