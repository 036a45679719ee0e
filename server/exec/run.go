package exec

import (
	"context"
	"errors"

	"github.com/fastgrest/fastgrest/pgwire"
	"github.com/fastgrest/fastgrest/pgwire/pool"
	"github.com/fastgrest/fastgrest/planner/sqlgen"
	"github.com/fastgrest/fastgrest/server/oplog"
	"github.com/fastgrest/fastgrest/server/spool"
)

// Engine is what all executions of a process share. It is safe for concurrent
// use.
type Engine struct {
	Pool  *pool.Pool
	Spool *spool.Store
	Log   *oplog.Logger
	// Suspect is called when the schema cache seems to be out of date.
	Suspect func()
}

// Execution runs calls, one at a time.
type Execution struct {
	engine *Engine
	rules  *Rules
	call   *Call
	role   *roleRules // of the call
	pool   *pool.Pool // that runs the call

	flight pgwire.Flight
	out    *pgwire.Flight // where steps are added: flight, or that of a Transaction
	waiter waiter
	sinks  sinks
	lead   int    // step of the first statement of the plan
	text   []byte // numbers and arrays of this flight; buffer
	object []byte // the arguments as an object; buffer

	// Result is valid after Run has returned nil.
	Result   Result
	bookmark bookmarkSink
	cost     Cost
	sql      []string
}

// New makes an Execution.
func (e *Engine) New() *Execution {
	x := &Execution{engine: e, waiter: waiter{Context: context.Background()}}
	x.sinks = newSinks(&x.Result)
	x.out = &x.flight
	return x
}

// Reset lets go of the last call. Buffers stay, unless they have become large.
func (x *Execution) Reset() {
	x.flight.Reset()
	x.flight.Reused, x.flight.Parsed = 0, 0
	x.sinks.release()
	x.Result.release()
	DropLarge(&x.text, &x.object)
	x.waiter.reset()
	x.bookmark.text = x.bookmark.text[:0]
	x.rules, x.call, x.role, x.pool, x.cost, x.out = nil, nil, nil, nil, Cost{}, &x.flight
	clear(x.sql)
	x.sql = x.sql[:0]
}

// SQL returns the statements of the last flight, if log-query is set. They are
// valid until the next Run or Reset.
func (x *Execution) SQL() []string { return x.sql }

func (x *Execution) begin(rules *Rules, call *Call) {
	x.rules, x.call, x.role = rules, call, rules.role(call.roleName())
	x.bookmark.text = x.bookmark.text[:0]
	x.pool = x.engine.Pool
	if call.Replica != nil {
		x.pool = call.Replica
	}
}

// Run runs the call's plan and fills Result. If the columns of the statement have
// changed, it is prepared anew. If a value cannot be encoded, PostgreSQL makes the body.
// A call is run again only if it is certain that nothing of it was committed or sent to
// the client.
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
	if form := x.call.Plan.Form(); form != nil && !x.call.Streams() {
		if done, err := x.once(form); done {
			return err
		}
	}
	return x.again(x.alone)
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
		x.flight.KnownOnly() // see checkColumns
	}
	timing, err := x.shareMerged(form, tx)
	if timing.Merged == 0 {
		x.learnPace(form, timing.Worked, timing.Queued, err)
	}
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
	mendable := errors.Is(err, errUnreadable) || lost && x.call.Replica == nil && (conn.Kind == pgwire.Lost || conn.Retryable())
	return !mendable, err
}

// alone runs the plan with exclusive use of a connection.
func (x *Execution) alone() error {
	plan := x.call.Plan
	known := plan.Form()
	conn, err := x.acquire(x.classOf(known))
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
			if known != nil && !x.call.Streams() && x.call.NextPiece == nil { // the first flight takes longer than the others
				x.learnPace(form, max(0, x.cost.Database-before-conn.RoundTrip()), false, err)
			}
		}
		if x.ended(err) {
			x.learn(form, err)
			return err
		}
		if err == nil || lastAttempt(conn, attempt) {
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
	err := x.marked(tx, x.send(conn))
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
	if x.call.NextPiece != nil {
		if err := x.pieces(conn, form); err != nil {
			return x.rollBack(conn, commitError{err})
		}
	}
	if refused := x.call.check(x.Result.Rows); refused != nil {
		return x.rollBack(conn, refused)
	}
	f.Reset()
	if x.call.NextPiece != nil {
		f.Add(responseSettings, &x.sinks.settings)
	}
	x.end(tx)
	if err := x.marked(tx, x.send(conn)); err != nil {
		return x.rollBack(conn, commitError{x.doubtful(err)})
	}
	return nil
}

// load fills the flight. It returns the number of steps before those that end
// the transaction.
func (x *Execution) load(form *Form, tx transaction) (end int) {
	plan, f := x.call.Plan, &x.flight
	f.Reset()
	f.LeavesState(x.rules.sessionState(plan.Leftovers, x.runsUserCode(form)))
	f.Limit(x.flightLimit())
	if !plan.ReadOnly {
		f.ForWriting()
	}
	if tx.explicit {
		f.Begin(tx.isolation, plan.ReadOnly)
	}
	x.addSettings()
	x.addCall(form)
	// Bodies that PostgreSQL computes bring the settings along.
	if x.runsUserCode(form) && (form.Rows || plan.Action.Writes()) && !x.call.Streams() && x.call.NextPiece == nil {
		f.Add(responseSettings, &x.sinks.settings)
	}
	end = f.Len()
	x.note(tx)
	if tx.explicit && !tx.held {
		x.end(tx)
	}
	return end
}

// addCall adds the steps of the call behind its settings.
func (x *Execution) addCall(form *Form) {
	plan, f := x.call.Plan, x.out
	x.Result.reset()
	if plan.Paged {
		x.beginPage(form)
	}
	// A write is not undone for want of room for its response, or for that of another part
	// of its batch.
	x.Result.Body.begin(x.engine.Spool, !plan.ReadOnly || x.call.ReadWrite)
	statements := x.statements(form)
	if form.settings != nil {
		f.Add(form.settings, nil)
	}
	if x.rules.preRequest != nil {
		f.Add(x.rules.preRequest, nil)
	}
	if x.call.Streams() {
		x.stream(form)
	}
	x.lead = f.Len()
	for i, s := range statements.Lead {
		f.Add(s, nil)
		x.addArgs(plan.Lead[i].Args, nil)
	}
	x.addMain(form, statements.Main)
	if statements.Estimate != nil {
		f.Add(statements.Estimate, &x.sinks.estimate)
		x.addArgs(plan.Estimate.Args, nil)
	}
}

// FailedLead returns the position in the plan's Lead of the statement that caused the error
// of the last flight. It is out of bounds if another one did.
func (x *Execution) FailedLead() int { return x.out.FailedStep() - x.lead }

// addMain adds the plan's main statement.
func (x *Execution) addMain(form *Form, main *pgwire.Stmt) {
	f := x.out
	f.Add(main, x.sinks.choose(x.call.Plan, form))
	x.addArgs(form.Args, form.names)
	f.ResultFormats(form.Formats)
}

// end ends the transaction.
func (x *Execution) end(tx transaction) {
	if tx.rollback {
		x.flight.SetConstraintsImmediate()
		x.flight.Rollback()
	} else {
		x.flight.Commit()
	}
	if tx.bookmark {
		x.flight.Add(bookmarkStatement, &x.bookmark)
	}
}

var responseSettings = pgwire.NewStmt(sqlgen.ResponseSettings)

// addSettings adds the statement that makes the transaction the request's.
func (x *Execution) addSettings() { x.addSettingsAfter(sqlgen.NoTake, nil) }

// addSettingsAfter adds a statement that also takes what the part before has set. sink is
// for that.
func (x *Execution) addSettingsAfter(after sqlgen.Take, sink pgwire.Sink) {
	x.text = x.text[:0]
	c := x.call
	s := x.rules.statement(x.role, c, after)
	x.out.Add(s.stmt, sink)
	x.addArgs(s.args, nil)
}

// runsUserCode reports whether response.headers and response.status may have
// been set by the time the plan has run.
func (x *Execution) runsUserCode(form *Form) bool {
	return form.userCode || x.rules.preRequest != nil
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
	x.noteMore(first)
}

// noteMore adds the SQL of the flight, from a step on.
func (x *Execution) noteMore(first int) {
	for i := first; i < x.flight.Len() && x.rules.keepSQL; i++ {
		x.sql = append(x.sql, x.flight.SQL(i))
	}
}
