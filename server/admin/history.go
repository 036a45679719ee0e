package admin

import "sync"

// What is kept for the plots: a moment every five seconds of the last 15
// minutes. Connections are looked at more often, because most
// requests hold one for less than a millisecond.
const (
	Kept           = 180
	MomentSeconds  = 5
	LooksPerMoment = 20
)

// Moment is what the plots need of one moment. Counters count from the start
// of the process; the page takes differences.
type Moment struct {
	Number   int64             `json:"number"`  // of those kept, from 1
	Now      int64             `json:"now"`     // in ms since 1970, as all times
	Classes  map[string]uint64 `json:"classes"` // responses by class of status
	Duration Histogram         `json:"duration"`
	Database Histogram         `json:"database"`
	Wait     Histogram         `json:"wait"`
	Use      Use               `json:"use"` // since the moment before
}

// Use is how many connections were in use, and how many requests waited for
// one: on average and at most, of the looks there were.
type Use struct {
	InUse       float64 `json:"in_use"`
	InUsePeak   int     `json:"in_use_peak"`
	Waiting     float64 `json:"waiting"`
	WaitingPeak int     `json:"waiting_peak"`
}

// History keeps the last moments. Its memory is fixed.
type History struct {
	mu      sync.Mutex
	moments [Kept]Moment
	added   int64
	looks   looks
	last    Use // of the last moment
}

// looks is what was seen since the last moment.
type looks struct {
	n, inUse, inUsePeak, waiting, waitingPeak int
}

func (l *looks) use() Use {
	return Use{
		InUse: float64(l.inUse) / float64(l.n), InUsePeak: l.inUsePeak,
		Waiting: float64(l.waiting) / float64(l.n), WaitingPeak: l.waitingPeak,
	}
}

// Look notes the connections in use and the requests that wait for one. It
// reports whether it is time for a moment.
func (h *History) Look(inUse, waiting int) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	l := &h.looks
	l.n++
	l.inUse += inUse
	l.inUsePeak = max(l.inUsePeak, inUse)
	l.waiting += waiting
	l.waitingPeak = max(l.waitingPeak, waiting)
	return l.n >= LooksPerMoment
}

// Add keeps a moment, with its number and what the looks saw.
func (h *History) Add(m Moment) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.looks.n > 0 {
		h.last = h.looks.use()
	}
	h.looks = looks{}
	h.added++
	m.Number, m.Use = h.added, h.last
	h.moments[(h.added-1)%Kept] = m
}

// Since returns the moments after the one with a number, oldest first, and the
// use since then. A number that is not there yet is of another process, and
// gets all moments.
func (h *History) Since(number int64) ([]Moment, Use) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if number < 0 || number > h.added {
		number = 0
	}
	list := []Moment{}
	for n := max(number, h.added-Kept); n < h.added; n++ {
		list = append(list, h.moments[n%Kept])
	}
	use := h.last
	if h.looks.n > 0 {
		use = h.looks.use()
	}
	return list, use
}
