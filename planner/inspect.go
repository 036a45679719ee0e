package planner

import (
	"regexp"
	"slices"
	"strings"

	"github.com/fastgrest/fastgrest/parser"
	"github.com/fastgrest/fastgrest/planner/catalog"
	"github.com/fastgrest/fastgrest/planner/sqlgen"
	"github.com/fastgrest/fastgrest/planner/tree"
)

// inspector finds out what a plan may run beyond PostgreSQL's own code: the policies of
// row security, and functions of the database's owners. Functions matter for these reasons:
//
//   - They may set response.headers, response.status and other settings of the transaction
//     (UserCode; BodyCode if they run only where PostgreSQL makes the body).
//   - PostgreSQL writes the text of SQL functions into its execution plan, and does not
//     check again who may execute them. A role that may not would get their result from a
//     statement that PostgreSQL has planned for another role (PerRole).
//   - They may leave something in the session (Leftovers). What the types of columns run
//     counts with the relation.
//
// A plan is Blind if nothing that it runs can read a setting of the request. It is not
// Blind with types, functions or operators that are not built in, or with row security.
//
// Operators and output functions of types that are not built in count as user code, too,
// except those of enums and of domains over built-in types, which are PostgreSQL's own unless
// the owners define operators for such a type.
type inspector struct {
	cat  *catalog.Catalog
	plan *Plan
}

// inspect looks at the tree of a read, or of what a write or call returns.
// converted: PostgreSQL makes the body, not the server.
func (p *Planner) inspect(plan *Plan, root *tree.Node, converted bool) {
	i := inspector{p.cat, plan}
	i.node(root, converted)
}

// inspectWrite looks at the conditions of a write.
func (p *Planner) inspectWrite(plan *Plan, table *catalog.Table, write *tree.Write) {
	i := inspector{p.cat, plan}
	i.conditions(table, write.Where)
	i.conditions(table, write.Put)
	for k := range write.Join {
		i.compared(table, &tree.Field{Name: write.Join[k].Name})
	}
	plan.UserCode = plan.UserCode || write.Conflict.HasSQL()
}

// functions notes that user-defined functions run as part of the statement.
func (i *inspector) functions() { i.plan.UserCode, i.plan.PerRole = true, true }

// called notes that a function of the name may run.
func (i *inspector) called(name string) {
	i.plan.leaves(i.cat.FunctionLeftovers(name))
	i.plan.observes = i.plan.observes || i.cat.FunctionObserves(name)
	if i.cat.FunctionRuns(name) {
		i.functions()
	}
}

// leaves notes what running a part of the statement may leave in the session.
func (p *Plan) leaves(l catalog.Leftovers) { p.Leftovers = max(p.Leftovers, l) }

// handled notes the function that makes the body.
func (p *Planner) handled(plan *Plan, body sqlgen.Body) {
	switch body.Kind {
	case sqlgen.BodyCustom:
		plan.Handled = true
		plan.leaves(p.cat.FunctionLeftovers(body.Function.Name))
	case sqlgen.BodyGeoJSON:
		plan.leaves(max(p.cat.Types, p.cat.FunctionLeftovers("st_asgeojson")))
	default:
		return
	}
	plan.UserCode, plan.PerRole = true, true
}

func (i *inspector) table(t *catalog.Table) {
	i.plan.leaves(t.ReadLeftovers)
	i.plan.observes = i.plan.observes || t.Observes
	i.plan.views = i.plan.views || t.IsView
	i.plan.PerRole = i.plan.PerRole || t.RowSecurity
	if t.UserCode {
		i.functions()
	}
}

// node inspects a node whose rows PostgreSQL converts to JSON or text, if
// converted, and all below it.
func (i *inspector) node(n *tree.Node, converted bool) {
	relation := n.From
	if n.From == sqlgen.Source {
		relation = i.plan.Target // of a call it may be no relation; how a call makes its rows counts with the routine
	}
	t := i.cat.Tables[relation]
	switch {
	case n.From == sqlgen.Source: // the call or the write counts
	case t == nil, n.Rel != nil && n.Rel.Cardinality == catalog.Computed:
		i.functions()
		if n.Rel != nil {
			i.called(n.Rel.Function.Name)
		} else {
			i.plan.leaves(catalog.SessionLeftovers)
		}
		if t != nil {
			i.plan.leaves(t.ReadLeftovers)
		}
	default:
		i.table(t)
	}
	left := t // of the conditions of the join
	if n.Rel != nil && n.Rel.Cardinality == catalog.ManyToMany {
		if left = i.cat.Tables[n.Rel.Junction.Table]; left != nil {
			i.table(left)
		} else {
			i.plan.leaves(catalog.SessionLeftovers)
		}
	}
	for k := range n.JoinConds {
		if left == nil || i.cat.AmbientRuns {
			i.functions() // of unknown types, or of PostgreSQL's own
		} else if c := left.Column(n.JoinConds[k].LeftColumn); c != nil && c.TypeRuns {
			i.functions()
		}
	}
	for k := range n.Select {
		s := &n.Select[k]
		i.selected(t, s, converted)
		i.conditions(t, s.Filter)
		if n.Distinct {
			i.distinct(t, &s.Field)
		}
	}
	for k := range n.Hoisted {
		i.selected(t, &n.Hoisted[k], converted)
	}
	for k := range n.Extra {
		if x := &n.Extra[k]; len(x.Conds) > 0 {
			i.conditions(t, x.Conds)
		} else {
			i.ordered(t, x.Rel, &x.Field.Field)
		}
	}
	for k := range n.DistinctOn {
		i.compared(t, &n.DistinctOn[k])
	}
	for k := range n.Order {
		if o := &n.Order[k]; o.Aggregate != nil {
			i.aggregate(t, o.Rel, o.Aggregate)
		} else {
			i.ordered(t, o.Rel, &o.Field)
		}
	}
	i.conditions(t, n.Where)
	i.conditions(t, n.Having)
	if n.LegacyName {
		i.plan.LegacyNames = append(i.plan.LegacyNames, LegacyName{n.Name, n.RelAlias.Name})
	}
	for _, c := range n.Children {
		i.node(c, true)
	}
}

func (i *inspector) selected(t *catalog.Table, s *tree.SelectField, converted bool) {
	if s.Agg != parser.AggNone {
		i.called(aggregateNames[s.Agg])
	}
	if s.Cast.Given && !builtinCasts[s.Cast.Name] || s.AggCast.Given && !builtinCasts[s.AggCast.Name] {
		i.plan.leaves(i.cat.Types)
	}
	if i.cat.AmbientRuns && (s.Cast.Given || s.AggCast.Given) {
		i.functions()
	}
	if s.Field.Name == "*" && len(s.Field.Path) == 0 {
		if s.Agg == parser.AggNone && t != nil && slices.ContainsFunc(t.Columns, ownType) {
			i.converts(converted)
		}
		return
	}
	c := i.column(t, &s.Field)
	switch {
	case c == nil:
		return
	case s.Field.Transform != "",
		s.Cast.Given && !(builtinCasts[s.Cast.Name] && !ownType(c)),
		s.AggCast.Given && !builtinCasts[s.AggCast.Name],
		s.Agg != parser.AggNone && strings.Contains(c.NominalType, "."):
		i.functions()
	case ownType(c):
		i.converts(converted || len(s.Field.Path) > 0)
	}
}

// converts notes that values of a type that is not built in become JSON or text. That
// happens in each form of the statement, or only where PostgreSQL makes the body.
func (i *inspector) converts(always bool) {
	i.plan.BodyCode = true
	i.plan.UserCode = i.plan.UserCode || always
}

// aggregate inspects an aggregate whose result operators are applied to.
func (i *inspector) aggregate(t *catalog.Table, rel tree.Opt, s *tree.SelectField) {
	if rel.Given {
		i.functions() // the type of the column is not known here
		return
	}
	i.selected(t, s, false)
	if s.Field.Name != "*" {
		i.compared(t, &s.Field)
	}
}

// distinct inspects a field whose values are compared, perhaps all columns.
func (i *inspector) distinct(t *catalog.Table, f *tree.Field) {
	if f.Name != "*" {
		i.compared(t, f)
	} else if t != nil {
		for _, c := range t.Columns {
			i.compares(c)
		}
	}
}

func (i *inspector) conditions(t *catalog.Table, conds []tree.Cond) {
	for k := range conds {
		i.condition(t, &conds[k])
	}
}

func (i *inspector) condition(t *catalog.Table, c *tree.Cond) {
	switch c.Kind {
	case tree.CondLogic:
		i.conditions(t, c.Children)
	case tree.CondFilter:
		switch {
		case c.Aggregate != nil:
			i.aggregate(t, c.Rel, c.Aggregate)
			return
		case c.Rel.Given:
			i.functions() // the type of the column is not known here
			i.arrows(&c.Field)
			return
		}
		if c.Field.Transform != "" {
			i.functions()
		}
		i.compared(t, &c.Field)
	}
}

// ordered inspects a field of an order. With rel, an embed selects the column, and it is
// inspected there.
func (i *inspector) ordered(t *catalog.Table, rel tree.Opt, f *tree.Field) {
	if rel.Given {
		i.arrows(f)
	} else {
		i.compared(t, f)
	}
}

// compared inspects a field that operators are applied to.
func (i *inspector) compared(t *catalog.Table, f *tree.Field) {
	if c := i.column(t, f); c != nil {
		i.compares(c)
	}
}

// compares notes that operators are applied to values of the column.
func (i *inspector) compares(c *catalog.Column) {
	switch {
	case c.TypeRuns, i.cat.AmbientRuns:
		i.functions()
	case ownType(c):
		i.plan.UserCode = true
	}
}

// arrows inspects the operators of a JSON path. The key of a bare arrow has any type that an
// operator takes.
func (i *inspector) arrows(f *tree.Field) {
	if f.BareArrows() == len(f.Path) {
		return
	}
	i.plan.leaves(i.cat.Types)
	if i.cat.TypesRun {
		i.functions()
	}
}

// column returns the column a field names. Anything else that can be named is
// a function of the row.
func (i *inspector) column(t *catalog.Table, f *tree.Field) *catalog.Column {
	i.arrows(f)
	if t != nil {
		if c := t.Column(f.Name); c != nil {
			return c
		}
	}
	i.functions()
	i.called(f.Name)
	return nil
}

// ownType reports whether PostgreSQL may run code of the database's owners for a
// value of the column. The catalog prints names without a schema for types of
// pg_catalog only.
func ownType(c *catalog.Column) bool { return strings.Contains(c.Type, ".") && c.Enum == nil }

// builtinCasts are spellings that mean types of pg_catalog, which is searched
// before any schema of a request.
var builtinCasts = map[string]bool{
	"text": true, "varchar": true, "character varying": true, "char": true, "bpchar": true, "name": true,
	"int": true, "integer": true, "int2": true, "int4": true, "int8": true, "bigint": true, "smallint": true,
	"numeric": true, "decimal": true, "real": true, "float4": true, "float8": true, "double precision": true,
	"bool": true, "boolean": true, "date": true, "time": true, "timetz": true, "timestamp": true, "timestamptz": true,
	"interval": true, "json": true, "jsonb": true, "uuid": true, "bytea": true, "xml": true, "money": true,
}

// defaultsCall reports whether a default of the table's columns calls a
// function that is not PostgreSQL's own.
func defaultsCall(t *catalog.Table) bool {
	return slices.ContainsFunc(t.Columns, func(c *catalog.Column) bool {
		return c.HasDefault && qualifiedCall.MatchString(stringConstant.ReplaceAllString(c.Default, ""))
	})
}

// The catalog spells functions that are not PostgreSQL's with their schema.
var (
	stringConstant = regexp.MustCompile(`'[^']*'`)
	qualifiedCall  = regexp.MustCompile(`[\pL\d_$"]\.("([^"]|"")*"|[\pL_][\pL\d_$]*)\(`)
)
