package parser

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
)

// outline formats the parts of the tree that are in the key.
func outline(q *Query) string {
	plain := *q
	plain.Values = make([][]byte, len(q.Values))
	plain.Ranges = nil
	plain.Args = nil
	var b strings.Builder
	b.WriteString(plain.String())
	for _, f := range plain.Filters {
		fmt.Fprintf(&b, "\nplain %v slot %d", f.Plain, f.Slot)
	}
	for _, r := range q.Ranges {
		fmt.Fprintf(&b, "\nrange %q %d", q.Path(r.Path), r.Range.Shape())
	}
	if q.badRange >= 0 {
		fmt.Fprintf(&b, "\nbad range %q", q.rangeText[q.badRange].prefix)
	}
	for _, a := range q.Args {
		fmt.Fprintf(&b, "\narg %q", a.Key)
	}
	return b.String()
}

// readShape decodes a key. The operands and numbers of the tree are arbitrary.
func readShape(key []byte) (q *Query, err error) {
	defer func() {
		if recover() != nil {
			err = errors.New("key breaks off or holds an unknown tag")
		}
	}()
	q = new(Query)
	q.Reset()
	r := shapeReader{q: q, key: key}
	q.SelectTop = r.items()
	for len(r.key) > 0 {
		switch r.byte() {
		case shapeFilter:
			q.Filters = append(q.Filters, r.filter())
			q.FilterRoots = append(q.FilterRoots, int32(len(q.Filters)-1))
		case shapeTree:
			path := r.path()
			q.LogicRoots = append(q.LogicRoots, LogicRoot{Path: path, Node: r.tree(r.byte())})
		case shapeOrder:
			o := OrderList{Path: r.path(), Off: int32(len(q.Terms))}
			for r.byte() == shapeTerm {
				q.Terms = append(q.Terms, r.term())
				o.N++
			}
			q.Orders = append(q.Orders, o)
		case shapeDistinct:
			d := DistinctList{Path: r.path(), Off: int32(len(q.On)), N: int32(r.count())}
			for range d.N {
				q.On = append(q.On, r.field())
			}
			q.Distincts = append(q.Distincts, d)
		case shapeRange:
			shape := r.byte()
			if shape == badRangeShape {
				q.badRange = int32(len(q.rangeText))
				q.rangeText = append(q.rangeText, rangeParam{prefix: r.text()})
				break
			}
			q.Ranges = append(q.Ranges, PathRange{Path: r.path(), Range: rangeOfShape(shape)})
		case shapeColumns:
			q.HasColumns, q.Columns, q.MemberTop = true, r.texts(), none
			if r.byte() == 1 {
				q.MemberTop = NotMembers
			}
			if first := r.members(); first >= 0 {
				q.MemberTop = first
			}
		case shapeOnConflict:
			q.HasOnConflict, q.OnConflict = true, r.texts()
		case shapeNamedConflict:
			q.HasOnConflict, q.OnConflictNamed, q.OnConflict = true, true, r.texts()
		case shapeArg:
			q.Args = append(q.Args, Param{Key: r.text(), HasValue: true})
		default:
			panic("tag")
		}
	}
	return q, nil
}

func rangeOfShape(s byte) (r Range) {
	if s&ShapeFollowed != 0 {
		r.Lower = 7
	}
	switch {
	case s&ShapeZero != 0:
		r.Upper = -1
	case s&ShapeBounded != 0:
		r.Upper = 9
	default:
		r.Unbounded = true
	}
	return r
}

type shapeReader struct {
	q   *Query
	key []byte
}

func (r *shapeReader) byte() byte {
	b := r.key[0]
	r.key = r.key[1:]
	return b
}

func (r *shapeReader) count() int {
	n, size := binary.Uvarint(r.key)
	r.key = r.key[size:]
	return int(n)
}

func (r *shapeReader) text() []byte {
	n := r.count()
	t := r.key[:n:n]
	r.key = r.key[n:]
	return t
}

func (r *shapeReader) texts() (ts [][]byte) {
	for range r.count() {
		ts = append(ts, r.text())
	}
	return ts
}

func (r *shapeReader) path() Names {
	off := len(r.q.Names)
	r.q.Names = append(r.q.Names, r.texts()...)
	return Names{int32(off), int32(len(r.q.Names) - off)}
}

func (r *shapeReader) field() Field {
	f := Field{Name: r.text()}
	f.Path = JSONPath{int32(len(r.q.Paths)), int32(r.count())}
	for range f.Path.N {
		b := r.byte()
		r.q.Paths = append(r.q.Paths, JSONOp{Text: b&1 != 0, Index: b&2 != 0, Key: r.text()})
	}
	return f
}

func (r *shapeReader) members() int32 {
	first, last := int32(none), int32(none)
	for r.byte() == shapeItem {
		flags := r.byte()
		r.q.Members = append(r.q.Members, Member{
			HasAlias: flags&1 != 0, HasHint: flags&2 != 0, Listed: flags&4 != 0,
			Name: r.text(), Alias: r.text(), Hint: r.text(), First: none, Next: none,
		})
		i := int32(len(r.q.Members) - 1)
		below := r.members()
		r.q.Members[i].First = below
		if first == none {
			first = i
		} else {
			r.q.Members[last].Next = i
		}
		last = i
	}
	return first
}

func (r *shapeReader) items() int32 {
	first, last := int32(none), int32(none)
	for r.byte() == shapeItem {
		idx := r.q.newItem()
		kinds, flags := r.byte(), r.byte()
		it := SelectItem{
			Kind: SelectKind(kinds & 3), Agg: Aggregate(kinds >> 2 & 7), Join: JoinType(kinds >> 5),
			HasAlias: flags&1 != 0, HasHint: flags&2 != 0, HasCast: flags&4 != 0, HasAggCast: flags&8 != 0,
			Field: r.field(), First: none, Next: none,
		}
		if it.HasAlias {
			it.Alias = r.text()
		}
		if it.HasHint {
			it.Hint = r.text()
		}
		if it.HasCast {
			it.Cast = r.text()
		}
		if it.HasAggCast {
			it.AggCast = r.text()
		}
		if it.Kind != SelectField {
			it.First = r.items()
		}
		r.q.Items[idx] = it
		if first == none {
			first = idx
		} else {
			r.q.Items[last].Next = idx
		}
		last = idx
	}
	return first
}

func (r *shapeReader) filter() Filter {
	f := Filter{Op: Op(r.byte()), Slot: none}
	flags := r.byte()
	f.Negate, f.HasLang, f.Plain, f.Quant = flags&1 != 0, flags&2 != 0, flags&4 != 0, Quant(flags>>3)
	f.Is = IsVal(r.byte())
	f.Path = r.path()
	f.Field = r.field()
	if f.HasLang {
		f.Lang = r.text()
	}
	if f.Op != OpIs {
		f.Slot = r.q.addValue(nil)
	}
	return f
}

func (r *shapeReader) tree(tag byte) int32 {
	q := r.q
	switch tag {
	case shapeLeaf:
		q.Filters = append(q.Filters, r.filter())
		q.Logic = append(q.Logic, LogicNode{Leaf: true, Filter: int32(len(q.Filters) - 1), First: none, Next: none})
		return int32(len(q.Logic) - 1)
	case shapeTree:
		flags := r.byte()
		q.Logic = append(q.Logic, LogicNode{Or: flags&1 != 0, Negate: flags&2 != 0, Filter: none, First: none, Next: none})
		idx := int32(len(q.Logic) - 1)
		last := int32(none)
		for tag := r.byte(); tag != shapeEnd; tag = r.byte() {
			child := r.tree(tag)
			if last == none {
				q.Logic[idx].First = child
			} else {
				q.Logic[last].Next = child
			}
			last = child
		}
		return idx
	}
	panic("tag")
}

func (r *shapeReader) term() OrderTerm {
	flags := r.byte()
	t := OrderTerm{HasRel: flags&1 != 0, Dir: Direction(flags >> 1 & 3), Nulls: NullOrder(flags >> 3 & 3), Agg: Aggregate(flags >> 5)}
	if t.HasRel {
		t.Rel = r.text()
	}
	t.Field = r.field()
	return t
}
