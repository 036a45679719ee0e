package planner

import (
	"maps"
	"slices"
	"strconv"

	"github.com/fastgrest/fastgrest/parser"
	"github.com/fastgrest/fastgrest/parser/header"
	"github.com/fastgrest/fastgrest/planner/catalog"
	"github.com/fastgrest/fastgrest/planner/sqlgen"
	"github.com/fastgrest/fastgrest/planner/tree"
)

// buildWrite plans an insert, update, PUT or delete.
func (p *Planner) buildWrite(r *Request, inline *inlined) (*Plan, error) {
	relation := catalog.QI{Schema: r.Schema, Name: string(r.Target)}
	table := p.cat.Tables[relation]
	if table == nil {
		return nil, p.NotFound(relation)
	}
	res := p.resolver(r, inline)
	root, err := res.read(relation)
	if err != nil {
		return nil, err
	}
	write, err := res.write(r, table, root)
	if err != nil {
		return nil, err
	}
	if err := r.checkPreferences(nil); err != nil {
		return nil, err
	}
	media, body, err := p.negotiate(r, relation, root.HasOnlyStar())
	if err != nil {
		return nil, err
	}
	representation := r.Prefer.Representation
	if representation != header.ReturnFull {
		body.Kind = sqlgen.BodyNone
	}
	plan := p.plan(r, relation, root, media, body)
	plan.write = write
	plan.setLines(r, body)
	// Code of the database's owners may set headers and status of the response. The number of
	// inserted rows is read with these settings.
	plan.UserCode = plan.UserCode || !table.PlainWrite || write.Count
	plan.leaves(table.WriteLeftovers)
	plan.PerRole = plan.PerRole || table.RowSecurity || table.UserCode ||
		write.Kind == tree.WriteInsert && defaultsCall(table) || write.Conflict.HasSQL()
	plan.Merge = write.Count
	plan.Bulk = len(write.Join) > 0
	plan.Key = table.PrimaryKey
	p.inspect(plan, root, !plan.Rows)
	p.inspectWrite(plan, table, write)
	switch {
	case representation == header.ReturnFull && plan.Rows:
		plan.Main = sqlgen.WriteRows(write, root, nil)
	case representation == header.ReturnFull:
		plan.Main = sqlgen.WriteValue(write, root, body)
	case representation == header.ReturnHeaders && r.Action == Insert:
		plan.Located = true
		plan.Main = sqlgen.WriteLocated(write, false)
	case plan.Explain || table.Ruled:
		// A rule may turn the write into another one, which the command tag
		// does not count. Also, PostgreSQL accepts some rules only outside a
		// CTE. With Write, what can be written would depend on what is
		// returned.
		plan.Main = sqlgen.WriteCounted(write, false)
	default:
		plan.Tagged = true
		plan.Main = sqlgen.Write(write)
	}
	return plan, plan.finish()
}

// write resolves the payload's columns, the filters and what is returned.
func (r *resolver) write(req *Request, table *catalog.Table, root *tree.Node) (*tree.Write, error) {
	w := &tree.Write{Table: table.QI, Object: req.PayloadObject}
	var err error
	if req.Action == Upsert && !r.filtersAreKey(table) {
		return nil, &Error{Kind: InvalidPutFilters}
	}
	for i, name := range req.Columns {
		c := table.Column(string(name))
		if c == nil {
			return nil, &Error{Kind: ColumnNotFound, Parent: table.Name, Name: string(name)}
		}
		w.Columns = append(w.Columns, r.payloadColumn(c, req.payloadKey(i)))
	}
	if representation := req.Prefer.Representation; representation == header.ReturnFull || representation == header.ReturnHeaders {
		w.Returning = slices.Sorted(maps.Keys(neededColumns(root, table.PrimaryKey)))
	}
	w.Defaults = req.Prefer.Missing == header.MissingDefault
	conditions := r.ownConditions(table.QI)
	switch req.Action {
	case Insert:
		w.Resolution = req.Prefer.Resolution
		w.Key = table.PrimaryKey
		w.Conflict, err = r.conflict(table, w.Resolution)
		w.Count = w.Resolution == header.MergeDuplicates
	case Upsert:
		w.Resolution, w.Conflict, w.Defaults = header.MergeDuplicates, tree.Conflict{Columns: table.PrimaryKey}, false
		w.Put, w.IsPut, w.Count = conditions, true, true
	case Update:
		w.Kind, w.Where = tree.WriteUpdate, conditions
		if req.isBulk() {
			err = r.bulk(w, req, table)
		}
	case Delete:
		w.Kind, w.Where, w.Columns = tree.WriteDelete, conditions, nil
	}
	return w, err
}

// payloadKey returns the name of column i of Columns in the payload. In the
// rows of a CSV body, that is the number i; see body.Payload.
func (r *Request) payloadKey(i int) string {
	if r.ContentType.Kind == header.CSV {
		return strconv.Itoa(i)
	}
	return string(r.Columns[i])
}

func (r *resolver) payloadColumn(c *catalog.Column, key string) tree.WriteColumn {
	w := tree.WriteColumn{Name: c.Name, Key: key, Type: c.NominalType, Default: tree.Opt{Name: c.Default, Given: c.HasDefault}}
	if rep := r.cat.Representation("json", c.NominalType); rep != nil {
		w.Type, w.Transform = "json", rep.Function
	}
	return w
}

// ownConditions returns the filters of the written relation itself. Logic trees
// belong to it whatever path they have.
func (r *resolver) ownConditions(relation catalog.QI) []tree.Cond {
	var out []tree.Cond
	for _, i := range r.query.FilterRoots {
		if f := &r.query.Filters[i]; f.Path.N == 0 {
			out = append(out, r.filter(relation, f))
		}
	}
	for i := range r.query.LogicRoots {
		out = append(out, r.logic(relation, r.query.LogicRoots[i].Node))
	}
	return out
}

// filtersAreKey reports whether the filters of a PUT are eq on exactly the
// columns of the primary key.
func (r *resolver) filtersAreKey(table *catalog.Table) bool {
	if len(r.query.LogicRoots) > 0 || len(table.PrimaryKey) == 0 {
		return false
	}
	seen := map[string]bool{}
	for _, key := range r.query.FilterKeys {
		seen[string(key)] = true
	}
	if len(seen) != len(table.PrimaryKey) {
		return false
	}
	for _, name := range table.PrimaryKey {
		if !seen[name] {
			return false
		}
	}
	for _, i := range r.query.FilterRoots {
		f := &r.query.Filters[i]
		if f.Path.N == 0 && (f.Negate || f.Op != parser.OpEq || f.Quant != parser.QuantNone) {
			return false
		}
	}
	return true
}
