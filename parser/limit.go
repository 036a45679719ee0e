package parser

import (
	"bytes"
	"slices"
)

// rangeParam collects limit= and offset= of one embed path; the last of each
// counts. Paths are told apart by how they are written, not by what they mean.
type rangeParam struct {
	prefix              []byte // the key up to its last dot, which is included
	limit, offset       []byte
	hasLimit, hasOffset bool
}

// rangeEntry finds the entry for a path or makes it.
func (q *Query) rangeEntry(prefix []byte) *rangeParam {
	for i := range q.rangeText {
		if bytes.Equal(q.rangeText[i].prefix, prefix) {
			return &q.rangeText[i]
		}
	}
	q.rangeText = append(q.rangeText, rangeParam{prefix: prefix})
	return &q.rangeText[len(q.rangeText)-1]
}

// readRanges makes Ranges of what was collected, sorted by the text in front of
// limit or offset. The order matters where two ranges lead to one embed, which
// has two names or a path with two spellings: the later one counts. It does not
// depend on the order in the query string, so that a key of a plan does not
// either.
//
// A key that is no path is not an error here, because PostgREST reports it when
// it plans the statement, see RangeError. A range of the root is dropped unless
// its key is just limit or offset.
func (q *Query) readRanges() {
	slices.SortFunc(q.rangeText, func(a, b rangeParam) int { return bytes.Compare(a.prefix, b.prefix) })
	for i := range q.rangeText {
		e := &q.rangeText[i]
		pr := PathRange{Range: e.rows()}
		if len(e.prefix) > 0 {
			l := lexer{q: q, s: e.prefix}
			var ok bool
			if pr.Path, ok = l.rangePath(); !ok {
				q.badRange = int32(i)
				continue
			}
			if pr.Path.N == 0 {
				continue
			}
		}
		q.Ranges = append(q.Ranges, pr)
	}
}

// rangePath consumes names that end in dots, followed by the reserved word that
// has been cut off. Like all keys it may break off at a character that is in no
// name, and then its last name is not part of the path.
func (l *lexer) rangePath() (Names, bool) {
	off := len(l.q.Names)
	for !l.done() {
		name, ok := l.name()
		if !ok {
			return Names{}, false
		}
		if !l.take('.') {
			_, ok = l.jsonPath()
			return l.namesFrom(off), ok
		}
		l.q.Names = append(l.q.Names, name)
	}
	return l.namesFrom(off), true
}

func (l *lexer) namesFrom(off int) Names { return Names{int32(off), int32(len(l.q.Names) - off)} }

// rows combines limit and offset. An offset that is no number is 0; a limit
// that is none is no limit, but 0 beside an offset.
func (e *rangeParam) rows() Range {
	var limit, offset number
	limited, moved := false, false
	if e.hasLimit {
		limit, limited = parseNumber(e.limit)
	}
	if e.hasOffset {
		offset, moved = parseNumber(e.offset)
	}
	switch {
	case e.hasLimit && e.hasOffset, limited:
		return makeRange(offset, sum(offset, limit, -1))
	case moved:
		return rangeFrom(offset)
	}
	return AllRange
}

// RootRange is the range of limit= and offset= without a path.
func (q *Query) RootRange() Range {
	for i := range q.Ranges {
		if q.Ranges[i].Path.N == 0 {
			return q.Ranges[i].Range
		}
	}
	return AllRange
}
