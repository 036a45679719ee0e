package tree

import (
	"strconv"
	"strings"

	"github.com/fastgrest/fastgrest/parser"
	"github.com/fastgrest/fastgrest/parser/header"
	"github.com/fastgrest/fastgrest/planner/catalog"
)

// The text form of trees, for golden tests and for debugging. Each clause is
// one line, and embeds are indented below their parent. ?3 is the operand in
// slot 3. Absent clauses are left out.

// String returns the text form of the node and of all nodes below it.
func (n *Node) String() string {
	var p printer
	p.node(n)
	return p.String()
}

// String returns the text form of the write.
func (w *Write) String() string {
	var p printer
	p.write(w)
	return p.String()
}

// String returns the text form of the call.
func (c *Call) String() string {
	var p printer
	p.call(c)
	return p.String()
}

type printer struct {
	strings.Builder
	depth int
}

// line writes one line: a word and those parts that are not empty.
func (p *printer) line(word string, parts ...string) {
	p.WriteString(strings.Repeat("  ", p.depth))
	p.WriteString(word)
	for _, part := range parts {
		if part != "" {
			p.WriteString(" ")
			p.WriteString(part)
		}
	}
	p.WriteString("\n")
}

func (p *printer) list(word string, items []string) {
	if len(items) > 0 {
		p.line(word, strings.Join(items, ", "))
	}
}

func each[T any](items []T, text func(*T) string) []string {
	out := make([]string, len(items))
	for i := range items {
		out[i] = text(&items[i])
	}
	return out
}

func (p *printer) node(n *Node) {
	p.line("from", qi(n.From), n.Alias.text("as "))
	p.depth++
	if n.Rel != nil {
		p.line("by", relationship(n.Rel))
	}
	p.list("on", each(n.JoinConds, func(c *JoinCond) string {
		return qi(c.Left) + "." + c.LeftColumn + " = " + qi(c.Right) + "." + c.RightColumn
	}))
	if n.ParentRef != (catalog.QI{}) {
		p.line("row of", qi(n.ParentRef))
	}
	p.list("select", each(n.Select, (*SelectField).text))
	p.list("select to order by", each(n.Extra, func(e *ExtraField) string { return related(e.Rel) + e.Field.text() }))
	p.list("where", each(n.Where, (*Cond).text))
	p.list("order", each(n.Order, (*OrderTerm).text))
	p.list("order of arrays", each(n.SpreadOrder, (*OrderTerm).text))
	if n.Limit != (Limit{Range: NoRange, Inline: -1}) {
		p.line("limit", n.Limit.text())
	}
	for i := range n.Embeds {
		p.embed(&n.Embeds[i])
	}
	p.depth--
}

var embedKinds = [...]string{EmbedObject: "object", EmbedArray: "array", EmbedSpread: "spread"}
var joins = [...]string{parser.JoinDefault: "", parser.JoinInner: "inner", parser.JoinLeft: "left"}

func (p *printer) embed(e *Embed) {
	kind := embedKinds[e.Kind]
	if e.Node.Spread == SpreadToMany {
		kind += " to many"
	}
	p.line("embed", kind, e.Name, "as "+e.AggAlias, joins[e.Node.Join], when(e.Empty, "(not shown)"), when(e.Node.LegacyName, "(named by its target)"))
	p.depth++
	p.list("lifts", each(e.Fields, func(f *SpreadField) string {
		return castText(f.AggCast, aggregateText(f.Agg, f.Name)) + f.Alias.text(" as ")
	}))
	p.node(e.Node)
	p.depth--
}

var cardinalities = [...]string{
	catalog.ManyToOne: "many to one", catalog.OneToMany: "one to many", catalog.OneToOne: "one to one",
	catalog.ManyToMany: "many to many", catalog.Computed: "computed",
}

func relationship(r *catalog.Relationship) string {
	text := cardinalities[r.Cardinality]
	switch r.Cardinality {
	case catalog.Computed:
		return text + " " + qi(r.Function) + when(r.ToOne, ", to one")
	case catalog.ManyToMany:
		return text + " through " + qi(r.Junction.Table)
	}
	return text + " " + r.Constraint
}

func (f *Field) text() string {
	text := f.Name
	if f.FullRow {
		text = "whole row"
	}
	for _, step := range f.Path {
		text += "->" + when(step.Text, ">")
		if step.Index {
			text += step.Key
		} else {
			text += strconv.Quote(step.Key)
		}
	}
	if len(f.Path) > 0 && f.ToJSON {
		text = "to_jsonb:" + text
	}
	if f.TSVector {
		text = "tsvector" + f.Lang.text(" ") + ":" + text
	}
	return text
}

func castText(to Opt, text string) string {
	if to.Given {
		return text + "::" + to.Name
	}
	return text
}

var aggregateNames = [...]string{
	parser.AggSum: "sum", parser.AggAvg: "avg", parser.AggCount: "count", parser.AggMax: "max", parser.AggMin: "min",
}

func aggregateText(agg parser.Aggregate, text string) string {
	if agg == parser.AggNone {
		return text
	}
	return aggregateNames[agg] + "(" + text + ")"
}

func (s *SelectField) text() string {
	text := s.Field.text()
	if s.Field.Transform != "" {
		text = s.Field.Transform + "(" + text + ")"
	}
	return castText(s.AggCast, aggregateText(s.Agg, castText(s.Cast, text))) + s.Alias.text(" as ")
}

var isNames = [...]string{
	parser.IsNull: "null", parser.IsNotNull: "not null", parser.IsTrue: "true", parser.IsFalse: "false", parser.IsUnknown: "unknown",
}

var quantNames = [...]string{parser.QuantNone: "", parser.QuantAny: "(any)", parser.QuantAll: "(all)"}

func (c *Cond) text() string {
	not := when(c.Negate, "not ")
	switch c.Kind {
	case CondNullEmbed:
		return not + c.Embed + " is missing"
	case CondLogic:
		word := " and "
		if c.Or {
			word = " or "
		}
		return not + "(" + strings.Join(each(c.Children, (*Cond).text), word) + ")"
	}
	text := not + c.Field.text() + " " + c.Op.Name() + quantNames[c.Quant] + c.Lang.text(" ")
	switch {
	case c.Op == parser.OpIs:
		return text + " " + isNames[c.Is]
	case c.Field.Transform != "":
		return text + " " + c.Field.Transform + "(" + slot(c.Slot) + ")"
	}
	return text + " " + slot(c.Slot)
}

func slot(n int32) string { return "?" + strconv.Itoa(int(n)) }

var directions = [...]string{parser.DirDefault: "", parser.DirAsc: " asc", parser.DirDesc: " desc"}
var nullOrders = [...]string{parser.NullsDefault: "", parser.NullsFirst: " nulls first", parser.NullsLast: " nulls last"}

func (t *OrderTerm) text() string {
	return related(t.Rel) + t.Field.text() + directions[t.Dir] + nullOrders[t.Nulls]
}

func related(rel Opt) string {
	if rel.Given {
		return rel.Name + "."
	}
	return ""
}

func (l *Limit) text() string {
	text := "range " + strconv.Itoa(int(l.Range))
	switch l.Range {
	case TopRange:
		text = "top range"
	case NoRange:
		text = "max rows"
	}
	switch {
	case l.HasLimit && l.Inline >= 0:
		text += ", rows " + strconv.FormatInt(l.Inline, 10)
	case l.HasLimit:
		text += ", rows ?"
	}
	return text + when(l.HasOffset, ", offset ?")
}

var writeKinds = [...]string{WriteInsert: "insert into", WriteUpdate: "update", WriteDelete: "delete from"}

func (p *printer) write(w *Write) {
	kind := writeKinds[w.Kind]
	if w.IsPut {
		kind = "put into"
	}
	p.line(kind, qi(w.Table))
	p.depth++
	p.payload(w.Object)
	p.list("set", each(w.Columns, func(c *WriteColumn) string {
		text := c.Name + " " + c.Type + when(c.Key != c.Name, " from "+c.Key)
		if c.Transform != "" {
			text += " by " + c.Transform
		}
		if w.Defaults {
			text += c.Default.text(" default ")
		}
		return text
	}))
	p.list("where", each(w.Where, (*Cond).text))
	p.list("where", each(w.Put, (*Cond).text))
	switch w.Resolution {
	case header.MergeDuplicates:
		p.list("merge on", w.Conflict)
	case header.IgnoreDuplicates:
		p.list("ignore on", w.Conflict)
	}
	p.list("returning", w.Returning)
	p.depth--
}

func (p *printer) payload(object bool) {
	if object {
		p.line("payload", "object")
	} else {
		p.line("payload", "array")
	}
}

var callArgs = [...]string{ArgsNone: "nothing", ArgsNamed: "values", ArgsJSON: "members of", ArgsUnnamed: "the payload"}

func (p *printer) call(c *Call) {
	p.line("call", qi(c.Routine.QI))
	p.depth++
	p.list("with "+callArgs[c.Args], each(c.Params, func(param *catalog.Param) string {
		return strings.TrimSpace(when(param.Variadic, "variadic ") + param.Name + " " + param.Type)
	}))
	if c.Args == ArgsJSON {
		p.payload(c.Object)
	}
	p.list("returning", c.Returning)
	p.depth--
}

func (o Opt) text(before string) string {
	if o.Given {
		return before + o.Name
	}
	return ""
}

func qi(q catalog.QI) string {
	if q.Schema == "" {
		return q.Name
	}
	return q.Schema + "." + q.Name
}

func when(condition bool, text string) string {
	if condition {
		return text
	}
	return ""
}
