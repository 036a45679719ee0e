package metrics

import (
	"math/bits"
	"runtime"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// bounds are the upper bounds of the buckets. The first is shorter than a lookup
// by primary key takes; the last is longer than clients wait.
var bounds = [...]time.Duration{
	100 * time.Microsecond, 250 * time.Microsecond, 500 * time.Microsecond,
	time.Millisecond, 2500 * time.Microsecond, 5 * time.Millisecond,
	10 * time.Millisecond, 25 * time.Millisecond, 50 * time.Millisecond,
	100 * time.Millisecond, 250 * time.Millisecond, 500 * time.Millisecond,
	time.Second, 2500 * time.Millisecond, 5 * time.Second, 10 * time.Second,
}

// Buckets is the number of buckets of a Histogram: one per bound, and one for
// all longer durations.
const Buckets = len(bounds) + 1

// Bounds returns the upper bounds of all buckets but the last, in seconds.
func Bounds() []float64 {
	list := make([]float64, len(bounds))
	for i, b := range bounds {
		list[i] = b.Seconds()
	}
	return list
}

// Histogram is a copy of a histogram at one time. Counts are per bucket, not
// cumulative.
type Histogram struct {
	Counts [Buckets]uint64
	Sum    time.Duration
}

// Count returns the number of durations.
func (h *Histogram) Count() (n uint64) {
	for _, c := range h.Counts {
		n += c
	}
	return n
}

// add adds the counts of other.
func (h *Histogram) add(other *Histogram) {
	for i, c := range other.Counts {
		h.Counts[i] += c
	}
	h.Sum += other.Sum
}

// collect sends the histogram to Prometheus, whose bucket counts are
// cumulative.
func (h *Histogram) collect(ch chan<- prometheus.Metric, desc *prometheus.Desc, labels ...string) {
	sums := make(map[float64]uint64, len(bounds))
	n := uint64(0)
	for i, b := range bounds {
		n += h.Counts[i]
		sums[b.Seconds()] = n
	}
	ch <- prometheus.MustNewConstHistogram(desc, h.Count(), h.Sum.Seconds(), sums, labels...)
}

// histogram is a Histogram that goroutines add to. It has one cell per shard.
type histogram []cell

// cell is one shard. Its size is a multiple of a cache line.
type cell struct {
	counts [Buckets]atomic.Uint64
	sum    atomic.Int64
	_      [6 * 8]byte
}

func newHistogram() histogram { return make(histogram, shards) }

// observe adds a duration to the cell of a shard.
func (h histogram) observe(shard int, d time.Duration) {
	c := &h[shard&(shards-1)]
	bucket := 0
	for bucket < len(bounds) && d > bounds[bucket] {
		bucket++
	}
	c.counts[bucket].Add(1)
	c.sum.Add(int64(d))
}

func (h histogram) load() (sum Histogram) {
	for i := range h {
		for b := range sum.Counts {
			sum.Counts[b] += h[i].counts[b].Load()
		}
		sum.Sum += time.Duration(h[i].sum.Load())
	}
	return sum
}

// shards is the number of shards: a power of two, at least GOMAXPROCS, at most 16
// to limit memory.
var shards = 1 << bits.Len(uint(min(runtime.GOMAXPROCS(0), 16)-1))
