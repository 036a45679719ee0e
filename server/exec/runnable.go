package exec

import (
	"sync/atomic"

	"github.com/fastgrest/fastgrest/pgwire"
	"github.com/fastgrest/fastgrest/planner"
)

// Runnable is a plan and the state of running it, shared by all requests of the
// plan. It is safe for concurrent use. The plan itself is immutable.
type Runnable struct {
	*planner.Plan

	described atomic.Pointer[pgwire.Stmt]
	form      atomic.Pointer[Form]
	plain     atomic.Bool // embeds do not come as records any more
}

// NewRunnable returns a plan that has not been run yet.
func NewRunnable(p *planner.Plan) *Runnable { return &Runnable{Plan: p} }

// Form returns the form in which the plan is run, nil before the plan has been prepared.
func (r *Runnable) Form() *Form { return r.form.Load() }

// Forget makes the next request prepare the plan anew, unless another one has
// done so already. It is called when the server says that a statement no longer
// returns what it used to. old may be nil.
func (r *Runnable) Forget(old *Form) {
	if old != nil && old.records {
		r.plain.Store(true) // they are described by the catalog, which is out of date
	}
	r.form.CompareAndSwap(old, nil)
}

// Described is the statement to describe for Prepare. Where it can stay as it
// is Prepare takes it over, so that the connections it was described on need
// not parse it again.
func (r *Runnable) Described() *pgwire.Stmt {
	if s := r.described.Load(); s != nil {
		return s
	}
	s := pgwire.NewStmt(r.Main.SQL)
	if !r.described.CompareAndSwap(nil, s) {
		return r.Described()
	}
	return s
}

// Prepare makes the form. fields are the columns of Main as the server
// describes them; only plans with Rows need them. With aggregate the rows are
// not encoded by us in any case.
func (r *Runnable) Prepare(types TypeNames, fields []pgwire.Field, aggregate bool) *Form {
	form := &Form{UserCode: r.UserCode}
	statement := &r.Main
	if r.Rows && !aggregate {
		statement = r.prepareRows(form, types, fields)
	} else if r.Rows {
		statement = r.Aggregated()
	}
	if !form.Rows && !r.Explain && !r.Tagged {
		form.Formats = valueFormats
	}
	form.Args, form.Names = statement.Args, statement.Names
	// Of two requests that prepare at the same time one gets the statement: its
	// users must be those of one Form, see For.
	main := r.described.Swap(nil)
	if main == nil || statement != &r.Main {
		main = pgwire.NewStmt(statement.SQL)
	}
	form.statements.init(main, r.Estimate.SQL, r.PerRole)
	if r.Settings != "" {
		form.Settings = pgwire.NewStmt(r.Settings)
	}
	r.form.Store(form)
	return form
}
