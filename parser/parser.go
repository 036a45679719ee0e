package parser

import "bytes"

// Mode tells what the query string belongs to.
type Mode uint8

const (
	ModeRelation Mode = iota // a table or view
	ModeCallRead             // a routine called by GET or HEAD: parameters without an operator are arguments
	ModeCall                 // a routine called by POST
)

// Bounds on what a query string may hold. Its length is the server's concern.
const (
	MaxParams = 1000 // parameters
	MaxDepth  = 200  // embeds inside embeds, or logic operators inside logic operators
)

// kind is what a parameter's key makes of it.
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

// kindOf classifies a key: three names are reserved as they stand, and five
// wherever they follow the last dot.
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

// Parse reads a raw query string, without its question mark, into q. The raw
// bytes must stay as they are for as long as q is used.
//
// Slots of Values are numbered by filter parameters in order of appearance,
// then by logic trees in order of appearance, each depth first.
//
// The error is *Error, or ErrInvalidUTF8. After an error q holds nothing of
// use but Params.
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

// read gives every parameter to its grammar. It only knows success and
// failure: which failure is reported, and how, is for explain to find out.
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

// firstOf keeps the first parameter of a name, even one without a value: it
// hides the others.
func firstOf(first, prm *Param) *Param {
	if first != nil {
		return first
	}
	return prm
}

// readLogic reads the logic trees, after all filters so that these have the
// first slots.
func (q *Query) readLogic() bool {
	for i := range q.Params {
		prm := &q.Params[i]
		if k, _ := kindOf(prm.Key); k == kindLogic && prm.HasValue && !q.parseLogic(prm) {
			return false
		}
	}
	return true
}
