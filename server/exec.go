package server

import (
	"bytes"
	"context"
	"errors"
	"time"

	"github.com/fastgrest/fastgrest/parser"
	"github.com/fastgrest/fastgrest/parser/header"
	"github.com/fastgrest/fastgrest/pgwire"
	"github.com/fastgrest/fastgrest/pgwire/pool"
	"github.com/fastgrest/fastgrest/planner"
	"github.com/fastgrest/fastgrest/planner/sqlgen"
	"github.com/fastgrest/fastgrest/planner/tree"
	"github.com/fastgrest/fastgrest/server/spool"
)

// result is what a flight brought back.
type result struct {
	plan     *planner.Plan
	prepared *planner.Prepared

	body     []byte      // swapped with fasthttp's; in Rows form an array still open
	spooled  *spool.Body // what came before it, if that is much; see spooled.go
	room     []byte      // of spooled: where rows go instead of body; nil: they do not
	widest   int         // bytes of a row so far
	rows     int64       // rows of the page
	total    int64
	hasTotal bool
	estimate int64

	headers    []byte // response.headers; buffer
	status     []byte // response.status; buffer
	hasHeaders bool
	hasStatus  bool

	inserted    int64 // rows a merge inserted
	hasInserted bool
}

func (r *result) reset() {
	r.dropBody()
	r.widest = 0
	r.rows, r.total, r.hasTotal, r.estimate = 0, 0, false, 0
	r.hasHeaders, r.hasStatus, r.hasInserted = false, false, false
}

var errUnreadable = errors.New("a value cannot be encoded")

// execute runs the plan. A statement that went stale because the database
// changed under it is prepared anew, and a page some value of which we cannot
// encode is left to PostgreSQL; but only what has surely left nothing behind
// is run again.
func (rq *request) execute(plan *planner.Plan) error {
	ctx := &rq.interest
	rq.buildSettings()
	if prepared := plan.Prepared(); prepared != nil {
		if done, err := rq.once(ctx, plan, prepared); done {
			return err
		}
	}
	return again(func() error { return rq.alone(ctx, plan) })
}

// again runs fn until it has done something, on another connection each time:
// there may have been none, or its session could not be reset.
func again(fn func() error) error {
	for attempt := 0; ; attempt++ {
		err := fn()
		var conn *pgwire.ConnError
		if attempt == maxAttempts || errors.As(err, new(commitError)) || !errors.As(err, &conn) || !conn.Retryable() {
			return err
		}
	}
}

// commitError is the error of a commit that is a flight of its own. Even if the
// commit was never sent, functions have run, and they are not run twice.
type commitError struct{ error }

func (e commitError) Unwrap() error { return e.error }

// alone runs the plan on a connection of its own.
func (rq *request) alone(ctx context.Context, plan *planner.Plan) error {
	known := plan.Prepared()
	conn, err := rq.acquire(ctx, rq.class(plan, known))
	if err != nil {
		return err
	}
	defer conn.Release()
	aggregate := false
	for attempt := 0; ; attempt++ {
		prepared, err := rq.ready(ctx, conn.Conn, plan, aggregate)
		if err == nil {
			before := rq.effort.database
			err = rq.fly(ctx, conn.Conn, plan, prepared)
			if known != nil { // not the first one, which takes longer
				rq.learnPace(prepared, max(0, rq.effort.database-before-conn.Wire()), false, err)
			}
		}
		if err == nil || attempt == maxAttempts {
			return err
		}
		switch {
		case rq.outdated(plan, prepared, err):
		case !plan.ReadOnly:
			rq.learn(plan, prepared, err)
			return err
		case errors.Is(err, errUnreadable):
			aggregate = true
		default:
			return err
		}
	}
}

// once is the fast path: what has been prepared, in one flight, on a
// connection it may share. done is false if it did not work out in a way that
// another attempt on a connection of its own could mend, and nothing has been
// left behind.
func (rq *request) once(ctx context.Context, plan *planner.Plan, prepared *planner.Prepared) (done bool, err error) {
	tx := rq.transaction(plan, rq.runsUserCode(prepared))
	if tx.explicit || !plan.ReadOnly && !rq.readable(rq.snap.session.dateStyle, plan, prepared) {
		return false, nil
	}
	rq.load(plan, prepared, tx)
	if !plan.ReadOnly && prepared.Rows {
		rq.flight.KnownOnly() // see certain
	}
	timing, err := rq.share(ctx, rq.class(plan, prepared))
	rq.learnPace(prepared, timing.Worked, timing.Queued, err)
	if err == nil {
		return true, nil
	}
	if rq.outdated(plan, prepared, err) {
		return false, nil
	}
	var conn *pgwire.ConnError
	lost := errors.As(err, &conn)
	if !plan.ReadOnly {
		rq.learn(plan, prepared, err)
		return !(lost && (conn.Kind == pgwire.Unparsed || conn.Retryable())), doubtful(err)
	}
	again := errors.Is(err, errUnreadable) || lost && (conn.Kind == pgwire.Lost || conn.Retryable())
	return !again, err
}

// learnPace notes what the plan took, if it came to its end or was slow enough
// to be given up.
func (rq *request) learnPace(prepared *planner.Prepared, took time.Duration, queued bool, err error) {
	if err != nil {
		var (
			server *pgwire.Error
			conn   *pgwire.ConnError
		)
		timedOut := errors.As(err, &server) && server.Code == pgwire.QueryCanceled // by statement_timeout
		canceled := errors.As(err, &conn) && conn.Kind == pgwire.Canceled
		if !timedOut && !canceled {
			return
		}
	}
	prepared.Took(took, queued)
}

// class is how the plan may be run beside others. Of writes only inserts share a
// connection: an update may wait for a row that another transaction has locked,
// and those behind it would wait, too.
func (rq *request) class(plan *planner.Plan, prepared *planner.Prepared) pool.Class {
	switch {
	case prepared == nil:
		return pool.Alone
	case prepared.Slow():
		return pool.Slow
	case plan.ReadOnly && prepared.Quick():
		return pool.QuickRead
	case plan.Action == planner.Insert && !plan.Merge && prepared.Quick():
		return pool.QuickWrite
	}
	return pool.Alone
}

const maxAttempts = 3

// ready returns the prepared form in which the plan is run on this connection.
func (rq *request) ready(ctx context.Context, conn *pgwire.Conn, plan *planner.Plan, aggregate bool) (*planner.Prepared, error) {
	prepared := plan.Prepared()
	var err error
	if prepared != nil && !plan.ReadOnly {
		if prepared, err = rq.certain(ctx, conn, plan, prepared); err != nil {
			return prepared, err
		}
	}
	if prepared == nil || aggregate {
		if prepared, err = rq.prepare(ctx, conn, plan, aggregate); err != nil {
			return nil, err
		}
	}
	if !plan.ReadOnly && prepared.Rows && !(conn.Keeps(rq.mainOf(prepared).SQL()) && rq.readable(conn.ParameterStatus("DateStyle"), plan, prepared)) {
		prepared = plan.Prepare(rq.snap.planner.Catalog(), nil, true)
	}
	return prepared, nil
}

// prepare has the server describe the plan's statement and settles how its
// columns are encoded. It happens once per plan.
func (rq *request) prepare(ctx context.Context, conn *pgwire.Conn, plan *planner.Plan, aggregate bool) (*planner.Prepared, error) {
	types := rq.snap.planner.Catalog()
	if !plan.ReadOnly && !conn.Keeps(plan.Main.SQL) {
		aggregate = true // see certain
	}
	if !plan.NeedsDescription() || aggregate {
		return plan.Prepare(types, nil, aggregate), nil
	}
	var d pgwire.Description
	f := &rq.flight
	f.Reset()
	rq.addSettings(f, plan)
	f.Describe(plan.Described(), &d)
	rq.note(transaction{})
	if err := rq.send(ctx, conn); err != nil {
		return nil, err
	}
	return plan.Prepare(types, d.Fields, false), nil
}

// fly runs settings, pre-request and the plan's statements in one flight; with
// the commit, unless the rows have to be looked at before it.
func (rq *request) fly(ctx context.Context, conn *pgwire.Conn, plan *planner.Plan, prepared *planner.Prepared) error {
	tx := rq.transaction(plan, rq.runsUserCode(prepared))
	end := rq.load(plan, prepared, tx)
	f := &rq.flight
	err := rq.send(ctx, conn)
	if !plan.ReadOnly && !tx.rollback && !tx.held {
		err = doubtful(err)
	}
	if !tx.explicit {
		return err
	}
	if err != nil {
		// A refused answer comes before constraints nobody checked yet.
		if at := f.FailedStep(); at >= end && plan.Action.Writes() {
			if refused := rq.check(plan); refused != nil {
				err = refused
			}
		}
		return rq.rollBack(ctx, conn, err)
	}
	refused := rq.check(plan)
	if !tx.held {
		return refused
	}
	if refused != nil {
		return rq.rollBack(ctx, conn, refused)
	}
	f.Reset()
	f.Commit()
	if err := rq.send(ctx, conn); err != nil {
		return rq.rollBack(ctx, conn, commitError{doubtful(err)})
	}
	return nil
}

// load fills the flight. It returns the number of steps before those that end
// the transaction.
func (rq *request) load(plan *planner.Plan, prepared *planner.Prepared, tx transaction) (end int) {
	r := &rq.result
	r.plan, r.prepared = plan, prepared
	r.reset()
	role := rq.identity.Role
	statements := prepared.For(role, rq.snap.sharing(role))

	f := &rq.flight
	f.Reset()
	if rq.runsUserCode(prepared) {
		f.LeavesState(rq.snap.sessionState)
	}
	f.Limit(rq.flightLimit(plan))
	rq.numbers = rq.numbers[:0]
	if !plan.ReadOnly {
		f.ForWriting()
	}
	if tx.explicit {
		f.Begin(tx.isolation, plan.ReadOnly)
	}
	rq.addSettings(f, plan)
	if prepared.Settings != nil {
		f.Add(prepared.Settings, nil)
	}
	if rq.snap.preRequest != nil {
		f.Add(rq.snap.preRequest, nil)
	}
	f.Add(statements.Main, rq.sink(plan, prepared))
	rq.addArgs(f, prepared.Args, prepared.Names)
	f.ResultFormats(prepared.Formats)
	if statements.Estimate != nil {
		f.Add(statements.Estimate, (*estimateSink)(rq))
		rq.addArgs(f, plan.Estimate.Args, nil)
	}
	// Bodies that PostgreSQL computes bring the settings along.
	if rq.runsUserCode(prepared) && (prepared.Rows || plan.Action.Writes()) {
		f.Add(responseSettings, (*settingsSink)(rq))
	}
	end = f.Len()
	rq.note(tx)
	switch {
	case tx.rollback:
		f.SetConstraintsImmediate()
		f.Rollback()
	case tx.explicit && !tx.held:
		f.Commit()
	}
	return end
}

// runsUserCode reports whether response.headers and response.status may have
// been set by the time the plan has run.
func (rq *request) runsUserCode(prepared *planner.Prepared) bool {
	return prepared.UserCode || rq.snap.preRequest != nil
}

// checked reports whether the rows decide if the transaction may stand.
func (rq *request) checked(plan *planner.Plan) bool {
	return plan.Singular && !plan.One || plan.Action == planner.Upsert || rq.limitsAffected(plan)
}

func (rq *request) limitsAffected(plan *planner.Plan) bool {
	return rq.prefer.HasMaxAffected && rq.prefer.Handling == header.HandlingStrict &&
		(plan.Action == planner.Update || plan.Action == planner.Delete || plan.Routine != nil)
}

// check refuses answers whose number of rows is not what the request allows.
func (rq *request) check(plan *planner.Plan) error {
	rows := rq.result.rows
	switch {
	case plan.Explain:
		return nil
	case plan.Action == planner.Upsert:
		if rows != 1 {
			return errPutKey
		}
		return nil
	case plan.Singular && rows != 1:
		return notSingular(rows)
	case rq.limitsAffected(plan) && rows > rq.prefer.MaxAffected:
		return maxAffectedExceeded(rows)
	}
	return nil
}

// rollBack ends a failed transaction and returns why it failed.
func (rq *request) rollBack(ctx context.Context, conn *pgwire.Conn, why error) error {
	if conn.IsBroken() {
		return why
	}
	if err := conn.Rollback(ctx); err != nil {
		rq.server.log.RollbackFailed(rq.logID(), err)
	}
	return why
}

// sink takes the rows of the plan's statement.
func (rq *request) sink(plan *planner.Plan, prepared *planner.Prepared) pgwire.Sink {
	switch {
	case prepared.Rows:
		return (*rowsSink)(rq)
	case plan.Explain:
		return (*planSink)(rq)
	case plan.Tagged:
		return (*tagSink)(rq)
	case plan.Located: // the answer is made of the value
		return (*valueSink)(rq)
	}
	return (*largeSink)(rq)
}

var responseSettings = pgwire.NewStmt(sqlgen.ResponseSettings)

// addSettings adds the statement that makes the transaction this request's.
func (rq *request) addSettings(f *pgwire.Flight, plan *planner.Plan) {
	role := rq.snap.forRole(rq.identity.Role)
	readOnly, zone := 0, 0
	if plan.ReadOnly {
		readOnly = 1
	}
	if rq.prefer.HasTimezone {
		zone = 1
	}
	f.Add(role.bySchema[rq.schema][readOnly][zone], nil)
	f.Arg(bytesOf(rq.identity.Role))
	f.Arg(rq.identity.Claims)
	f.Arg(rq.method())
	f.Arg(rq.path)
	f.Arg(rq.headersJSON)
	f.Arg(rq.cookiesJSON)
	if zone == 1 {
		f.Arg(rq.prefer.Timezone)
	}
	for _, value := range rq.snap.appValues {
		f.Arg(value)
	}
}

// addArgs binds the operands of this request to a statement's parameters.
func (rq *request) addArgs(f *pgwire.Flight, args []sqlgen.Arg, names []string) {
	for _, a := range args {
		start := len(rq.numbers) // slices handed out before keep the memory they were rendered into
		switch a.Kind {
		case sqlgen.ArgValue:
			f.Arg(cutNUL(rq.query.Values[a.Index]))
		case sqlgen.ArgLimit:
			rq.numbers = rq.snap.planner.Restrict(rq.rangeAt(a.Index)).AppendLimit(rq.numbers)
			f.Arg(rq.numbers[start:])
		case sqlgen.ArgOffset:
			rq.numbers = rq.rangeAt(a.Index).AppendOffset(rq.numbers)
			f.Arg(rq.numbers[start:])
		case sqlgen.ArgBody:
			rq.addBody(f)
		case sqlgen.ArgCall:
			rq.addCallArg(f, names[a.Index])
		case sqlgen.ArgVariadic:
			rq.addVariadic(f, names[a.Index])
		}
	}
}

// cutNUL ends an operand at its first NUL, as it does where text is handed to
// the C library PostgREST uses. PostgreSQL has no text with a NUL in it.
func cutNUL(b []byte) []byte {
	if i := bytes.IndexByte(b, 0); i >= 0 {
		return b[:i]
	}
	return b
}

func (rq *request) rangeAt(i int32) parser.Range {
	if i == tree.TopRange {
		return rq.plan.Top
	}
	return rq.query.Ranges[i].Range
}
