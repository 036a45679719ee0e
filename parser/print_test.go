package parser

import (
	"bytes"
	"strconv"
	"strings"
)

// String formats the tree: one line for each part, each operand after its slot.
func (q *Query) String() string {
	p := printer{q: q}
	if q.SelectTop >= 0 {
		p.line("select ")
		p.items(q.SelectTop)
	}
	for _, i := range q.FilterRoots {
		p.line("filter ")
		p.filter(&q.Filters[i])
	}
	for _, root := range q.LogicRoots {
		p.line("logic ")
		p.path(root.Path)
		p.tree(root.Node)
	}
	for _, o := range q.Orders {
		p.line("order ")
		p.path(o.Path)
		for i, t := range q.OrderTerms(o) {
			p.comma(i)
			p.term(&t)
		}
	}
	for _, d := range q.Distincts {
		p.line("distinct ")
		p.path(d.Path)
		for i, f := range q.DistinctOn(d) {
			p.comma(i)
			p.field(&f)
		}
	}
	for _, r := range q.Ranges {
		p.line("range ")
		p.path(r.Path)
		if !r.Range.Unbounded {
			p.WriteString("limit " + string(r.Range.AppendLimit(nil)) + " ")
		}
		p.WriteString("offset " + string(r.Range.AppendOffset(nil)))
	}
	if q.HasColumns {
		p.line("columns ")
		p.names(q.Columns)
		switch {
		case q.MemberTop >= 0:
			p.line("members ")
			p.members(q.MemberTop)
		case q.MemberTop == NotMembers:
			p.line("not members")
		}
	}
	if q.HasOnConflict {
		p.line("on_conflict ")
		if q.OnConflictNamed {
			p.WriteString("named ")
		}
		p.names(q.OnConflict)
	}
	for _, a := range q.Args {
		p.line("arg ")
		p.name(a.Key)
		p.WriteString(" " + strconv.Quote(string(a.Value)))
	}
	return p.Builder.String()
}

type printer struct {
	strings.Builder
	q *Query
}

func (p *printer) line(head string) {
	if p.Len() > 0 {
		p.WriteByte('\n')
	}
	p.WriteString(head)
}

func (p *printer) comma(i int) {
	if i > 0 {
		p.WriteString(", ")
	}
}

// name quotes a name that is not an ordinary identifier.
func (p *printer) name(name []byte) {
	s := string(name)
	if ordinary(name) || s == "*" {
		p.WriteString(s)
	} else {
		p.WriteString(strconv.Quote(s))
	}
}

func ordinary(name []byte) bool {
	l := lexer{s: name}
	_, ok := l.identifier()
	return ok && l.done() && bytes.IndexByte(name, ' ') < 0
}

func (p *printer) names(names [][]byte) {
	for i, n := range names {
		p.comma(i)
		p.name(n)
	}
}

func (p *printer) path(path Names) {
	for _, n := range p.q.Path(path) {
		p.name(n)
		p.WriteString(": ")
	}
}

func (p *printer) field(f *Field) {
	p.name(f.Name)
	for _, op := range p.q.JSON(f.Path) {
		p.WriteString("->")
		if op.Text {
			p.WriteByte('>')
		}
		if op.Index {
			p.WriteString("[" + string(op.Key) + "]")
		} else {
			p.name(op.Key)
		}
	}
}

var (
	aggregateNames = [...]string{AggSum: "sum", AggAvg: "avg", AggCount: "count", AggMax: "max", AggMin: "min", AggCountDistinct: "countdistinct"}
	joinNames      = [...]string{JoinInner: " inner", JoinLeft: " left"}
	quantNames     = [...]string{QuantNone: "", QuantAny: "(any)", QuantAll: "(all)"}
	directionNames = [...]string{DirDefault: "", DirAsc: " asc", DirDesc: " desc"}
	nullsNames     = [...]string{NullsDefault: "", NullsFirst: " nullsfirst", NullsLast: " nullslast"}
)

func (p *printer) members(first int32) {
	for i, n := first, 0; i >= 0; i, n = p.q.Members[i].Next, n+1 {
		m := &p.q.Members[i]
		p.comma(n)
		if m.HasAlias {
			p.name(m.Alias)
			p.WriteByte(':')
		}
		p.name(m.Name)
		if m.HasHint {
			p.WriteByte('!')
			p.name(m.Hint)
		}
		if m.Listed {
			p.WriteByte('(')
			p.members(m.First)
			p.WriteByte(')')
		}
	}
}

func (p *printer) items(first int32) {
	for i, n := first, 0; i >= 0; i, n = p.q.Items[i].Next, n+1 {
		p.comma(n)
		it := &p.q.Items[i]
		if it.HasAlias {
			p.name(it.Alias)
			p.WriteByte(':')
		}
		if it.Kind == SelectSpread {
			p.WriteString("...")
		}
		p.field(&it.Field)
		if it.HasCast {
			p.WriteString("::" + string(it.Cast))
		}
		if it.Agg != AggNone {
			p.WriteString("." + aggregateNames[it.Agg] + "()")
		}
		if it.HasAggCast {
			p.WriteString("::" + string(it.AggCast))
		}
		if it.Kind == SelectField {
			continue
		}
		if it.HasHint {
			p.WriteString(" hint ")
			p.name(it.Hint)
		}
		p.WriteString(joinNames[it.Join])
		p.WriteByte('(')
		p.items(it.First)
		p.WriteByte(')')
	}
}

func (p *printer) filter(f *Filter) {
	p.path(f.Path)
	p.field(&f.Field)
	p.WriteByte(' ')
	if f.Negate {
		p.WriteString("not ")
	}
	p.WriteString(f.Op.Name() + quantNames[f.Quant])
	if f.HasLang {
		p.WriteString("(" + string(f.Lang) + ")")
	}
	if f.Slot >= 0 {
		p.WriteString(" $" + strconv.Itoa(int(f.Slot)) + " " + strconv.Quote(string(p.q.Values[f.Slot])))
	} else {
		p.WriteString(" " + isValues[f.Is])
	}
}

func (p *printer) tree(node int32) {
	n := &p.q.Logic[node]
	if n.Leaf {
		p.filter(&p.q.Filters[n.Filter])
		return
	}
	if n.Negate {
		p.WriteString("not ")
	}
	if n.Or {
		p.WriteString("or(")
	} else {
		p.WriteString("and(")
	}
	for i, c := n.First, 0; i >= 0; i, c = p.q.Logic[i].Next, c+1 {
		p.comma(c)
		p.tree(i)
	}
	p.WriteByte(')')
}

func (p *printer) term(t *OrderTerm) {
	if t.HasRel {
		p.name(t.Rel)
		p.WriteByte('(')
	}
	p.field(&t.Field)
	if t.HasRel {
		p.WriteByte(')')
	}
	if t.Agg != AggNone {
		p.WriteString("." + aggregateNames[t.Agg] + "()")
	}
	p.WriteString(directionNames[t.Dir] + nullsNames[t.Nulls])
}
