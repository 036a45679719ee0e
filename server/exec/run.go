package exec

import (
	"context"
	"errors"

	"github.com/fastgrest/fastgrest/pgwire"
	"github.com/fastgrest/fastgrest/pgwire/pool"
	"github.com/fastgrest/fastgrest/planner/sqlgen"
	"github.com/fastgrest/fastgrest/server/spool"
)

// Engine is what all executions of a process share. It is safe for concurrent
// use.
type Engine struct {
	Pool  *pool.Pool
	Spool *spool.Store
	Log   Log
	// Suspect is called when the schema cache seems to be out of date.
	Suspect func()
}

// Log is told what happens on the way. See package oplog.
type Log interface {
	PoolRequest()
	PoolBorrowed()
	RollbackFailed(id []byte, err error)
}

// Execution runs calls, one at a time.
type Execution struct {
	engine *Engine
	rules  *Rules
	call   *Call
	role   *roleRules // of the call

	flight pgwire.Flight
	waiter waiter
	sinks  sinks
	text   []byte // numbers and arrays of this flight; buffer
	object []byte // the arguments as an object; buffer

	// Result is valid after Run has returned nil.
	Result Result
	cost   Cost
	sql    []string
}

// New makes an Execution.
func (e *Engine) New() *Execution {
	x := &Execution{engine: e, waiter: waiter{Context: context.Background()}}
	x.sinks.init(&x.Result)
	return x
}

// Reset lets go of the last call. Buffers stay, unless they have become large.
func (x *Execution) Reset() {
	x.flight.Reset()
	x.flight.Reused, x.flight.Parsed = 0, 0
	x.sinks.release()
	x.Result.release()
	trim(&x.text, maxKept)
	trim(&x.object, maxKept)
	x.waiter.reset()
	x.rules, x.call, x.role, x.cost = nil, nil, nil, Cost{}
	clear(x.sql)
	x.sql = x.sql[:0]
}

// SQL returns the statements of the last flight, if log-query is set. They are
// valid until the next Run or Reset.
func (x *Execution) SQL() []string { return x.sql }

func (x *Execution) begin(rules *Rules, call *Call) {
	x.rules, x.call, x.role = rules, call, rules.role(call.roleName())
}

// Run runs the call's plan and fills Result. If the statement went stale
// because the database changed under it, it is prepared anew; a page with a
// value that we cannot encode is left to PostgreSQL. A call is run again only
// if it has certainly left nothing behind.
//
// A number of rows that the call does not allow is a *RowsError. If it is
// unknown whether a write was committed, the error is a *DoubtError.
func (x *Execution) Run(rules *Rules, call *Call) error {
	x.begin(rules, call)
	if err := x.run(); err != nil {
		return err
	}
	return call.check(x.Result.Rows)
}

func (x *Execution) run() error {
	if form := x.call.Plan.Form(); form != nil {
		if done, err := x.once(form); done {
			return err
		}
	}
	return Again(x.alone)
}

// once is the fast path: the prepared form, in one flight, on a connection it
// may share. done is false if it failed, another attempt with exclusive use of
// a connection could succeed, and nothing has been left behind.
func (x *Execution) once(form *Form) (done bool, err error) {
	plan := x.call.Plan
	tx := x.transaction(x.runsUserCode(form))
	if tx.explicit {
		return false, nil
	}
	x.load(form, tx)
	if !plan.ReadOnly && form.Rows {
		x.flight.KnownOnly() // see certain
	}
	timing, err := x.share(class(plan, form))
	learnPace(form, timing.Worked, timing.Queued, err)
	if err == nil {
		return true, nil
	}
	if x.outdated(form, err) {
		return false, nil
	}
	var conn *pgwire.ConnError
	lost := errors.As(err, &conn)
	if !plan.ReadOnly {
		x.learn(form, err)
		return !(lost && (conn.Kind == pgwire.Unparsed || conn.Retryable())), x.doubtful(err)
	}
	mendable := errors.Is(err, errUnreadable) || lost && (conn.Kind == pgwire.Lost || conn.Retryable())
	return !mendable, err
}

// alone runs the plan with exclusive use of a connection.
func (x *Execution) alone() error {
	plan := x.call.Plan
	known := plan.Form()
	conn, err := x.acquire(class(plan, known))
	if err != nil {
		return err
	}
	defer conn.Release()
	aggregate := false
	for attempt := 0; ; attempt++ {
		form, err := x.ready(conn.Conn, aggregate)
		if err == nil {
			before := x.cost.Database
			err = x.fly(conn.Conn, form)
			if known != nil { // the first flight takes longer than the others
				learnPace(form, max(0, x.cost.Database-before-conn.RoundTrip()), false, err)
			}
		}
		if err == nil || attempt == maxAttempts {
			return err
		}
		switch {
		case x.outdated(form, err):
		case !plan.ReadOnly:
			x.learn(form, err)
			return err
		case errors.Is(err, errUnreadable):
			aggregate = true
		default:
			return err
		}
	}
}

// fly runs settings, pre-request and the plan's statements in one flight; with
// the commit, unless the rows have to be looked at before it.
func (x *Execution) fly(conn *pgwire.Conn, form *Form) error {
	plan, f := x.call.Plan, &x.flight
	tx := x.transaction(x.runsUserCode(form))
	end := x.load(form, tx)
	err := x.send(conn)
	if !plan.ReadOnly && !tx.rollback && !tx.held {
		err = x.doubtful(err)
	}
	if !tx.explicit {
		return err
	}
	if err != nil {
		// A refused number of rows comes before constraints that the end of the
		// transaction would have checked.
		if f.FailedStep() >= end && plan.Action.Writes() {
			if refused := x.call.check(x.Result.Rows); refused != nil {
				err = refused
			}
		}
		return x.rollBack(conn, err)
	}
	if !tx.held {
		return nil
	}
	if refused := x.call.check(x.Result.Rows); refused != nil {
		return x.rollBack(conn, refused)
	}
	f.Reset()
	f.Commit()
	if err := x.send(conn); err != nil {
		return x.rollBack(conn, commitError{x.doubtful(err)})
	}
	return nil
}

// load fills the flight. It returns the number of steps before those that end
// the transaction.
func (x *Execution) load(form *Form, tx transaction) (end int) {
	plan, f := x.call.Plan, &x.flight
	x.Result.reset()
	x.Result.Body.begin(x.engine.Spool, !plan.ReadOnly) // a write is not undone for want of room for its response
	statements := form.For(x.call.roleName(), x.rules.sharing(x.call.roleName()))

	f.Reset()
	userCode := x.runsUserCode(form)
	f.LeavesState(x.rules.sessionState(plan.Leftovers, userCode))
	f.Limit(x.flightLimit())
	if !plan.ReadOnly {
		f.ForWriting()
	}
	if tx.explicit {
		f.Begin(tx.isolation, plan.ReadOnly)
	}
	x.addSettings()
	if form.Settings != nil {
		f.Add(form.Settings, nil)
	}
	if x.rules.preRequest != nil {
		f.Add(x.rules.preRequest, nil)
	}
	f.Add(statements.Main, x.sinks.choose(plan, form))
	x.addArgs(form.Args, form.Names)
	f.ResultFormats(form.Formats)
	if statements.Estimate != nil {
		f.Add(statements.Estimate, &x.sinks.estimate)
		x.addArgs(plan.Estimate.Args, nil)
	}
	// Bodies that PostgreSQL computes bring the settings along.
	if userCode && (form.Rows || plan.Action.Writes()) {
		f.Add(responseSettings, &x.sinks.settings)
	}
	end = f.Len()
	x.note(tx)
	switch {
	case tx.rollback:
		f.SetConstraintsImmediate()
		f.Rollback()
	case tx.explicit && !tx.held:
		f.Commit()
	}
	return end
}

var responseSettings = pgwire.NewStmt(sqlgen.ResponseSettings)

// addSettings adds the statement that makes the transaction the request's.
func (x *Execution) addSettings() {
	x.text = x.text[:0]
	c := x.call
	s := x.role.statement(c.Schema, c.Plan.ReadOnly, c.Settings[sqlgen.SettingTimezone] != nil)
	x.flight.Add(s.stmt, nil)
	x.addArgs(s.args, nil)
}

// runsUserCode reports whether response.headers and response.status may have
// been set by the time the plan has run.
func (x *Execution) runsUserCode(form *Form) bool {
	return form.UserCode || x.rules.preRequest != nil
}

// rollBack ends a failed transaction and returns why it failed.
func (x *Execution) rollBack(conn *pgwire.Conn, why error) error {
	if conn.IsBroken() {
		return why
	}
	if err := conn.Rollback(&x.waiter); err != nil {
		x.engine.Log.RollbackFailed(x.call.LogID(), err)
	}
	return why
}

// note keeps the SQL of the flight that is about to be sent, in case the
// request is going to be logged. What opens a transaction is left out, as in
// PostgREST's log. Values are parameters, and so are not in it.
func (x *Execution) note(tx transaction) {
	if !x.rules.keepSQL {
		return
	}
	first := 0
	if tx.explicit {
		first = 1
	}
	x.sql = x.sql[:0]
	for i := first; i < x.flight.Len(); i++ {
		x.sql = append(x.sql, x.flight.SQL(i))
	}
}
