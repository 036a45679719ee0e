package compare

import (
	"math"
	"sync"
	"time"
)

// latency counts durations in classes, each 5 % wider than the one before, from a microsecond on.
type latency struct {
	mu      sync.Mutex
	classes [450]int
	count   int
}

func (l *latency) add(d time.Duration) {
	class := int(math.Log(max(1, d.Seconds()*1e6)) / math.Log(1.05))
	l.mu.Lock()
	defer l.mu.Unlock()
	l.classes[min(class, len(l.classes)-1)]++
	l.count++
}

// percentiles are in milliseconds.
type percentiles struct {
	P50 float64 `json:"p50"`
	P95 float64 `json:"p95"`
	P99 float64 `json:"p99"`
}

func (l *latency) percentiles() percentiles {
	l.mu.Lock()
	defer l.mu.Unlock()
	return percentiles{l.percentile(0.50), l.percentile(0.95), l.percentile(0.99)}
}

// percentile returns the middle of the class that has it.
func (l *latency) percentile(p float64) float64 {
	rest := int(math.Ceil(float64(l.count) * p))
	for class, n := range l.classes {
		if rest -= n; rest <= 0 && n > 0 {
			us := math.Pow(1.05, float64(class)+0.5)
			return math.Round(us*10) / 10 / 1000
		}
	}
	return 0
}
