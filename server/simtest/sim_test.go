package simtest

import (
	"maps"
	"os"
	"slices"
	"sync"
	"testing"
)

// TestSim runs -seeds seeds from -from on, in as many processes as there are processors.
func TestSim(t *testing.T) {
	if os.Getenv(childVariable) != "" || *oneSeed >= 0 {
		t.Skip("this process runs seeds itself")
	}
	f := runMany(t, os.Args[0], *from, uint64(*seeds))
	for _, seed := range slices.Sorted(maps.Keys(f.failed)) {
		t.Errorf("seed %d: %s\n\tmake sim SEED=%[1]d", seed, f.failed[seed])
	}
	for _, what := range slices.Sorted(maps.Keys(f.counts)) {
		t.Logf("%9d %s", f.counts[what], what)
	}
}

// runMany shares seeds out to processes, some hundreds at a time.
func runMany(t testing.TB, binary string, first, n uint64) *findings {
	const portion = 500
	all := &findings{map[uint64]string{}, map[uint64]string{}, map[string]int{}}
	var mu sync.Mutex
	var workers sync.WaitGroup
	next := first
	for range *processes {
		workers.Go(func() {
			for {
				mu.Lock()
				at := next
				size := min(portion, first+n-at)
				next += size
				mu.Unlock()
				if size == 0 {
					return
				}
				f := runChild(t, binary, at, size, false)
				mu.Lock()
				maps.Copy(all.failed, f.failed)
				maps.Copy(all.hashes, f.hashes)
				for what, n := range f.counts {
					all.counts[what] += n
				}
				mu.Unlock()
			}
		})
	}
	workers.Wait()
	return all
}

// TestReplay runs seeds twice, in another order and beside others, and counts those whose
// history is not the same. See doc.go.
func TestReplay(t *testing.T) {
	if os.Getenv(childVariable) != "" || *oneSeed >= 0 {
		t.Skip("this process runs seeds itself")
	}
	const n = 400
	whole := runChild(t, os.Args[0], 0, n, false)
	second := runChild(t, os.Args[0], n/2, n/2, false)
	differ := 0
	for seed := range uint64(n / 2) {
		if seed += n / 2; whole.hashes[seed] != second.hashes[seed] {
			differ++
			t.Logf("seed %d has another history", seed)
		}
	}
	t.Logf("%d of %d seeds have another history", differ, n/2)
	if differ > n/10 { // on a busy machine the scheduler may change the order of goroutines
		t.Error("a seed does not decide what happens")
	}
}
