package server

import (
	"bytes"
	"context"
	"errors"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/fastgrest/fastgrest/parser"
	"github.com/fastgrest/fastgrest/parser/header"
	"github.com/fastgrest/fastgrest/pgwire"
	"github.com/fastgrest/fastgrest/pgwire/pool"
	"github.com/fastgrest/fastgrest/pgwire/rowjson"
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
		if attempt == maxAttempts || !errors.As(err, &conn) || !conn.Retryable() {
			return err
		}
	}
}

// alone runs the plan on a connection of its own.
func (rq *request) alone(ctx context.Context, plan *planner.Plan) error {
	known := plan.Prepared()
	conn, err := rq.acquire(ctx, rq.manner(plan, known))
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
	err = rq.share(ctx, rq.manner(plan, prepared))
	rq.learnPace(prepared, rq.flight.Worked, rq.flight.Queued, err)
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

// queryCanceled is what becomes of statements that take longer than
// statement_timeout.
const queryCanceled = "57014"

// learnPace notes what the plan took, if it came to its end or was slow enough
// to be given up.
func (rq *request) learnPace(prepared *planner.Prepared, took time.Duration, queued bool, err error) {
	if err != nil {
		var (
			server *pgwire.Error
			conn   *pgwire.ConnError
		)
		timedOut := errors.As(err, &server) && server.Code == queryCanceled
		canceled := errors.As(err, &conn) && conn.Kind == pgwire.Canceled
		if !timedOut && !canceled {
			return
		}
	}
	prepared.Took(took, queued)
}

// manner is how the plan may be run beside others. Of writes only inserts share a
// connection: an update may wait for a row that another transaction has locked,
// and those behind it would wait, too.
func (rq *request) manner(plan *planner.Plan, prepared *planner.Prepared) pool.Manner {
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
		return rq.rollBack(ctx, conn, doubtful(err))
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
		f.Soils(rq.snap.soil)
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

// transaction is the form a request's transaction takes.
type transaction struct {
	isolation pgwire.Isolation
	rollback  bool // rolled back in the end
	held      bool // committed only after a look at the rows
	explicit  bool // needs BEGIN
}

func (rq *request) transaction(plan *planner.Plan, userCode bool) transaction {
	t := transaction{isolation: rq.snap.forRole(rq.identity.Role).isolation, rollback: rq.rollsBack()}
	if plan.Isolation != "" {
		t.isolation = namedIsolations[plan.Isolation]
	}
	if t.isolation == pgwire.DefaultIsolation {
		t.isolation = rq.snap.session.isolation
	}
	// What runs nobody's code and may not write ends the same way however it ends.
	t.rollback = t.rollback && (userCode || !plan.ReadOnly)
	t.held = !plan.ReadOnly && !t.rollback && rq.checked(plan)
	t.explicit = t.rollback || t.held || t.isolation != pgwire.DefaultIsolation
	return t
}

var namedIsolations = map[string]pgwire.Isolation{
	"read committed": pgwire.DefaultIsolation, "repeatable read": pgwire.RepeatableRead, "serializable": pgwire.Serializable,
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

// rowsSink encodes rows of plain columns as JSON.
type rowsSink request

func (s *rowsSink) Fields(fields []pgproto3.FieldDescription) error {
	if !s.result.prepared.Fits(len(fields), func(i int) ([]byte, uint32) { return fields[i].Name, fields[i].DataTypeOID }) {
		return errStale
	}
	return nil
}

func (s *rowsSink) Row(values [][]byte) error {
	r := &s.result
	if r.prepared.Prefix > 0 {
		if len(values) < r.prepared.Prefix {
			return errStale
		}
		r.total, r.hasTotal = parseInt(values[0]), true
		if values[1] == nil {
			return nil // an empty page brings only its total
		}
	}
	values = r.prepared.Page(values)
	r.rows++
	dst := r.body
	if r.room != nil {
		dst = r.room
	}
	start := len(dst)
	if r.plan.Singular || r.plan.One {
		if r.rows > 1 {
			return nil // only counted
		}
	} else if r.rows == 1 {
		dst = append(dst, '[')
	} else {
		dst = append(dst, ',')
	}
	ok := true
	if r.plan.Scalar {
		dst, ok = appendScalar(dst, r.prepared.Columns, values)
	} else {
		dst, ok = rowjson.AppendObject(dst, r.prepared.Columns, values)
	}
	if !ok || r.prepared.NoNUL && bytes.Contains(dst[start:], escapedNUL) {
		return errUnreadable
	}
	r.widest = max(r.widest, len(dst)-start)
	if r.room != nil {
		r.room = dst
		return (*request)(s).moveOn()
	}
	r.body = dst
	if len(dst) >= spool.Piece {
		return (*request)(s).spill()
	}
	return nil
}

var escapedNUL = []byte(`\u0000`)

// appendScalar appends the only column of a row, without its name.
func appendScalar(dst []byte, columns []rowjson.Column, values [][]byte) ([]byte, bool) {
	if len(columns) != 1 || len(values) != 1 {
		return dst, false
	}
	if values[0] == nil {
		return append(dst, "null"...), true
	}
	return columns[0].Codec.Append(dst, values[0])
}

func (s *rowsSink) Complete([]byte) {
	r := &s.result
	switch {
	case r.plan.One:
		if r.rows == 0 {
			r.body = append(r.body, "null"...)
		}
		r.rows = 1 // even if a range or a filter took it away
	case r.plan.Singular:
	case r.rows == 0:
		r.body = append(r.body, '[', ']')
	default:
		r.body = append(r.body, ']')
	}
	if r.plan.Total.Count == sqlgen.CountPage {
		r.total, r.hasTotal = r.rows, true
	}
}

// tagSink reads the number of rows from the command tag: "INSERT 0 3".
type tagSink request

func (s *tagSink) Fields([]pgproto3.FieldDescription) error { return nil }
func (s *tagSink) Row([][]byte) error                       { return nil }

func (s *tagSink) Complete(tag []byte) {
	s.result.rows = 0
	if string(tag) == "SELECT 0" {
		return
	}
	s.result.rows = parseInt(tag[bytes.LastIndexByte(tag, ' ')+1:])
}

// valueSink takes the one row of a body that PostgreSQL computed.
type valueSink request

func (s *valueSink) Fields([]pgproto3.FieldDescription) error { return nil }

func (s *valueSink) Row(values [][]byte) error {
	r := &s.result
	if len(values) != 5 {
		return errStale
	}
	s.head(values)
	r.dropBody()
	if len(values[4]) >= spool.Piece && !r.plan.Located {
		return (*request)(s).spillValue(values[4])
	}
	r.body = append(r.body, values[4]...)
	return nil
}

// head takes all but the body.
func (s *valueSink) head(values [][]byte) {
	r := &s.result
	if values[0] != nil {
		r.total, r.hasTotal = parseInt(values[0]), true
	}
	r.rows = parseInt(values[1])
	r.headers, r.hasHeaders = append(r.headers[:0], values[2]...), values[2] != nil
	r.status, r.hasStatus = append(r.status[:0], values[3]...), values[3] != nil
}

// Complete finds no row where a range or a filter has taken the only row of a
// call away and nothing aggregates what is left. That counts as no rows at all.
func (s *valueSink) Complete([]byte) {
	if r := &s.result; r.rows == 0 && r.plan.One {
		r.total, r.hasTotal = 0, true
	}
}

// planSink takes an execution plan: a line per row.
type planSink request

func (s *planSink) Fields([]pgproto3.FieldDescription) error { return nil }

func (s *planSink) Row(values [][]byte) error {
	for _, v := range values {
		s.result.body = append(append(s.result.body, v...), '\n')
	}
	return nil
}

func (s *planSink) Complete([]byte) {}

// estimateSink takes the plan of the count and reads the rows expected.
type estimateSink request

func (s *estimateSink) Fields([]pgproto3.FieldDescription) error { return nil }

func (s *estimateSink) Row(values [][]byte) error {
	if len(values) == 1 {
		s.result.estimate = planRows(values[0])
	}
	return nil
}

func (s *estimateSink) Complete([]byte) {}

// settingsSink takes what user code wants of the response.
type settingsSink request

func (s *settingsSink) Fields([]pgproto3.FieldDescription) error { return nil }

func (s *settingsSink) Row(values [][]byte) error {
	r := &s.result
	if len(values) != 3 {
		return errStale
	}
	r.headers, r.hasHeaders = append(r.headers[:0], values[0]...), values[0] != nil
	r.status, r.hasStatus = append(r.status[:0], values[1]...), values[1] != nil
	r.inserted, r.hasInserted = 0, values[2] != nil
	if r.hasInserted {
		r.inserted = parseInt(values[2])
	}
	return nil
}

func (s *settingsSink) Complete([]byte) {}

func parseInt(b []byte) int64 {
	n, _ := strconv.ParseInt(string(b), 10, 64)
	return n
}

// rollsBack reports whether the transaction is to be rolled back in the end.
func (rq *request) rollsBack() bool {
	switch rq.prefer.Tx {
	case txCommit:
		return false
	case txRollback:
		return true
	}
	return rq.snap.config.DBTxEnd.Rollback
}
