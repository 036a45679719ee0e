package parser

import (
	"fmt"
	"math/big"
	"regexp"
	"strings"
)

// modelRange is a range of rows without the shortcuts of Range.
type modelRange struct {
	lower   *big.Int
	upper   *big.Int // nil: no end
	nowhere bool     // the intersection of ranges that do not meet
}

func (r modelRange) String() string { return fmt.Sprint(r.lower, "-", r.upper) }

func (r modelRange) empty() bool {
	return r.nowhere || r.upper != nil && r.upper.Cmp(r.lower) < 0
}

func (r modelRange) limitZero() bool {
	return !r.nowhere && r.upper != nil && r.upper.Cmp(big.NewInt(-1)) == 0
}

func modelAll() modelRange { return modelRange{lower: new(big.Int)} }

func modelNowhere() modelRange {
	return modelRange{lower: new(big.Int), upper: big.NewInt(-2), nowhere: true}
}

func (r modelRange) intersect(s modelRange) modelRange {
	if r.empty() || s.empty() {
		return modelNowhere()
	}
	if s.lower.Cmp(r.lower) > 0 {
		r.lower = s.lower
	}
	if r.upper == nil || s.upper != nil && s.upper.Cmp(r.upper) < 0 {
		r.upper = s.upper
	}
	return r
}

func (r modelRange) restrict(maxRows int64) modelRange {
	if r.limitZero() {
		return modelRange{lower: new(big.Int), upper: big.NewInt(-1)}
	}
	if r.empty() {
		return r
	}
	upper := new(big.Int).Add(r.lower, big.NewInt(maxRows))
	upper.Sub(upper, big.NewInt(1))
	if r.upper == nil || upper.Cmp(r.upper) < 0 {
		r.upper = upper
	}
	return r
}

func modelLimits(limit string, limited bool, offset string, moved bool) modelRange {
	l, lok := modelNumber(limit)
	o, ook := modelNumber(offset)
	one := big.NewInt(1)
	switch {
	case limited && moved:
		if !lok {
			l = new(big.Int)
		}
		if !ook {
			o = new(big.Int)
		}
		upper := new(big.Int).Add(o, l)
		return modelRange{lower: o, upper: upper.Sub(upper, one)}
	case limited && lok:
		return modelRange{lower: new(big.Int), upper: new(big.Int).Sub(l, one)}
	case moved && ook:
		return modelRange{lower: o}
	}
	return modelAll()
}

const modelSpace = "[\\t-\\r \u00a0\\p{Zs}]*"

var (
	modelNumberText = regexp.MustCompile(
		`^` + modelSpace + `((?:\(` + modelSpace + `)*)(-?)` + modelSpace +
			`(0[xX][0-9a-fA-F]+|0[oO][0-7]+|0[bB][01]+|[0-9]+)((?:` + modelSpace + `\))*)` + modelSpace + `$`)
	modelHeaderText = regexp.MustCompile(`\A([0-9]+)-([0-9]*)\z`)
)

func modelNumber(s string) (*big.Int, bool) {
	m := modelNumberText.FindStringSubmatch(s)
	if m == nil || strings.Count(m[1], "(") != strings.Count(m[4], ")") {
		return nil, false
	}
	digits := m[3]
	if strings.Trim(digits, "0123456789") == "" {
		if digits = strings.TrimLeft(digits, "0"); digits == "" {
			digits = "0"
		}
	}
	return new(big.Int).SetString(m[2]+digits, 0)
}

func modelHeader(header string) modelRange {
	m := modelHeaderText.FindStringSubmatch(header)
	if m == nil {
		return modelAll()
	}
	var r modelRange
	r.lower, _ = new(big.Int).SetString(m[1], 10)
	if m[2] != "" {
		r.upper, _ = new(big.Int).SetString(m[2], 10)
	}
	return r
}
