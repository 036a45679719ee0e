package admin

import "sync"

// The history keeps one moment every five seconds of the last 15 minutes. The
// connections are sampled more often, because most requests hold one for less
// than a millisecond.
const (
	Kept           = 180
	MomentSeconds  = 5
	LooksPerMoment = 20
)

// Moment holds the figures of the plots at one time. Counters count from the
// start of the process; the page computes differences.
type Moment struct {
	Number   int64             `json:"number"`  // sequence number, from 1
	Now      int64             `json:"now"`     // in ms since 1970, as all times
	Classes  map[string]uint64 `json:"classes"` // responses by class of status
	Duration Histogram         `json:"duration"`
	Database Histogram         `json:"database"`
	Wait     Histogram         `json:"wait"`
	Use      Use               `json:"use"` // since the previous moment
}

// Use is the number of connections in use and of requests that wait for one:
// mean and peak of the samples.
type Use struct {
	InUse       float64 `json:"in_use"`
	InUsePeak   int     `json:"in_use_peak"`
	Waiting     float64 `json:"waiting"`
	WaitingPeak int     `json:"waiting_peak"`
}

// History keeps the last moments in memory of a fixed size. It is safe for
// concurrent use.
type History struct {
	mu      sync.Mutex
	moments [Kept]Moment
	added   int64
	looks   looks
	last    Use // of the last moment
}

// looks sums up the samples since the last moment.
type looks struct {
	n, inUse, inUsePeak, waiting, waitingPeak int
}

func (l *looks) use() Use {
	return Use{
		InUse: float64(l.inUse) / float64(l.n), InUsePeak: l.inUsePeak,
		Waiting: float64(l.waiting) / float64(l.n), WaitingPeak: l.waitingPeak,
	}
}

// Look takes a sample: the connections in use and the requests that wait for
// one. It reports whether a moment is due.
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

// Add keeps a moment. It sets the moment's number and the use since the
// previous one.
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

// Since returns the moments after the given number, oldest first, and the use
// since the last moment. If the number is greater than any in the history, it
// comes from another process, and Since returns all moments.
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
