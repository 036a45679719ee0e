package body

import (
	"bytes"
	"slices"

	"github.com/fastgrest/fastgrest/parser/jsontext"
)

// ParseLines parses NDJSON: a JSON object on each line. Lines of blanks are skipped. It
// appends the objects to dst as a JSON array, sets Raw to this array, and returns the
// extended buffer. The objects must have the same keys, as in an array, unless anyKeys
// is set; then Keys is empty. It adds the number of lines to Lines, so that errors have
// the line of a body that is parsed in pieces.
func (p *Payload) ParseLines(dst, raw []byte, anyKeys bool) ([]byte, error) {
	p.Reset()
	start := len(dst)
	dst = append(slices.Grow(dst, len(raw)+2), '[') // a comma takes the place of a line end
	var differ error                                // invalid JSON is reported first
	for more := true; more; {
		var line []byte
		if line, raw, more = bytes.Cut(raw, newline); more || len(line) > 0 {
			p.Lines++
		}
		i := jsontext.SkipSpace(line, 0)
		if i == len(line) {
			continue
		}
		if len(dst) > start+1 {
			dst = append(dst, ',')
		}
		at := len(dst) + i // keys are found in dst, which stays
		dst = append(dst, line...)
		end, err := p.line(dst, at, len(dst) == start+1+len(line), anyKeys)
		switch {
		case end == tooDeep:
			return dst[:start], &Error{Kind: TooDeep, Line: p.Lines}
		case end < 0 || jsontext.SkipSpace(dst, end) != len(dst):
			return dst[:start], &Error{Kind: InvalidJSON, Line: p.Lines}
		}
		differ = orElse(differ, err)
	}
	if differ != nil {
		return dst[:start], differ
	}
	return p.endRows(dst, start), nil
}

var newline = []byte{'\n'}

// line reads the value that begins at i, the end of b.
func (p *Payload) line(b []byte, i int, first, anyKeys bool) (end int, err error) {
	switch {
	case b[i] != '{':
		return p.value(b, i, 1), errKeysDiffer
	case anyKeys:
		return p.value(b, i, 1), nil
	case first:
		if end = p.firstObject(b, i+1, 2); end >= 0 {
			p.collectKeys(b)
		}
		if p.folded {
			return end, errTooManyKeys
		}
		return end, nil
	}
	end, same := p.nextObject(b, i+1)
	if !same {
		err = errKeysDiffer
	}
	return end, err
}
