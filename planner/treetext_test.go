package planner

import (
	"slices"
	"strconv"
	"strings"

	"github.com/fastgrest/fastgrest/parser"
	"github.com/fastgrest/fastgrest/parser/header"
	"github.com/fastgrest/fastgrest/planner/catalog"
	"github.com/fastgrest/fastgrest/planner/tree"
)

// treePrinter writes trees as text. Each clause is one line, and embeds are
// indented below their parent. ?3 is the operand in slot 3. Absent clauses are
// left out.
type treePrinter struct {
	strings.Builder
	depth int
}

// line writes one line: a word and those parts that are not empty.
func (p *treePrinter) line(word string, parts ...string) {
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

func (p *treePrinter) list(word string, items []string) {
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

func (p *treePrinter) node(n *tree.Node) {
	p.line("from", qi(n.From), optText("as ", n.Alias))
	p.depth++
	if n.Rel != nil {
		p.line("by", relationship(n.Rel))
	}
	p.list("on", each(n.JoinConds, func(c *tree.JoinCond) string {
		return qi(c.Left) + "." + c.LeftColumn + " = " + qi(c.Right) + "." + c.RightColumn
	}))
	if n.ParentRef != (catalog.QI{}) {
		p.line("row of", qi(n.ParentRef))
	}
	p.list("select", each(n.Select, selectFieldText))
	if n.Distinct {
		p.line("distinct")
	}
	p.list("distinct on", each(n.DistinctOn, fieldText))
	p.list("select for its parent", each(n.Extra, func(e *tree.ExtraField) string {
		if len(e.Conds) > 0 {
			return "(" + strings.Join(each(e.Conds, condText), ", ") + ")" + optText(" as ", e.Field.Alias)
		}
		return related(e.Rel) + selectFieldText(&e.Field)
	}))
	p.list("where", each(n.Where, condText))
	p.list("having", each(n.Having, condText))
	p.list("order", each(n.Order, orderTermText))
	p.list("order of arrays", each(n.SpreadOrder, orderTermText))
	if n.Limit != (noLimit) {
		p.line("limit", limitText(&n.Limit))
	}
	for i := range n.Embeds {
		p.embed(&n.Embeds[i])
	}
	p.depth--
}

var embedKinds = [...]string{tree.EmbedObject: "object", tree.EmbedArray: "array", tree.EmbedSpread: "spread"}
var joins = [...]string{parser.JoinDefault: "", parser.JoinInner: "inner", parser.JoinLeft: "left"}

func (p *treePrinter) embed(e *tree.Embed) {
	kind := embedKinds[e.Kind]
	if e.Node.Spread == tree.SpreadToMany {
		kind += " to many"
	}
	p.line("embed", kind, e.Name, "as "+e.AggAlias, joins[e.Node.Join], when(e.Empty, "(not shown)"), when(e.Node.LegacyName, "(named by its target)"))
	p.depth++
	p.list("lifts", each(e.Fields, func(f *tree.SpreadField) string {
		return castText(f.AggCast, aggregateText(f.Agg, f.Name)+filterText(f.Filter)) + optText(" as ", f.Alias)
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

func fieldText(f *tree.Field) string {
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
		text = "tsvector" + optText(" ", f.Lang) + ":" + text
	}
	return text
}

func castText(to tree.Opt, text string) string {
	if to.Given {
		return text + "::" + to.Name
	}
	return text
}

func aggregateText(agg parser.Aggregate, text string) string {
	if agg == parser.AggNone {
		return text
	}
	if agg == parser.AggCountDistinct {
		text = "distinct " + text
	}
	return aggregateNames[agg] + "(" + text + ")"
}

func filterText(conds []tree.Cond) string {
	if len(conds) == 0 {
		return ""
	}
	return " filter (" + strings.Join(each(conds, condText), ", ") + ")"
}

func selectFieldText(s *tree.SelectField) string {
	text := fieldText(&s.Field)
	if s.Field.Transform != "" {
		text = s.Field.Transform + "(" + text + ")"
	}
	return castText(s.AggCast, aggregateText(s.Agg, castText(s.Cast, text))+filterText(s.Filter)) + optText(" as ", s.Alias)
}

var isNames = [...]string{
	parser.IsNull: "null", parser.IsNotNull: "not null", parser.IsTrue: "true", parser.IsFalse: "false", parser.IsUnknown: "unknown",
}

var quantNames = [...]string{parser.QuantNone: "", parser.QuantAny: "(any)", parser.QuantAll: "(all)"}

func condText(c *tree.Cond) string {
	not := when(c.Negate, "not ")
	switch c.Kind {
	case tree.CondNullEmbed:
		return not + c.Embed + " is missing"
	case tree.CondLogic:
		word := " and "
		if c.Or {
			word = " or "
		}
		return not + "(" + strings.Join(each(c.Children, condText), word) + ")"
	}
	field := fieldText(&c.Field)
	if c.Aggregate != nil {
		field = selectFieldText(c.Aggregate)
	}
	field = related(c.Rel) + field
	text := not + field + " " + c.Op.Name() + quantNames[c.Quant] + optText(" ", c.Lang)
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

func orderTermText(t *tree.OrderTerm) string {
	field := fieldText(&t.Field)
	if t.Aggregate != nil {
		field = selectFieldText(t.Aggregate)
	}
	return related(t.Rel) + field + directions[t.Dir] + nullOrders[t.Nulls]
}

func related(rel tree.Opt) string {
	if rel.Given {
		return rel.Name + "."
	}
	return ""
}

func limitText(l *tree.Limit) string {
	text := "range " + strconv.Itoa(int(l.Range))
	switch l.Range {
	case tree.TopRange:
		text = "top range"
	case tree.NoRange:
		text = "max rows"
	}
	switch {
	case l.HasLimit && l.Inline >= 0:
		text += ", rows " + strconv.FormatInt(l.Inline, 10)
	case l.HasLimit:
		text += ", rows ?"
	}
	if l.HasOffset && l.Offset >= 0 {
		return text + ", offset " + strconv.FormatInt(l.Offset, 10)
	}
	return text + when(l.HasOffset, ", offset ?")
}

func conflictText(c *tree.Conflict) (list []string) {
	switch {
	case c.Constraint != "":
		return []string{"constraint " + c.Constraint}
	case c.Elements != "":
		list = []string{c.Elements}
	default:
		list = slices.Clone(c.Columns)
	}
	if c.Predicate != "" {
		list[len(list)-1] += " where " + c.Predicate
	}
	return list
}

var writeKinds = [...]string{tree.WriteInsert: "insert into", tree.WriteUpdate: "update", tree.WriteDelete: "delete from"}

func (p *treePrinter) write(w *tree.Write) {
	kind := writeKinds[w.Kind]
	if w.IsPut {
		kind = "put into"
	}
	p.line(kind, qi(w.Table))
	p.depth++
	p.payload(w.Object)
	p.list("set", each(w.Columns, func(c *tree.WriteColumn) string {
		text := c.Name + " " + c.Type + when(c.Key != c.Name, " from "+c.Key)
		if c.Transform != "" {
			text += " by " + c.Transform
		}
		if w.Defaults {
			text += optText(" default ", c.Default)
		}
		return text
	}))
	p.list("join"+when(w.Keep, ", keep what is missing,"), each(w.Join, func(c *tree.WriteColumn) string { return c.Name + " " + c.Type }))
	p.list("where", each(w.Where, condText))
	p.list("where", each(w.Put, condText))
	switch w.Resolution {
	case header.MergeDuplicates:
		p.list("merge on", conflictText(&w.Conflict))
	case header.IgnoreDuplicates:
		p.list("ignore on", conflictText(&w.Conflict))
	}
	p.list("returning", w.Returning)
	p.depth--
}

func (p *treePrinter) payload(object bool) {
	if object {
		p.line("payload", "object")
	} else {
		p.line("payload", "array")
	}
}

var callArgs = [...]string{tree.ArgsNone: "nothing", tree.ArgsNamed: "values", tree.ArgsJSON: "members of", tree.ArgsUnnamed: "the payload"}

func (p *treePrinter) call(c *tree.Call) {
	p.line("call", qi(c.Routine.QI))
	p.depth++
	p.list("with "+callArgs[c.Args], each(c.Params, func(param *catalog.Param) string {
		return strings.TrimSpace(when(param.Variadic, "variadic ") + param.Name + " " + param.Type)
	}))
	if c.Args == tree.ArgsJSON {
		p.payload(c.Object)
	}
	p.list("returning", c.Returning)
	p.depth--
}

func optText(before string, o tree.Opt) string {
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
