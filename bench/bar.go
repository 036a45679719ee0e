package main

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// bar is a limit for a mix. A figure must be at most Factor times that of the base, plus Plus microseconds. Some
// figures must be at least Factor times that of the base instead. A bar applies to every server except the base, in closed loops.
type bar struct {
	Factor float64 `json:"factor"`
	Base   string  `json:"base,omitempty"` // a floor, an asker or a peer; empty if Factor is the limit itself
	Plus   float64 `json:"plus_us,omitempty"`
	Figure string  `json:"figure,omitempty"` // total CPU if empty
	Delay  float64 `json:"delay_ms"`         // the delay of PostgreSQL for which the bar applies
}

// barFigure is a figure that a bar can limit.
type barFigure struct {
	of    func(figures) float64
	name  string // of the figure; "" is total CPU, the default
	least bool   // the figure must be at least the limit
}

var barFigures = map[string]barFigure{
	"":           {of: figures.total},
	"requests/s": {of: func(f figures) float64 { return f.PerSecond }, name: "requests/s", least: true},
	"p99":        {of: func(f figures) float64 { return f.P99 }, name: "p99"},
	"MB":         {of: func(f figures) float64 { return f.ServerRSS }, name: "server MB"},
}

// parseBar reads "1.7 same", "1 json_agg + 60", "1.05 anonymous", "3.3 classic requests/s", "2 exclusive p99",
// "120 MB", each optionally with " at 1ms".
func parseBar(text string) (b bar, err error) {
	rest, delay, hasDelay := strings.Cut(text, " at ")
	if hasDelay {
		d, err := time.ParseDuration(delay)
		if err != nil {
			return bar{}, err
		}
		b.Delay = d.Seconds() * 1e3
	}
	rest, plus, hasPlus := strings.Cut(rest, " + ")
	factor, base, ok := strings.Cut(rest, " ")
	if !ok {
		return bar{}, fmt.Errorf("a bar is a factor, a base and optionally + microseconds or a figure, not %q", text)
	}
	if b.Factor, err = strconv.ParseFloat(factor, 64); err != nil {
		return bar{}, err
	}
	if hasPlus {
		if b.Plus, err = strconv.ParseFloat(plus, 64); err != nil {
			return bar{}, err
		}
	}
	b.Base = base
	if i := strings.LastIndexByte(base, ' ') + 1; barFigures[base[i:]].name != "" {
		b.Base, b.Figure = strings.TrimSpace(base[:i]), base[i:]
	}
	if b.Plus != 0 && b.Figure != "" {
		return bar{}, fmt.Errorf("%q: only total CPU can have + microseconds", text)
	}
	return b, nil
}

// verdict is the comparison of a subject with a bar. The subject and the base are compared round by round, because
// both measurements of a round ran in the same minute. The median of the comparisons counts.
type verdict struct {
	bar
	Subject subject `json:"subject"`
	Against subject `json:"against,omitempty"`
	Median  float64 `json:"median"` // times the base; microseconds above Factor times the base if the bar has Plus; or the figure itself
	Lower   float64 `json:"lower_quartile"`
	Upper   float64 `json:"upper_quartile"`
	Met     bool    `json:"met"`
}

// judge compares the measurements of the same rounds. It returns false if there is nothing to compare.
func (b bar) judge(ours, base row) (v verdict, ok bool) {
	if b.Figure == "" && base.Program != "" && base.Median.ServerCPU == 0 { // the process is unknown
		return v, false
	}
	v = verdict{bar: b, Subject: ours.Subject, Against: base.Subject}
	var values []float64
	for i, f := range ours.Rounds {
		we := barFigures[b.Figure].of(f)
		if b.Base == "" {
			values = append(values, we)
			continue
		}
		if i == len(base.Rounds) {
			break
		}
		they := barFigures[b.Figure].of(base.Rounds[i])
		if b.Plus != 0 {
			values = append(values, we-b.Factor*they)
		} else if they > 0 {
			values = append(values, we/they)
		}
	}
	c := spread(values)
	if c.count == 0 {
		return v, false
	}
	v.Median, v.Lower, v.Upper = c.median, c.lower, c.upper
	if v.Met = v.Median <= b.limit(); barFigures[b.Figure].least {
		v.Met = v.Median >= b.limit()
	}
	return v, true
}

// limit returns the limit in the unit of the verdict.
func (b bar) limit() float64 {
	if b.Plus != 0 {
		return b.Plus
	}
	return b.Factor
}

func (v verdict) String() string {
	word := "met"
	if !v.Met {
		word = "MISSED"
	}
	figure := barFigures[v.Figure]
	most, base := "at most", string(v.Against)
	if figure.least {
		most = "at least"
	}
	if figure.name != "" {
		base = "the " + figure.name + " of " + base
	}
	switch {
	case v.Base == "":
		return fmt.Sprintf("bar: %s %s %g %s: %.1f (%.1f to %.1f): %s", v.Subject, most, v.Factor, figure.name, v.Median, v.Lower, v.Upper, word)
	case v.Plus != 0:
		if v.Factor != 1 {
			base = fmt.Sprintf("%g times %s", v.Factor, base)
		}
		return fmt.Sprintf("bar: %s %s %s and %g µs: and %.0f µs (%.0f to %.0f): %s", v.Subject, most, base, v.Plus, v.Median, v.Lower, v.Upper, word)
	}
	return fmt.Sprintf("bar: %s %s %g times %s: %.2f times (%.2f to %.2f): %s", v.Subject, most, v.Factor, base, v.Median, v.Lower, v.Upper, word)
}
