package parser

import (
	"bytes"
	"fmt"

	"github.com/fastgrest/fastgrest/parser/explain"
)

var errTooManyParams = &Error{
	Message: "failed to parse query string: too many parameters",
	Details: fmt.Sprintf("at most %d are allowed", MaxParams),
}

var errTooManyParts = &Error{
	Message: "failed to parse query string: too many names",
	Details: fmt.Sprintf("at most %d are allowed", MaxParts),
}

// errUnexplained is the error if package explain accepts a query that this package
// refuses. The fuzzers have found no such query.
var errUnexplained = &Error{Message: "failed to parse query string"}

// explain returns the error of a query that read has refused.
func (q *Query) explain() error {
	if q.parts > MaxParts {
		return errTooManyParts
	}
	q.parts = 0 // the parameters are parsed again
	if err := q.explainFirst(); q.parts <= MaxParts {
		return err
	}
	return errTooManyParts
}

// explainFirst tries the kinds of parameters in PostgREST's order and reports the
// first error.
func (q *Query) explainFirst() error {
	if prm := q.firstRefused(kindOrder, (*Query).parseOrder); prm != nil {
		return unlessNil(explainOrder(prm, q.stop))
	}
	if prm := q.firstRefused(kindLogic, (*Query).parseLogic); prm != nil {
		return unlessNil(q.explainLogic(prm, q.stop))
	}
	if prm := q.first("columns"); prm != nil && !q.parseColumns(prm.Value) {
		return unlessNil(explainColumns("columns", prm, q.stop))
	}
	if prm := q.first("select"); prm != nil && !q.parseSelect(prm.Value) {
		return unlessNil(explainSelect(prm, q.stop))
	}
	if prm := q.firstRefused(kindFilter, (*Query).parseFilter); prm != nil {
		return unlessNil(q.explainFilter(prm))
	}
	if prm := q.first("on_conflict"); prm != nil && !q.parseOnConflict(prm.Value) {
		return unlessNil(explainColumns("on_conflict", prm, q.stop))
	}
	return errUnexplained
}

// firstRefused returns the first invalid parameter of a kind, or nil.
func (q *Query) firstRefused(want kind, parse func(*Query, *Param) bool) *Param {
	for i := range q.Params {
		prm := &q.Params[i]
		if k, _ := kindOf(prm.Key); k == want && prm.HasValue && !parse(q, prm) {
			return prm
		}
	}
	return nil
}

// first returns the first parameter with a key, or nil if it has no value.
func (q *Query) first(key string) *Param {
	for i := range q.Params {
		if prm := &q.Params[i]; string(prm.Key) == key {
			if prm.HasValue {
				return prm
			}
			return nil
		}
	}
	return nil
}

func unlessNil(err error) error {
	if err == nil {
		return errUnexplained
	}
	return err
}

// RangeError returns the error of a limit= or offset= whose key is not a path, or
// nil. Parse does not return it, because PostgREST reports it after other errors,
// and only for reads and calls.
func (q *Query) RangeError() error {
	if q.badRange < 0 {
		return nil
	}
	prefix := q.rangeText[q.badRange].prefix
	key := append(prefix[:len(prefix):len(prefix)], "limit"...)
	return explainTreePath(key)
}

func explainOrder(prm *Param, at stop) error {
	if err := explainTreePath(prm.Key); err != nil {
		return err
	}
	return explainText("order", prm.Value, explain.Order, prm.Value, at)
}

func (q *Query) explainLogic(prm *Param, at stop) error {
	if err := explainText("logic path", prm.Key, explain.LogicPath, prm.Key, stop{}); err != nil {
		return err
	}
	_, text, ok := q.logicText(prm)
	if !ok {
		return errUnexplained
	}
	return explainText("logic tree", prm.Value, explain.Tree, text, at)
}

func explainColumns(name string, prm *Param, at stop) error {
	return explainText(name+" parameter", prm.Value, explain.Columns, prm.Value, at)
}

func explainSelect(prm *Param, at stop) error {
	return explainText("select parameter", prm.Value, explain.Select, prm.Value, at)
}

func (q *Query) explainFilter(prm *Param) error {
	if err := explainTreePath(prm.Key); err != nil {
		return err
	}
	if q.mode == ModeCallRead {
		return explainText("filter", prm.Value, explain.FilterOrArgument, prm.Value, stop{})
	}
	return explainText("filter", prm.Value, explain.Filter, prm.Value, stop{})
}

func explainTreePath(key []byte) error {
	return explainText("tree path", key, explain.TreePath, key, stop{})
}

// maxExplained is the longest text that is parsed again. No URL of the default size
// has a longer one, and it takes a microsecond per byte.
const maxExplained = 64 << 10

// explainText parses a text again and returns the error, or nil. shown is the text
// that the message quotes, which may differ from the parsed text.
func explainText(what string, shown []byte, g explain.Grammar, text []byte, at stop) error {
	if len(text) > maxExplained && at.depth <= MaxDepth { // the error of a deep text is found at once
		return &Error{
			Message: fmt.Sprintf("failed to parse %s (%s...)", what, bytes.ToValidUTF8(shown[:64], nil)),
			Details: fmt.Sprintf("the position is shown for at most %d bytes", maxExplained),
		}
	}
	f, refused := explain.Run(g, text, explain.Start{Offset: at.mark, Depth: at.depth, Aggregates: at.extensions&ExtAggregates != 0}, MaxDepth)
	switch {
	case !refused:
		return nil
	case f.TooDeep:
		return &Error{
			Message: fmt.Sprintf("failed to parse %s: nested too deeply", what),
			Details: fmt.Sprintf("at most %d levels are allowed", MaxDepth),
		}
	}
	return &Error{
		Message: fmt.Sprintf(`"failed to parse %s (%s)" (line %d, column %d)`, what, shown, f.Line, f.Column),
		Details: f.Details,
	}
}
