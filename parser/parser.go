package parser

import "bytes"

// Mode is the kind of resource that a query string is for.
type Mode uint8

const (
	ModeRelation Mode = iota // a table or view
	ModeCallRead             // a routine called by GET or HEAD: parameters without an operator are arguments
	ModeCall                 // a routine called by POST
)

// Extensions is a set of parts of the grammar that PostgREST does not have. Without
// them, their texts are refused with PostgREST's errors.
type Extensions uint8

const (
	ExtAggregates Extensions = 1 << iota // countdistinct(), and aggregates in order=
	ExtDistinct                          // distinct=
	ExtAfter                             // after=
)

// Limits of a query string. The caller limits its length.
const (
	MaxParams = 1000 // parameters
	MaxDepth  = 200  // embeds inside embeds, or logic operators inside logic operators
	// MaxParts bounds the tree: the number of names, keys of JSON paths and items of
	// select. A query string of 64 KiB has fewer.
	MaxParts = 100_000
)

// kind is the kind of a parameter.
type kind uint8

const (
	kindFilter kind = iota
	kindSelect
	kindColumns
	kindOnConflict
	kindOrder
	kindLimit
	kindOffset
	kindLogic
)

// kindOf returns the kind of a key, and the offset after its last dot. Three names
// are reserved as complete keys, and five after the last dot.
func kindOf(key []byte) (k kind, last int) {
	last = bytes.LastIndexByte(key, '.') + 1
	switch string(key[last:]) {
	case "order":
		return kindOrder, last
	case "limit":
		return kindLimit, last
	case "offset":
		return kindOffset, last
	case "and", "or":
		return kindLogic, last
	}
	if last > 0 {
		return kindFilter, last
	}
	switch string(key) {
	case "select":
		return kindSelect, last
	case "columns":
		return kindColumns, last
	case "on_conflict":
		return kindOnConflict, last
	}
	return kindFilter, last
}

// Parse parses a raw query string, without its question mark, into q. The caller
// must not modify raw as long as it uses q.
//
// The error is an *Error or ErrInvalidUTF8. After an error only Params is valid.
func (q *Query) Parse(raw []byte, mode Mode) error {
	q.Reset()
	q.mode = mode
	if err := q.split(raw); err != nil {
		return err
	}
	if !q.read() {
		return q.explain()
	}
	return nil
}

// read parses all parameters. It returns false if one is invalid; explain finds
// the error to report.
func (q *Query) read() bool {
	var sel, columns, onConflict *Param
	logic := false
	for i := range q.Params {
		prm := &q.Params[i]
		k, last := kindOf(prm.Key)
		switch k {
		case kindSelect:
			sel = firstOf(sel, prm)
			continue
		case kindColumns:
			columns = firstOf(columns, prm)
			continue
		case kindOnConflict:
			onConflict = firstOf(onConflict, prm)
			continue
		}
		if !prm.HasValue {
			continue
		}
		ok := true
		switch k {
		case kindFilter:
			ok = q.parseFilter(prm)
		case kindOrder:
			ok = q.parseOrder(prm)
		case kindLogic:
			logic = true
		case kindLimit:
			e := q.rangeEntry(prm.Key[:last])
			e.hasLimit, e.limit = true, prm.Value
		case kindOffset:
			e := q.rangeEntry(prm.Key[:last])
			e.hasOffset, e.offset = true, prm.Value
		}
		if !ok {
			return false
		}
	}
	if logic && !q.readLogic() {
		return false
	}
	if sel == nil || !sel.HasValue {
		q.selectAll()
	} else if !q.parseSelect(sel.Value) {
		return false
	}
	if columns != nil && columns.HasValue && !q.parseColumns(columns.Value) {
		return false
	}
	if onConflict != nil && onConflict.HasValue && !q.parseOnConflict(onConflict.Value) {
		return false
	}
	q.readRanges()
	return true
}

// firstOf returns the first parameter of a name, which hides the others even if it
// has no value.
func firstOf(first, prm *Param) *Param {
	if first != nil {
		return first
	}
	return prm
}

// readLogic parses the logic trees. It runs after all filters are parsed, because
// filters have the first slots.
func (q *Query) readLogic() bool {
	for i := range q.Params {
		prm := &q.Params[i]
		if k, _ := kindOf(prm.Key); k == kindLogic && prm.HasValue && !q.parseLogic(prm) {
			return false
		}
	}
	return true
}
