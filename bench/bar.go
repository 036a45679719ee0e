package main

import (
	"fmt"
	"strconv"
	"strings"
)

// bar is what a mix has to reach: total CPU per request of at most Factor times that of the base, plus
// some microseconds, or at least Factor times its requests/s. It goes for everyone the server answers,
// except the base.
type bar struct {
	Factor float64 `json:"factor"`
	Base   string  `json:"base"` // a floor, an asker, or a peer
	Plus   float64 `json:"plus_us"`
	Rate   bool    `json:"requests_per_second,omitempty"` // at least, and not CPU
}

// rateWord ends a bar for throughput.
const rateWord = " requests/s"

// parseBar reads "1.7 same", "1 json_agg + 60", "1.05 anonymous" or "3.3 classic requests/s".
func parseBar(text string) (b bar, err error) {
	text, b.Rate = strings.CutSuffix(text, rateWord)
	rest, plus, hasPlus := strings.Cut(text, " + ")
	factor, base, ok := strings.Cut(rest, " ")
	if !ok {
		return bar{}, fmt.Errorf("a bar is a factor, a base and perhaps + microseconds, not %q", text)
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
	return b, nil
}

// verdict is how a subject stands to a bar. Rounds are compared one by one, since the two measurements
// of a round saw the same minute of the machine, and the median of the comparisons counts.
type verdict struct {
	bar
	Subject subject `json:"subject"`
	Against subject `json:"against"`
	Median  float64 `json:"median"` // times the base, or microseconds above Factor times the base if the bar has Plus
	Lower   float64 `json:"lower_quartile"`
	Upper   float64 `json:"upper_quartile"`
	Met     bool    `json:"met"`
}

// judge compares what was measured in the same rounds.
func (b bar) judge(ours, base row) verdict {
	v := verdict{bar: b, Subject: ours.Subject, Against: base.Subject}
	var values []float64
	for i := range min(len(ours.Rounds), len(base.Rounds)) {
		we, they := ours.Rounds[i].total(), base.Rounds[i].total()
		if b.Rate {
			we, they = ours.Rounds[i].PerSecond, base.Rounds[i].PerSecond
		}
		if b.Plus != 0 {
			values = append(values, we-b.Factor*they)
		} else if they > 0 {
			values = append(values, we/they)
		}
	}
	c := spread(values)
	if c.count == 0 {
		return v
	}
	v.Median, v.Lower, v.Upper = c.median, c.lower, c.upper
	if v.Met = v.Median <= b.limit(); b.Rate {
		v.Met = v.Median >= b.Factor
	}
	return v
}

// limit is in the unit of the verdict.
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
	if v.Rate {
		return fmt.Sprintf("bar: %s at least %g times the requests/s of %s: %.2f times (%.2f to %.2f): %s", v.Subject, v.Factor, v.Against, v.Median, v.Lower, v.Upper, word)
	}
	if v.Plus != 0 {
		base := string(v.Against)
		if v.Factor != 1 {
			base = fmt.Sprintf("%g times %s", v.Factor, base)
		}
		return fmt.Sprintf("bar: %s at most %s and %g µs: and %.0f µs (%.0f to %.0f): %s", v.Subject, base, v.Plus, v.Median, v.Lower, v.Upper, word)
	}
	return fmt.Sprintf("bar: %s at most %g times %s: %.2f times (%.2f to %.2f): %s", v.Subject, v.Factor, v.Against, v.Median, v.Lower, v.Upper, word)
}
