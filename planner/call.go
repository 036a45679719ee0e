package planner

import (
	"maps"
	"slices"
	"strings"

	"github.com/fastgrest/fastgrest/parser/header"
	"github.com/fastgrest/fastgrest/planner/catalog"
	"github.com/fastgrest/fastgrest/planner/sqlgen"
	"github.com/fastgrest/fastgrest/planner/tree"
)

// buildCall plans the call of a routine.
func (p *Planner) buildCall(r *Request, inline *inlined) (*Plan, error) {
	routine, err := p.Routine(r)
	if err != nil {
		return nil, err
	}
	// The name of the row type decides which relations can be embedded.
	relation := catalog.QI{Schema: routine.Schema, Name: routine.Name}
	if routine.Composite {
		relation.Name = routine.Return.Name
	}
	res := p.resolver(r, inline)
	root, err := res.read(relation)
	if err != nil {
		return nil, err
	}
	call := &tree.Call{Routine: routine, Object: r.PayloadObject}
	call.Args, call.Params = arguments(r, routine)
	if call.Args == tree.ArgsJSON {
		call.Columns = payloadArguments(r, call.Params)
	}
	call.Returning = returned(root)
	if routine.Composite {
		call.RowType = p.cat.RowTypes[routine.Return]
	}
	media, body, err := p.negotiate(r, relation, root.HasOnlyStar())
	if err != nil {
		return nil, err
	}
	if r.Action.head() {
		body.Kind = sqlgen.BodyNone
	}
	plan := p.plan(r, relation, root, media, body)
	plan.call = call
	plan.ReadOnly = r.Action != CallPost || routine.Volatility != catalog.Volatile
	plan.One = !routine.SetOf
	plan.setLines(r, body)
	if err := r.checkPreferences(plan); err != nil {
		return nil, err
	}
	if r.maxAffectedStrict() && plan.One {
		return nil, &Error{Kind: MaxAffectedOnSingle}
	}
	plan.Total = p.total(r, plan)
	plan.UserCode = true
	plan.leaves(routine.Leftovers)
	plan.PerRole = true // the function may be inlined, and read tables with row level security
	plan.Isolation = routine.Isolation
	plan.Routine = routine
	plan.Scalar = !routine.Composite && (plan.One || !plan.Singular)
	plan.Void = !routine.SetOf && !routine.Composite && routine.Return == catalog.QI{Schema: "pg_catalog", Name: "void"}
	if len(routine.Settings) > 0 {
		plan.Settings = sqlgen.FunctionSettings(routine.Settings)
		plan.NotISO = plan.NotISO || !catalog.KeepsISO(routine.Settings)
	}
	p.inspect(plan, root, plan.convertsRows())
	switch {
	case plan.Lines == CSVLines:
		plan.Main = sqlgen.CallTexts(call, root)
	case plan.Rows:
		plan.addRecords(p.cat)
		plan.Main = sqlgen.CallRows(call, root, plan.Total, nil, nil, !plan.ReadOnly)
	default:
		plan.Main = sqlgen.CallValue(call, root, plan.Total, body)
	}
	return plan, plan.finish()
}

func (r *Request) maxAffectedStrict() bool {
	return r.Prefer.HasMaxAffected && r.Prefer.Handling == header.HandlingStrict
}

// arguments returns how the routine gets its arguments, and the parameters that
// are given.
func arguments(r *Request, routine *catalog.Routine) (tree.CallArgs, []catalog.Param) {
	if len(routine.Params) == 1 && routine.Params[0].Name == "" {
		return tree.ArgsUnnamed, routine.Params
	}
	names := r.argumentNames()
	var given []catalog.Param
	for _, p := range routine.Params {
		if _, ok := slices.BinarySearch(names, p.Name); ok {
			given = append(given, p)
		}
	}
	switch {
	case len(given) == 0:
		return tree.ArgsNone, nil
	case r.Action == CallPost && r.ContentType.Kind != header.Form:
		return tree.ArgsJSON, given
	}
	return tree.ArgsNamed, given
}

// payloadArguments returns the given parameters as members of the payload.
func payloadArguments(r *Request, params []catalog.Param) []tree.WriteColumn {
	out := make([]tree.WriteColumn, 0, len(params))
	for _, p := range params {
		i, _ := slices.BinarySearchFunc(r.Columns, p.Name, func(c []byte, name string) int { return strings.Compare(string(c), name) })
		out = append(out, tree.WriteColumn{Name: p.Name, Key: r.payloadKey(i), Type: p.MaxType})
	}
	return out
}

// argumentNames returns the names of the given arguments, sorted and without
// duplicates.
func (r *Request) argumentNames() []string {
	var names []string
	if r.Action == CallPost {
		for _, c := range r.Columns {
			names = append(names, string(c))
		}
	} else {
		for i := range r.Query.Args {
			names = append(names, string(r.Query.Args[i].Key))
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// returned returns the columns that a call has to return: those selected,
// joined on or filtered by. It is {"*"} for all columns, and nil if the request
// names no column.
func returned(root *tree.Node) []string {
	needed := neededColumns(root, nil)
	if needed["*"] {
		return []string{"*"}
	}
	if len(needed) == 0 {
		return nil
	}
	filterColumns(root, needed)
	return slices.Sorted(maps.Keys(needed))
}

func filterColumns(n *tree.Node, into map[string]bool) {
	var visit func(conds []tree.Cond)
	visit = func(conds []tree.Cond) {
		for i := range conds {
			switch c := &conds[i]; c.Kind {
			case tree.CondFilter:
				into[c.Field.Name] = true
			case tree.CondNullEmbed:
				into[c.Embed] = true
			default:
				visit(c.Children)
			}
		}
	}
	visit(n.Where)
	for _, c := range n.Children {
		filterColumns(c, into)
	}
}
