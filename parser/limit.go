package parser

import (
	"bytes"
	"cmp"
	"slices"
)

// rangeParam has the last limit= and the last offset= of one embed path. Different
// spellings of a path have different entries.
type rangeParam struct {
	prefix              []byte // the key up to and including its last dot
	limit, offset       []byte
	hasLimit, hasOffset bool
	hash                uint64 // of the key with limit, under which PostgREST has both
}

// rangeEntry returns the entry of a path. It adds a missing entry.
func (q *Query) rangeEntry(prefix []byte) *rangeParam {
	for i := range q.rangeText {
		if bytes.Equal(q.rangeText[i].prefix, prefix) {
			return &q.rangeText[i]
		}
	}
	q.rangeText = append(q.rangeText, rangeParam{prefix: prefix})
	return &q.rangeText[len(q.rangeText)-1]
}

// readRanges sets Ranges, in the reverse order of PostgREST's hash table. The order
// in the query string does not matter. The embed of the last range comes first in
// the rows. If two ranges belong to one embed, because it has two names or its path
// has two spellings, the last one counts.
//
// A key that is not a path is not an error here, because PostgREST reports it when
// it plans the statement, see RangeError. A range of the root is ignored unless its
// key is limit or offset alone.
func (q *Query) readRanges() {
	if len(q.rangeText) > 1 {
		for i := range q.rangeText {
			e := &q.rangeText[i]
			e.hash = hashKey(e.prefix, "limit")
		}
		slices.SortFunc(q.rangeText, func(a, b rangeParam) int {
			return cmp.Or(hashOrder(b.hash, a.hash), bytes.Compare(a.prefix, b.prefix))
		})
	}
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

// rangePath consumes a path of names that end in dots; the reserved word after it
// was removed. Like all keys the path ends at a character that cannot be in a name,
// and the incomplete name in front of that is not part of the path.
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

// rows combines limit and offset. An invalid offset is 0. An invalid limit is
// ignored, but is 0 if there is an offset.
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

// RootRange is the range of the relation of the request: limit= and offset=
// without a path.
func (q *Query) RootRange() Range {
	for i := range q.Ranges {
		if q.Ranges[i].Path.N == 0 {
			return q.Ranges[i].Range
		}
	}
	return AllRange
}
