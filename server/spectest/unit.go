package spectest

import (
	"cmp"
	"slices"
)

// unit is a set of cases that share a database and a server.
type unit struct {
	name     string
	group    string
	scenario bool // the cases run in order, and commit
	once     bool // a second request would change an answer, see showsSequence
	cases    []*Case
}

// large is how many cases a group may have before it is divided by area, so that its
// parts can run side by side.
const large = 400

// units divides cases, the longest first so that no long one is left at the end.
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
