package parser

import (
	"bytes"
	"slices"
)

// The grammar of columns= and on_conflict=:
//
//	names = name *( "," name )
//
// Text after the names is ignored.

// parseColumns reads columns=. Order and repetitions do not matter.
func (q *Query) parseColumns(value []byte) bool {
	l := lexer{q: q, s: value}
	q.HasColumns = true
	var ok bool
	if q.Columns, ok = l.names(q.Columns); !ok {
		return l.refuse()
	}
	slices.SortFunc(q.Columns, bytes.Compare)
	q.Columns = slices.CompactFunc(q.Columns, bytes.Equal)
	return true
}

// parseOnConflict reads on_conflict=.
func (q *Query) parseOnConflict(value []byte) bool {
	l := lexer{q: q, s: value}
	q.HasOnConflict = true
	var ok bool
	if q.OnConflict, ok = l.names(q.OnConflict); !ok {
		return l.refuse()
	}
	return true
}

func (l *lexer) names(dst [][]byte) ([][]byte, bool) {
	for before := l.i; ; {
		here := l.i
		l.mark = before
		name, ok := l.name()
		if !ok {
			return dst, false
		}
		before = here
		dst = append(dst, name)
		switch l.separator() {
		case broken:
			return dst, false
		case missing:
			return dst, true
		}
	}
}
