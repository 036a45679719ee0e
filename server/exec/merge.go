package exec

import (
	"errors"
	"sync/atomic"
	"time"

	"github.com/fastgrest/fastgrest/pgwire"
	"github.com/fastgrest/fastgrest/pgwire/pool"
	"github.com/fastgrest/fastgrest/pgwire/rowjson"
	"github.com/fastgrest/fastgrest/planner/sqlgen"
)

// Requests of a plan that wait for a connection may run as one statement (db-coalescing,
// pgwire/pool/merge.go). All of these hold:
//
//   - The plan reads tables, without code of the database's owners and without row
//     security (planner.Plan.Mergeable), and there is no pre-request function. So it
//     does not matter how often an expression is computed.
//   - All settings of the requests are equal, byte by byte: role, claims, time zone and
//     the rest. Requests that leave settings out for the plan (db-request-settings)
//     are equal without them.
//   - The plan is quick.
//
// Requests with equal operands then share the response to one of them. Others are merged
// only if the plan has never returned several rows, because without an order, or with
// equal values in it, the order of rows depends on the execution plan.

// splitPause is how many requests of a plan are not merged after a merged statement has
// failed, or has cost more than statements of their own.
const splitPause = 512

// merging is what is known about merged requests of a form.
type merging struct {
	many  atomic.Bool  // a response has had several rows
	took  atomic.Int64 // moving average of the time of a merged request, in ns
	pause atomic.Int64 // requests that are not merged
}

// returned notes the rows of a response.
func (m *merging) returned(rows int64) {
	if rows > 1 && !m.many.Load() {
		m.many.Store(true)
	}
}

// merge says how a request of the form may be merged now, nil if it may not.
func (form *Form) merge(s *Statements) *pgwire.Merge {
	switch m := &form.merging; {
	case s.Equal == nil:
		return nil
	case m.pause.Load() > 0:
		m.pause.Add(-1)
		return nil
	case m.many.Load():
		return s.Equal
	}
	return s.Merge
}

// tookMerged notes the time of one of n merged requests, and the bytes of its response. A
// merged statement always has the same execution plan. Statements of single requests may
// have one for their operands, which can be much faster.
func (form *Form) tookMerged(d time.Duration, n, size int) {
	m := &form.merging
	follow(&form.pace.size, int64(size), weight)
	average, took := form.pace.average.Load(), m.took.Load()
	sample := min(int64(d), 8*average) // on a busy machine some take a hundred times as long
	took += (sample - took) / int64(weight*n)
	if took > 2*average {
		m.pause.Store(splitPause)
		took = 0
	}
	m.took.Store(took)
}

// shareMerged runs the flight that load has filled, merged with others if it may be. If a
// merged statement fails, each request runs alone, so that it gets its own error.
func (x *Execution) shareMerged(form *Form, tx transaction) (pool.Timing, error) {
	how := class(x.call.Plan, form)
	if !x.rules.coalescing || how != pool.QuickRead || x.rules.preRequest != nil {
		return x.share(how) // fast path
	}
	x.flight.MayMerge(form.merge(x.statements(form)))
	timing, err := x.share(how)
	if timing.Merged > 0 && err == nil {
		form.tookMerged(timing.Worked, timing.Merged, x.Result.Body.size())
		form.merging.returned(x.Result.Rows)
	}
	if err == nil || !errors.Is(err, pool.ErrSplit) {
		return timing, err
	}
	form.merging.pause.Store(splitPause)
	x.load(form, tx)
	return x.share(how)
}

// addMerge sets how requests of the form are merged, unless they are not. params has the
// types of the parameters of Main.
func (r *Runnable) addMerge(form *Form, params []uint32) {
	if !r.Mergeable || !form.Rows || form.userCode {
		return
	}
	m := &pgwire.Merge{}
	types := make([]string, len(form.Args))
	known := len(params) == len(form.Args) && len(form.Formats) > 0
	for i, a := range form.Args {
		operand := a.Kind == sqlgen.ArgValue
		m.Lists = append(m.Lists, operand)
		if operand && known {
			types[i], known = operandTypes[params[i]], operandTypes[params[i]] != ""
		}
	}
	main := &form.statements.main
	main.Merge, main.Equal = m, m
	if !known {
		return
	}
	if merged := r.Merged(form.wanted, form.embeds, types); merged != nil {
		main.Merge = &pgwire.Merge{
			Stmt:    pgwire.NewStmt(merged.SQL),
			Formats: append([]int16{rowjson.Binary}, form.Formats...),
			Lists:   m.Lists,
		}
	}
}

// ownMerges gives a role's statements merged ones of their own. Flights that have the same
// Merge have the same statements.
func (s *Statements) ownMerges(main *Statements) {
	if main.Equal == nil {
		return
	}
	s.Merge, s.Equal = main.Merge, main.Equal
	if m := main.Merge; m.Stmt != nil {
		s.Merge = &pgwire.Merge{Stmt: pgwire.NewStmt(m.Stmt.SQL()), Formats: m.Formats, Lists: m.Lists}
	}
}

// operandTypes are the types of operands that merged statements take as arrays, by OID. An
// array of them has no dimensions of its own, and its elements are read like a parameter of
// the type.
var operandTypes = map[uint32]string{
	16: "pg_catalog.bool", 21: "pg_catalog.int2", 23: "pg_catalog.int4", 20: "pg_catalog.int8",
	700: "pg_catalog.float4", 701: "pg_catalog.float8", 1700: "pg_catalog.numeric",
	25: "pg_catalog.text", 1043: "pg_catalog.varchar", 2950: "pg_catalog.uuid",
	1082: "pg_catalog.date", 1114: "pg_catalog.timestamp", 1184: "pg_catalog.timestamptz",
}

// CopyFrom implements pgwire.CopySink.
func (s *rowsSink) CopyFrom(from pgwire.Sink) error {
	other, ok := from.(*rowsSink)
	if !ok || other.out.Body.spooled != nil {
		return errUnreadable
	}
	r, o := s.out, other.out
	r.Rows, r.Total, r.HasTotal = o.Rows, o.Total, o.HasTotal
	r.Body.Bytes = append(r.Body.Bytes[:0], o.Body.Bytes...)
	return nil
}
