package parser

import "encoding/binary"

// The shape of a query is everything that changes its SQL statement. The key is
// the tree in a prefix-free form: each text has its length and each list its end.
// Different trees therefore have different keys.

// Tags of the parts of a key. An empty part is left out.
const (
	shapeEnd = iota
	shapeItem
	shapeFilter
	shapeTree
	shapeLeaf
	shapeOrder
	shapeTerm
	shapeRange
	shapeColumns
	shapeOnConflict
	shapeNamedConflict
	shapeArg
	shapeDistinct
)

// AppendShape appends a key. Two queries have equal keys if and only if their
// trees are equal apart from operands and the numbers of ranges. The operands of
// such queries have the same slots in Values.
//
// The key has Range.Shape of each range, and the names of Args.
func (q *Query) AppendShape(dst []byte) []byte {
	dst = q.appendItems(dst, q.SelectTop)
	for _, f := range q.FilterRoots {
		dst = append(dst, shapeFilter)
		dst = q.appendFilter(dst, &q.Filters[f])
	}
	for i := range q.LogicRoots {
		dst = append(dst, shapeTree)
		dst = q.appendPath(dst, q.LogicRoots[i].Path)
		dst = q.appendTree(dst, q.LogicRoots[i].Node)
	}
	for i := range q.Orders {
		dst = append(dst, shapeOrder)
		dst = q.appendPath(dst, q.Orders[i].Path)
		for j := range q.OrderTerms(q.Orders[i]) {
			dst = q.appendTerm(dst, &q.Terms[int(q.Orders[i].Off)+j])
		}
		dst = append(dst, shapeEnd)
	}
	for i := range q.Distincts {
		dst = append(dst, shapeDistinct)
		dst = q.appendPath(dst, q.Distincts[i].Path)
		dst = appendCount(dst, int(q.Distincts[i].N))
		for j := range q.DistinctOn(q.Distincts[i]) {
			dst = q.appendField(dst, &q.On[int(q.Distincts[i].Off)+j])
		}
	}
	for i := range q.Ranges {
		dst = append(dst, shapeRange, q.Ranges[i].Range.Shape())
		dst = q.appendPath(dst, q.Ranges[i].Path)
	}
	if q.badRange >= 0 {
		dst = append(dst, shapeRange, badRangeShape)
		dst = appendText(dst, q.rangeText[q.badRange].prefix)
	}
	if q.HasColumns {
		dst = append(dst, shapeColumns)
		dst = appendTexts(dst, q.Columns)
		dst = append(dst, flag(q.MemberTop == NotMembers))
		dst = q.appendMembers(dst, q.MemberTop)
	}
	if q.HasOnConflict {
		if q.OnConflictNamed {
			dst = append(dst, shapeNamedConflict)
		} else {
			dst = append(dst, shapeOnConflict)
		}
		dst = appendTexts(dst, q.OnConflict)
	}
	for i := range q.Args {
		dst = append(dst, shapeArg)
		dst = appendText(dst, q.Args[i].Key)
	}
	return dst
}

// badRangeShape differs from all values of Range.Shape.
const badRangeShape = 0xFF

func appendText(dst, text []byte) []byte {
	dst = appendCount(dst, len(text))
	return append(dst, text...)
}

func appendCount(dst []byte, n int) []byte {
	if n < 0x80 {
		return append(dst, byte(n))
	}
	return binary.AppendUvarint(dst, uint64(n))
}

func appendTexts(dst []byte, texts [][]byte) []byte {
	dst = appendCount(dst, len(texts))
	for _, t := range texts {
		dst = appendText(dst, t)
	}
	return dst
}

func (q *Query) appendPath(dst []byte, path Names) []byte { return appendTexts(dst, q.Path(path)) }

func (q *Query) appendField(dst []byte, f *Field) []byte {
	dst = appendText(dst, f.Name)
	dst = appendCount(dst, int(f.Path.N))
	for i := range f.Path.N {
		op := &q.Paths[f.Path.Off+i]
		dst = append(dst, flag(op.Text)|flag(op.Index)<<1)
		dst = appendText(dst, op.Key)
	}
	return dst
}

func flag(b bool) byte {
	if b {
		return 1
	}
	return 0
}

// appendItems appends a chain of items and its end.
func (q *Query) appendItems(dst []byte, first int32) []byte {
	for i := first; i >= 0; i = q.Items[i].Next {
		it := &q.Items[i]
		dst = append(dst, shapeItem,
			byte(it.Kind)|byte(it.Agg)<<2|byte(it.Join)<<5,
			flag(it.HasAlias)|flag(it.HasHint)<<1|flag(it.HasCast)<<2|flag(it.HasAggCast)<<3)
		dst = q.appendField(dst, &it.Field)
		if it.HasAlias {
			dst = appendText(dst, it.Alias)
		}
		if it.HasHint {
			dst = appendText(dst, it.Hint)
		}
		if it.HasCast {
			dst = appendText(dst, it.Cast)
		}
		if it.HasAggCast {
			dst = appendText(dst, it.AggCast)
		}
		if it.Kind != SelectField {
			dst = q.appendItems(dst, it.First)
		}
	}
	return append(dst, shapeEnd)
}

// appendMembers appends a chain of members and its end.
func (q *Query) appendMembers(dst []byte, first int32) []byte {
	for i := first; i >= 0; i = q.Members[i].Next {
		m := &q.Members[i]
		dst = append(dst, shapeItem, flag(m.HasAlias)|flag(m.HasHint)<<1|flag(m.Listed)<<2)
		dst = appendText(dst, m.Name)
		dst = appendText(dst, m.Alias)
		dst = appendText(dst, m.Hint)
		dst = q.appendMembers(dst, m.First)
	}
	return append(dst, shapeEnd)
}

func (q *Query) appendFilter(dst []byte, f *Filter) []byte {
	dst = append(dst,
		byte(f.Op),
		flag(f.Negate)|flag(f.HasLang)<<1|flag(f.Plain)<<2|byte(f.Quant)<<3,
		byte(f.Is))
	dst = q.appendPath(dst, f.Path)
	dst = q.appendField(dst, &f.Field)
	if f.HasLang {
		dst = appendText(dst, f.Lang)
	}
	return dst
}

func (q *Query) appendTree(dst []byte, node int32) []byte {
	n := &q.Logic[node]
	if n.Leaf {
		dst = append(dst, shapeLeaf)
		return q.appendFilter(dst, &q.Filters[n.Filter])
	}
	dst = append(dst, shapeTree, flag(n.Or)|flag(n.Negate)<<1)
	for i := n.First; i >= 0; i = q.Logic[i].Next {
		dst = q.appendTree(dst, i)
	}
	return append(dst, shapeEnd)
}

func (q *Query) appendTerm(dst []byte, t *OrderTerm) []byte {
	dst = append(dst, shapeTerm, flag(t.HasRel)|byte(t.Dir)<<1|byte(t.Nulls)<<3|byte(t.Agg)<<5)
	if t.HasRel {
		dst = appendText(dst, t.Rel)
	}
	return q.appendField(dst, &t.Field)
}
