package compare

import (
	"cmp"
	"slices"
	"sync"
)

// maxGroups is the number of groups of differences that are kept.
const maxGroups = 2000

// counts are numbers of requests.
type counts struct {
	Requests   int `json:"requests"`
	Equal      int `json:"equal"`
	WhiteSpace int `json:"white_space"`
	Order      int `json:"order"`
	Different  int `json:"different"` // in a way that is not intended
	Intended   int `json:"intended"`  // differ only as they are meant to
	Unstable   int `json:"unstable"`  // did not differ in the same way a second time
	Failed     int `json:"failed"`    // were not compared
}

// group has the differences of one kind in requests of one shape.
type group struct {
	Kind     string  `json:"kind"`
	Shape    string  `json:"shape"`
	Intended string  `json:"intended,omitempty"`
	Count    int     `json:"count"`
	Example  example `json:"example"` // the smallest

	size int64
}

// example is one difference. It has no secrets.
type example struct {
	Curl  string `json:"curl"`
	Where string `json:"where,omitempty"` // a JSON pointer
	excerpt
}

// failures has the requests that failed for one reason.
type failures struct {
	Why     string `json:"why"`
	Count   int    `json:"count"`
	Example string `json:"example"` // a curl command
}

// tally counts verdicts.
type tally struct {
	shown *server // whose address the examples have

	mu       sync.Mutex
	counts   counts
	groups   map[groupKey]*group
	dropped  int // differences beyond maxGroups
	failures map[string]*failures
}

type groupKey struct{ kind, shape, intended string }

func newTally(shown *server) *tally {
	return &tally{shown: shown, groups: map[groupKey]*group{}, failures: map[string]*failures{}}
}

// now returns the counts up to now.
func (t *tally) now() counts {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.counts
}

// add counts the verdict on a request. size is that of both bodies.
func (t *tally) add(r *request, v verdict, unstable bool, size int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	c := &t.counts
	c.Requests++
	switch {
	case unstable:
		c.Unstable++
	case v.Class == equal:
		c.Equal++
	case v.Class == whiteSpace:
		c.WhiteSpace++
	case v.Class == order:
		c.Order++
	case v.Class == failed:
		c.Failed++
		t.fail(r, v.Why)
	case slices.ContainsFunc(v.Found, func(d difference) bool { return d.Intended == "" }):
		c.Different++
	default:
		c.Intended++
	}
	if v.Class == different && !unstable {
		for _, d := range v.Found {
			t.group(r, d, size)
		}
	}
}

// shown is a text of bounded length without secrets.
func shown(text string, secrets []string) string { return cut(visible(mask(text, secrets)), maxShown) }

func (t *tally) group(r *request, d difference, size int64) {
	secrets := secretsOf(r)
	key := groupKey{shown(d.Kind, secrets), shown(r.shape(), secrets), d.Intended}
	g := t.groups[key]
	if g == nil {
		if len(t.groups) == maxGroups {
			t.dropped++
			return
		}
		g = &group{Kind: key.kind, Shape: key.shape, Intended: d.Intended, size: -1}
		t.groups[key] = g
	}
	g.Count++
	size += int64(len(r.Target) + len(r.Body))
	for name, values := range r.Header {
		for _, v := range values {
			size += int64(len(name) + len(v))
		}
	}
	if g.size >= 0 && g.size <= size {
		return
	}
	g.size = size
	g.Example = example{
		Curl: curl(t.shown, r, secrets), Where: shown(d.Where, secrets), excerpt: newExcerpt(d.Old, d.New, secrets),
	}
}

func (t *tally) fail(r *request, why string) {
	secrets := secretsOf(r)
	why = shown(why, secrets)
	f := t.failures[why]
	if f == nil {
		if len(t.failures) == 100 {
			return
		}
		f = &failures{Why: why, Example: curl(t.shown, r, secrets)}
		t.failures[why] = f
	}
	f.Count++
}

// sortedGroups are first those that are not intended, then by kind; the most frequent kinds and groups first.
func (t *tally) sortedGroups() []*group {
	ofKind := map[string]int{}
	var list []*group
	for _, g := range t.groups {
		ofKind[g.Intended+"\n"+g.Kind] += g.Count
		list = append(list, g)
	}
	slices.SortFunc(list, func(a, b *group) int {
		return cmp.Or(
			cmp.Compare(a.Intended, b.Intended), // "" first
			cmp.Compare(ofKind[b.Intended+"\n"+b.Kind], ofKind[a.Intended+"\n"+a.Kind]),
			cmp.Compare(a.Kind, b.Kind), cmp.Compare(b.Count, a.Count), cmp.Compare(a.Shape, b.Shape))
	})
	return list
}

func (t *tally) sortedFailures() []*failures {
	var list []*failures
	for _, f := range t.failures {
		list = append(list, f)
	}
	slices.SortFunc(list, func(a, b *failures) int { return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Why, b.Why)) })
	return list
}
