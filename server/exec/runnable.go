package exec

import (
	"sync/atomic"

	"github.com/fastgrest/fastgrest/pgwire"
	"github.com/fastgrest/fastgrest/planner"
	"github.com/fastgrest/fastgrest/planner/sqlgen"
)

// Runnable is a plan and the state of running it, shared by all requests of the
// plan. It is safe for concurrent use. The plan itself is immutable.
type Runnable struct {
	*planner.Plan

	described atomic.Pointer[pgwire.Stmt]
	form      atomic.Pointer[Form]
	plain     atomic.Bool             // embeds do not come as records any more
	whole     [2]atomic.Pointer[Form] // without and with a tally
}

// NewRunnable returns a plan that has not been run yet.
func NewRunnable(p *planner.Plan) *Runnable { return &Runnable{Plan: p} }

// Form returns the form in which the plan is run, nil before the plan has been prepared.
func (r *Runnable) Form() *Form { return r.form.Load() }

// forget makes the next request prepare the plan anew, unless another one has
// done so already. It is called when the server says that a statement no longer
// returns what it used to. old may be nil.
func (r *Runnable) forget(old *Form) {
	if old != nil && old.records {
		r.plain.Store(true) // they are described by the catalog, which is out of date
	}
	r.form.CompareAndSwap(old, nil)
}

// wholeForm returns the form whose body PostgreSQL computes, so that no row can fail to be
// encoded. It does not replace Form. tallied: the form of planner.Plan.Tallied.
func (r *Runnable) wholeForm(tallied bool) *Form {
	kept := &r.whole[0]
	if tallied {
		kept = &r.whole[1]
	}
	if form := kept.Load(); form != nil {
		return form
	}
	form := &Form{userCode: r.UserCode || r.BodyCode, tallied: tallied}
	statement := &r.Main
	switch {
	case tallied:
		statement = r.Tallied()
	case r.Rows:
		statement = r.Aggregated()
	}
	r.complete(form, statement, pgwire.NewStmt(statement.SQL))
	kept.CompareAndSwap(nil, form)
	return kept.Load()
}

// forgetWhole makes the next batch prepare a form of wholeForm anew.
func (r *Runnable) forgetWhole(form *Form) {
	for i := range r.whole {
		r.whole[i].CompareAndSwap(form, nil)
	}
}

// complete fills in what a form takes from its statement and from the plan.
func (r *Runnable) complete(form *Form, statement *sqlgen.Statement, main *pgwire.Stmt) {
	if !form.Rows && !r.Explain && (!r.Tagged || form.tallied) {
		form.Formats = valueFormats
	}
	form.Args, form.names = statement.Args, statement.Names
	form.statements.init(main, r.Lead, r.Estimate.SQL, r.PerRole)
	if r.Settings != "" {
		form.settings = pgwire.NewStmt(r.Settings)
	}
}

// toDescribe is the statement to describe for Prepare. If Main needs no conversions, Prepare
// makes the described statement that of the form. So a connection on which it was described
// need not parse it again.
func (r *Runnable) toDescribe() *pgwire.Stmt {
	if s := r.described.Load(); s != nil {
		return s
	}
	s := pgwire.NewStmt(r.Main.SQL)
	if !r.described.CompareAndSwap(nil, s) {
		return r.toDescribe()
	}
	return s
}

// Prepare makes the form. fields are the columns of Main as the server
// describes them; only plans with Rows need them. With aggregate PostgreSQL makes the
// body in any case.
func (r *Runnable) Prepare(types typeNames, fields []pgwire.Field, aggregate bool) *Form {
	return r.prepare(types, &pgwire.Description{Fields: fields}, aggregate)
}

// prepare is Prepare that also knows the parameters of Main. They are needed to merge
// requests.
func (r *Runnable) prepare(types typeNames, d *pgwire.Description, aggregate bool) *Form {
	form := &Form{userCode: r.UserCode}
	statement := &r.Main
	if r.Rows && (!aggregate || r.Paged) {
		statement = r.prepareRows(form, types, d.Fields, aggregate)
	} else if r.Rows {
		statement = r.Aggregated()
	}
	form.userCode = form.userCode || r.Rows && !form.Rows && r.BodyCode
	// If two requests prepare the plan at the same time, only one gets the described
	// statement: it must belong to one Form, see For.
	main := r.described.Swap(nil)
	if main == nil || statement != &r.Main {
		main = pgwire.NewStmt(statement.SQL)
	}
	r.complete(form, statement, main)
	r.addMerge(form, d.Params)
	r.form.Store(form)
	return form
}
