package exec

import (
	"slices"

	"github.com/fastgrest/fastgrest/pgwire"
	"github.com/fastgrest/fastgrest/pgwire/rowjson"
	"github.com/fastgrest/fastgrest/planner/catalog"
)

// ready returns the prepared form in which the plan is run on this connection.
func (x *Execution) ready(conn *pgwire.Conn, aggregate bool) (*Form, error) {
	plan := x.call.Plan
	form := plan.Form()
	var err error
	if form != nil && !plan.ReadOnly {
		if form, err = x.checkColumns(conn, form); err != nil {
			return form, err
		}
	}
	if form == nil || aggregate {
		if form, err = x.prepare(conn, aggregate); err != nil {
			return nil, err
		}
	}
	if !plan.ReadOnly && form.Rows && !(conn.Keeps(x.statements(form).Main.SQL()) && readable(conn, form)) {
		form = plan.Prepare(x.rules.planner.Catalog(), nil, true)
	}
	return form, nil
}

// prepare has the server describe the plan's statement and settles how its
// columns are encoded. It happens once per plan.
func (x *Execution) prepare(conn *pgwire.Conn, aggregate bool) (*Form, error) {
	plan, types := x.call.Plan, x.rules.planner.Catalog()
	if !plan.ReadOnly && !conn.Keeps(plan.Main.SQL) {
		aggregate = true // see checkColumns
	}
	if !plan.Rows || aggregate && !plan.Paged {
		return plan.Prepare(types, nil, aggregate), nil
	}
	d, err := x.describe(conn, plan.toDescribe())
	if err != nil {
		return nil, err
	}
	return plan.prepare(types, d, aggregate), nil
}

// describe asks the server for the columns of a statement.
func (x *Execution) describe(conn *pgwire.Conn, s *pgwire.Stmt) (*pgwire.Description, error) {
	d := &pgwire.Description{}
	x.flight.Reset()
	x.addSettings()
	x.flight.Describe(s, d)
	x.note(transaction{})
	return d, x.send(conn)
}

// checkColumns checks, before a write whose rows the server encodes runs, that it returns
// the columns of the form. After the write it would be too late. If the connection has
// prepared the statement, PostgreSQL refuses it when its columns have changed. Otherwise
// the statement is described on the connection, once. The result is nil if the columns
// have changed.
//
// A connection that does not keep the statement would have to describe it for each
// request, and the columns could change in between. There PostgreSQL computes the body;
// see ready.
func (x *Execution) checkColumns(conn *pgwire.Conn, form *Form) (*Form, error) {
	if !form.Rows {
		return form, nil
	}
	main := x.statements(form).Main
	if conn.Knows(main) || !conn.Keeps(main.SQL()) {
		return form, nil
	}
	d, err := x.describe(conn, main)
	if err != nil {
		return form, err
	}
	if !form.fits(len(d.Fields), func(i int) ([]byte, uint32) { return []byte(d.Fields[i].Name), d.Fields[i].Type }) {
		x.call.Plan.forget(form)
		x.engine.Suspect()
		return nil, nil
	}
	return form, nil
}

// statements returns the statements of a form that the role of the call has to use.
func (x *Execution) statements(form *Form) *Statements {
	role := x.call.roleName()
	return form.For(role, x.rules.sharing(role))
}

// readable reports whether the columns of a write can be encoded under the
// DateStyle of the connection. If the style of the session, of some role or of the
// routine is known not to be ISO, the statement converts dates (Plan.NotISO). What
// remains is a style that has changed since the catalog was read. Reads are not
// checked, because they can be run again.
func readable(conn *pgwire.Conn, form *Form) bool {
	needsISO := slices.ContainsFunc(form.Columns, func(c rowjson.Column) bool { return c.Codec.ISO })
	return !needsISO || catalog.ISOStyle(conn.ParameterStatus("DateStyle"))
}
