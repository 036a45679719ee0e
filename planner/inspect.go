package planner

import (
	"strings"

	"github.com/fastgrest/fastgrest/planner/catalog"
	"github.com/fastgrest/fastgrest/planner/sqlgen"
	"github.com/fastgrest/fastgrest/planner/tree"
)

// inspect finds out what running the plan may involve beyond PostgreSQL's own
// code: row level security, and functions of the database's owners.
func (p *Planner) inspect(plan *Plan, n *tree.Node, body sqlgen.Body) {
	if body.Kind == sqlgen.BodyCustom {
		plan.UserCode = true
	}
	p.inspectNode(plan, n)
}

func (p *Planner) inspectNode(plan *Plan, n *tree.Node) {
	t := p.cat.Tables[n.From]
	switch {
	case t == nil, n.Rel != nil && n.Rel.Cardinality == catalog.Computed:
		plan.UserCode, plan.PerRole = true, true
	default:
		plan.UserCode = plan.UserCode || t.UserCode
		plan.PerRole = plan.PerRole || t.RowSecurity
	}
	if n.Rel != nil && n.Rel.Cardinality == catalog.ManyToMany {
		if j := p.cat.Tables[n.Rel.Junction.Table]; j != nil {
			plan.UserCode = plan.UserCode || j.UserCode
			plan.PerRole = plan.PerRole || j.RowSecurity
		}
	}
	for i := range n.Select {
		s := &n.Select[i]
		if s.Field.Name != "*" && s.Field.Type == "" || s.Field.Transform != "" || s.Cast.Given && !builtinCasts[s.Cast.Name] || s.AggCast.Given && !builtinCasts[s.AggCast.Name] {
			plan.UserCode = true
		}
	}
	for i := range n.Order {
		if o := &n.Order[i]; !builtinField(&o.Field) && !o.Rel.Given {
			plan.UserCode = true
		}
	}
	for i := range n.Where {
		inspectCond(plan, &n.Where[i])
	}
	if n.LegacyName {
		plan.LegacyNames = append(plan.LegacyNames, LegacyName{n.Name, n.RelAlias.Name})
	}
	for _, c := range n.Children {
		p.inspectNode(plan, c)
	}
}

func inspectCond(plan *Plan, c *tree.Cond) {
	switch c.Kind {
	case tree.CondLogic:
		for i := range c.Children {
			inspectCond(plan, &c.Children[i])
		}
	case tree.CondFilter:
		if !builtinField(&c.Field) || c.Field.Transform != "" {
			plan.UserCode = true
		}
	}
}

// builtinField reports whether comparing the field runs only PostgreSQL's own
// operators: it is a known column whose type is printed without a schema,
// which with an empty search_path only pg_catalog's types are.
func builtinField(f *tree.Field) bool { return f.Type != "" && !strings.Contains(f.Type, ".") }

// builtinCasts are spellings that mean types of pg_catalog whatever the search
// path is, or that nobody in his right mind shadows... a shadowed one would
// only cost its functions the right to set response headers.
var builtinCasts = map[string]bool{
	"text": true, "varchar": true, "character varying": true, "char": true, "bpchar": true, "name": true,
	"int": true, "integer": true, "int2": true, "int4": true, "int8": true, "bigint": true, "smallint": true,
	"numeric": true, "decimal": true, "real": true, "float4": true, "float8": true, "double precision": true,
	"bool": true, "boolean": true, "date": true, "time": true, "timetz": true, "timestamp": true, "timestamptz": true,
	"interval": true, "json": true, "jsonb": true, "uuid": true, "bytea": true, "xml": true, "money": true,
}
