package spectest

import (
	"cmp"
	"slices"
)

// unit is a set of cases that share a database and a server.
type unit struct {
	name     string
	group    string
	scenario bool // the cases run in order and commit
	once     bool // a second request would change a response, see showsSequence
	cases    []*Case
}

// large is the number of cases above which a group is divided by area, so that
// its parts can run in parallel.
const large = 400

// units divides the cases into units, the longest first, so that no long one
// runs alone at the end.
func units(cases []*Case) []unit {
	size := map[string]int{}
	for _, c := range cases {
		size[c.Group]++
	}
	var out []unit
	at := map[string]int{}
	for _, c := range cases {
		name := c.Group
		switch {
		case c.Scenario != "":
			name += "/" + c.Scenario
		case size[c.Group] > large:
			name += "/" + c.Area
		}
		i, ok := at[name]
		if !ok {
			i = len(out)
			at[name] = i
			out = append(out, unit{name: name, group: c.Group, scenario: c.Scenario != ""})
		}
		out[i].cases = append(out[i].cases, c)
		out[i].once = out[i].once || c.showsSequence()
	}
	slices.SortStableFunc(out, func(a, b unit) int { return cmp.Compare(len(b.cases), len(a.cases)) })
	return out
}
