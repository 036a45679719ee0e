package spool

import (
	"sync"
	"testing"
)

// TestBudgetTake checks that calls for more than the limit do not make other
// calls fail.
func TestBudgetTake(t *testing.T) {
	const limit = 10
	var (
		b     Budget
		group sync.WaitGroup
		begun sync.WaitGroup
		done  = make(chan struct{})
	)
	for range 4 {
		begun.Add(1)
		group.Go(func() {
			begun.Done()
			for {
				select {
				case <-done:
					return
				default:
				}
				if b.Take(limit+1, limit) {
					t.Error("took more than the limit")
					return
				}
			}
		})
	}
	begun.Wait()
	refused := 0
	for range 2_000_000 {
		if !b.Take(1, limit) {
			refused++
			continue
		}
		b.Give(1)
	}
	close(done)
	group.Wait()
	if refused > 0 {
		t.Errorf("refused %d times although there was room", refused)
	}
	if b.Used() != 0 {
		t.Errorf("%d are still taken", b.Used())
	}
}
