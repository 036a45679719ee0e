package parser

// none ends a chain of nodes.
const none = -1

// Reset releases slices with more than this capacity, so that a large request does
// not keep its memory in a pooled Query.
const (
	keepBytes = 64 << 10
	keepNodes = 512
)

// Reset empties q and keeps its slices for the next Parse.
func (q *Query) Reset() {
	q.Params = emptied(q.Params, keepNodes)
	q.Items = emptied(q.Items, keepNodes)
	q.SelectTop = none
	q.Filters = emptied(q.Filters, keepNodes)
	q.FilterRoots = emptied(q.FilterRoots, keepNodes)
	q.Logic = emptied(q.Logic, keepNodes)
	q.LogicRoots = emptied(q.LogicRoots, keepNodes)
	q.Orders = emptied(q.Orders, keepNodes)
	q.Terms = emptied(q.Terms, keepNodes)
	q.Distincts = emptied(q.Distincts, keepNodes)
	q.On = emptied(q.On, keepNodes)
	q.Ranges = emptied(q.Ranges, keepNodes)
	q.HasColumns = false
	q.Columns = emptied(q.Columns, keepNodes)
	q.Members = emptied(q.Members, keepNodes)
	q.MemberTop = none
	q.HasOnConflict, q.OnConflictNamed = false, false
	q.OnConflict = emptied(q.OnConflict, keepNodes)
	q.After, q.HasAfter = nil, false
	q.Args = emptied(q.Args, keepNodes)
	q.FilterKeys = emptied(q.FilterKeys, keepNodes)
	q.Values = emptied(q.Values, keepNodes)
	q.Names = emptied(q.Names, keepNodes)
	q.Paths = emptied(q.Paths, keepNodes)
	q.arena = emptied(q.arena, keepBytes)
	q.rangeText = emptied(q.rangeText, keepNodes)
	q.badRange = none
	q.byKey = emptied(q.byKey, keepNodes)
	q.parts = 0
}

func emptied[T any](s []T, keep int) []T {
	if cap(s) > keep {
		return nil
	}
	return s[:0]
}

// Path returns the names of an embed path, outermost first.
func (q *Query) Path(n Names) [][]byte { return q.Names[n.Off : n.Off+n.N : n.Off+n.N] }

// JSON returns the steps of a JSON path.
func (q *Query) JSON(p JSONPath) []JSONOp { return q.Paths[p.Off : p.Off+p.N : p.Off+p.N] }

// OrderTerms returns the terms of one order= parameter.
func (q *Query) OrderTerms(o OrderList) []OrderTerm { return q.Terms[o.Off : o.Off+o.N : o.Off+o.N] }

// DistinctOn returns the fields of one distinct= parameter.
func (q *Query) DistinctOn(d DistinctList) []Field { return q.On[d.Off : d.Off+d.N : d.Off+d.N] }

// addValue gives an operand the next slot.
func (q *Query) addValue(v []byte) int32 {
	q.Values = append(q.Values, v)
	return int32(len(q.Values) - 1)
}

// takePart counts a part of the tree, and reports whether there may be one more.
func (q *Query) takePart() bool {
	q.parts++
	return q.parts <= MaxParts
}
