package parser

import (
	"fmt"

	"github.com/fastgrest/fastgrest/parser/explain"
)

var errTooManyParams = &Error{
	Message: "failed to parse query string: too many parameters",
	Details: fmt.Sprintf("at most %d are allowed", MaxParams),
}

// explain finds the error for a query that read has refused. The kinds of
// parameters are gone through in the order PostgREST reads them, since only
// the first failure is reported.
func (q *Query) explain() error {
	for _, find := range [...]func(*Query) error{
		(*Query).explainOrders,
		(*Query).explainLogic,
		explainFirst("columns", "columns parameter", explain.Columns),
		explainFirst("select", "select parameter", explain.Select),
		(*Query).explainFilters,
		explainFirst("on_conflict", "on_conflict parameter", explain.Columns),
	} {
		if err := find(q); err != nil {
			return err
		}
	}
	return errUnexplained
}

// errUnexplained would mean that read refuses what package explain accepts.
// The fuzzers have found no such query.
var errUnexplained = &Error{Message: "failed to parse query string"}

// RangeError is the error of a limit= or offset= whose key leads to no embed,
// nil if there is none. It is separate because PostgREST reports it late, and
// only for requests whose ranges it heeds.
func (q *Query) RangeError() error {
	if q.badRange < 0 {
		return nil
	}
	prefix := q.rangeText[q.badRange].prefix
	key := append(prefix[:len(prefix):len(prefix)], "limit"...)
	return explainText("tree path", key, explain.TreePath, key)
}

func (q *Query) explainOrders() error {
	return q.explainEach(kindOrder, func(prm *Param) error {
		if err := explainText("tree path", prm.Key, explain.TreePath, prm.Key); err != nil {
			return err
		}
		return explainText("order", prm.Value, explain.Order, prm.Value)
	})
}

func (q *Query) explainLogic() error {
	return q.explainEach(kindLogic, func(prm *Param) error {
		if err := explainText("logic path", prm.Key, explain.LogicPath, prm.Key); err != nil {
			return err
		}
		_, text, ok := q.logicText(prm)
		if !ok {
			return nil
		}
		return explainText("logic tree", prm.Value, explain.Tree, text)
	})
}

func (q *Query) explainFilters() error {
	grammar := explain.Filter
	if q.mode == ModeCallRead {
		grammar = explain.FilterOrArgument
	}
	return q.explainEach(kindFilter, func(prm *Param) error {
		if err := explainText("tree path", prm.Key, explain.TreePath, prm.Key); err != nil {
			return err
		}
		return explainText("filter", prm.Value, grammar, prm.Value)
	})
}

// explainEach goes through the parameters of one kind.
func (q *Query) explainEach(want kind, find func(*Param) error) error {
	for i := range q.Params {
		prm := &q.Params[i]
		if k, _ := kindOf(prm.Key); k != want || !prm.HasValue {
			continue
		}
		if err := find(prm); err != nil {
			return err
		}
	}
	return nil
}

// explainFirst looks at the first parameter called key, the only one that
// counts.
func explainFirst(key, what string, g explain.Grammar) func(*Query) error {
	return func(q *Query) error {
		for i := range q.Params {
			if prm := &q.Params[i]; string(prm.Key) == key {
				if !prm.HasValue {
					return nil
				}
				return explainText(what, prm.Value, g, prm.Value)
			}
		}
		return nil
	}
}

// explainText reads a text again and words the error, if there is one. The
// text that is shown is not always the one that is read.
func explainText(what string, shown []byte, g explain.Grammar, text []byte) error {
	f, refused := explain.Run(g, text, MaxDepth)
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
