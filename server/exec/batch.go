package exec

import (
	"bytes"
	"errors"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/fastgrest/fastgrest/pgwire"
	"github.com/fastgrest/fastgrest/pgwire/pool"
	"github.com/fastgrest/fastgrest/planner/sqlgen"
)

// Batch is a transaction of several calls. All have the same role.
type Batch struct {
	Isolation pgwire.Isolation // DefaultIsolation: what the calls and the role ask for
	ReadOnly  bool             // no call may write
	Rollback  bool             // the transaction is rolled back in the end
}

// Part is one call of a batch. Its Execution has the Result.
type Part struct {
	*Execution
	Call *Call

	form  *Form
	end   int // of its steps in the flight
	check partCheck
}

// partCheck is what PostgreSQL checks about a part before the commit (sqlgen.Take).
type partCheck struct {
	needed      bool  // the part may fail after it has run
	least, most int64 // rows
	total       int64 // see Call.leastTotal
}

// Transaction runs the parts of a batch on one connection. PostgreSQL computes the bodies
// of the parts (Runnable.wholeForm), so that a part whose statement has run has a Result:
// no row can fail to be encoded.
type Transaction struct {
	x     *Execution // of the whole: flight, connection, cost
	batch Batch
	conn  *pool.Conn
	open  bool // there is a transaction block on the connection
	wrote bool // a part that may write was sent

	// checkFailed: not all parts have passed the check, so nothing is committed yet.
	checkFailed bool

	// FailedPart is the index of the part, of those of the last Run, that the error
	// is about; -1: none.
	FailedPart int
}

// Transact runs fn with a transaction, and rolls back what fn has not committed. It
// runs fn again if there was no connection, or if a statement was older than what it
// reads: then nothing was executed, or it was rolled back.
func (x *Execution) Transact(rules *Rules, call *Call, b Batch, fn func(*Transaction) error) error {
	x.begin(rules, call)
	return x.again(func() error { return x.transact(b, fn) })
}

func (x *Execution) transact(b Batch, fn func(*Transaction) error) error {
	conn, err := x.acquire(pool.Alone)
	if err != nil {
		return err
	}
	defer conn.Release()
	for attempt := 0; ; attempt++ {
		t := &Transaction{x: x, batch: b, conn: conn, FailedPart: -1}
		err := fn(t)
		if t.open {
			err = x.rollBack(conn.Conn, err)
		}
		if lastAttempt(conn, attempt) || !errors.Is(err, errOutdated) {
			return err
		}
	}
}

// errOutdated marks an error after which the batch may be run again.
var errOutdated = errors.New("a statement is older than what it reads")

// outdatedError has the text of the error that it stands for.
type outdatedError struct{ error }

func (e outdatedError) Unwrap() []error { return []error{e.error, errOutdated} }

// Run runs parts in one flight. If they are the last ones, the flight also has the commit,
// behind sqlgen.AllPassed. over reports that the transaction has ended. If it has not, the
// caller looks at the Results, and then calls Commit or gives up.
func (t *Transaction) Run(rules *Rules, parts []*Part, last bool) (over bool, err error) {
	x, f := t.x, &t.x.flight
	f.Reset()
	t.FailedPart = -1
	tx, checks := t.form(rules, parts, last)
	state, limit := pgwire.Clean, x.flightLimit()
	for _, p := range parts {
		state = max(state, p.rules.sessionState(p.Call.Plan.Leftovers, p.runsUserCode(p.form)))
		limit = max(limit, p.flightLimit())
		t.wrote = t.wrote || !p.Call.Plan.ReadOnly
	}
	f.LeavesState(state)
	f.Limit(limit)
	if t.wrote {
		f.ForWriting()
	}
	if tx.explicit && !t.open {
		f.Begin(tx.isolation, t.batch.ReadOnly)
	}
	for i, p := range parts {
		p.out = f
		if i == 0 {
			p.addSettings()
		} else {
			t.between(parts[i-1], p)
		}
		p.addCall(p.form)
		p.end = f.Len()
	}
	t.finish(parts[len(parts)-1], last)
	end := f.Len()
	if t.open {
		x.noteMore(0)
	} else {
		x.note(transaction{explicit: tx.explicit})
	}
	checkStep := -1
	if checks > 0 {
		f.Savepoint()
		checkStep = f.Len()
		f.Add(allPassed, nil)
		f.Arg(strconv.AppendInt(nil, int64(checks), 10))
	}
	if tx.explicit && last {
		x.end(tx)
	}
	err = x.marked(tx, x.send(t.conn.Conn))
	t.open = tx.explicit && (err != nil || !last)
	if t.checkFailed = checkStep >= 0 && f.FailedStep() == checkStep && isNotPassed(err); t.checkFailed {
		err = nil
	}
	if err != nil {
		return false, t.failed(parts, end, last && !tx.rollback, err)
	}
	return last && !t.checkFailed, nil
}

// Check refuses a number of rows that the call does not allow.
func (p *Part) Check() error { return p.Call.check(p.Result.Rows) }

func isNotPassed(err error) bool {
	var server *pgwire.Error
	return errors.As(err, &server) && server.Code == sqlgen.NotPassed
}

// form prepares the parts and chooses the form of the transaction. checks is the number of
// parts that PostgreSQL has to check before the commit.
func (t *Transaction) form(rules *Rules, parts []*Part, last bool) (tx transaction, checks int) {
	tx = transaction{isolation: t.batch.Isolation, rollback: t.batch.Rollback}
	commits := last && !tx.rollback && !t.batch.ReadOnly
	for _, p := range parts {
		p.begin(rules, p.Call)
		p.Call.ReadWrite = !t.batch.ReadOnly
		p.chooseForm(commits)
		if p.check.needed {
			checks++
		}
		own := p.transaction(p.runsUserCode(p.form))
		tx.isolation = max(tx.isolation, own.isolation)
	}
	tx.bookmark = commits && t.x.call.Bookmark
	tx.explicit = t.open || !last || tx.rollback || tx.bookmark || checks > 0 || tx.isolation != pgwire.DefaultIsolation
	return tx, checks
}

// chooseForm chooses the form of the part, and its check. commits: the flight has a commit.
func (p *Part) chooseForm(commits bool) {
	c := &p.check
	c.least, c.most = p.Call.bounds()
	c.total = p.Call.leastTotal()
	tally := commits && (c.least > 0 || c.most < math.MaxInt64 || c.total > 0)
	p.form = p.Call.Plan.wholeForm(tally)
	c.needed = tally || commits && p.runsUserCode(p.form)
}

// failed finds the part that an error is about. ends: the flight had a commit.
func (t *Transaction) failed(parts []*Part, end int, ends bool, err error) error {
	var server *pgwire.Error
	step := t.x.flight.FailedStep()
	if errors.As(err, &server) && !server.Fatal() && step >= 0 && step < end {
		for i, p := range parts {
			if step >= p.end {
				continue
			}
			t.FailedPart = i
			if t.x.flight.Unexecuted() && (server.Deallocated() || server.Stale()) {
				if server.Stale() {
					p.engine.Suspect()
				}
				p.Call.Plan.forgetWhole(p.form)
				return outdatedError{err}
			}
			return err
		}
	}
	if t.wrote && ends {
		return t.x.doubtful(err)
	}
	return err
}

// Commit ends a transaction that Run has left open. If the check failed, the savepoint in
// front of it has kept what the parts have done.
func (t *Transaction) Commit() error {
	f := &t.x.flight
	f.Reset()
	t.FailedPart = -1
	if t.checkFailed {
		f.RollbackToSavepoint()
	}
	tx := transaction{rollback: t.batch.Rollback, bookmark: t.wrote && !t.batch.Rollback && t.x.call.Bookmark}
	t.x.end(tx)
	if t.wrote {
		f.ForWriting()
	}
	t.x.noteMore(0)
	err := t.x.marked(tx, t.x.send(t.conn.Conn))
	if err == nil {
		t.open = false
		return nil
	}
	if t.wrote && !t.batch.Rollback {
		err = t.x.doubtful(err)
	}
	return commitError{err}
}

// between adds what stands between two parts: what the first one has set for its response
// is read and checked, what it has set for itself alone is removed, and the settings of
// the next one are made. So the next one finds what it would find in a transaction of its
// own. Nothing is added if the settings are the same already.
func (t *Transaction) between(p, next *Part) {
	if p.leavesSettingsOf(next) {
		next.text = next.text[:0] // as addSettingsAfter does
		return
	}
	take, sink := p.take(false)
	if reset := p.ownSettings(); take == sqlgen.TakeTally || reset != "" {
		t.addTake(p, take, sink)
		t.addReset(reset)
		p.end = t.x.flight.Len()
		take, sink = sqlgen.NoTake, nil
	}
	next.addSettingsAfter(take, sink) // in one statement
}

// leavesSettingsOf reports whether all settings have, behind the part, the values that next
// needs. Only writes are proven to change none: catalog.Table.PlainWrite. The values of app
// settings are the same for all parts.
func (p *Part) leavesSettingsOf(next *Part) bool {
	if !p.Call.Plan.Action.Writes() || p.form.tallied || p.runsUserCode(p.form) || p.ownSettings() != "" {
		return false
	}
	s := p.rules.statement(p.role, p.Call, sqlgen.NoTake)
	return s == next.rules.statement(next.role, next.Call, sqlgen.NoTake) && !slices.ContainsFunc(s.args, func(a sqlgen.Arg) bool {
		return a.Kind == sqlgen.ArgSetting && !bytes.Equal(p.Call.Settings[a.Index], next.Call.Settings[a.Index])
	})
}

// finish does the same behind the last part of a flight. over: it is the last of all.
func (t *Transaction) finish(p *Part, over bool) {
	take, sink := p.take(over)
	t.addTake(p, take, sink)
	if !over {
		t.addReset(p.ownSettings())
	}
	p.end = t.x.flight.Len()
}

// take is what has to be done about the settings that the part has made for its response.
func (p *Part) take(over bool) (take sqlgen.Take, sink pgwire.Sink) {
	if p.Call.Plan.Action.Writes() && p.runsUserCode(p.form) { // bodies that PostgreSQL computes bring the settings along
		sink = &p.sinks.settings
	}
	switch {
	case p.form.tallied:
		return sqlgen.TakeTally, sink
	case p.check.needed:
		return sqlgen.TakeCheck, sink
	case sink != nil, !over && p.runsUserCode(p.form):
		return sqlgen.TakeOnly, sink
	}
	return sqlgen.NoTake, nil
}

func (t *Transaction) addTake(p *Part, take sqlgen.Take, sink pgwire.Sink) {
	if take == sqlgen.NoTake {
		return
	}
	f := &t.x.flight
	f.Add(takeStatements[take], sink)
	if take == sqlgen.TakeTally {
		for _, n := range [...]int64{p.check.least, p.check.most, p.check.total} {
			f.Arg(strconv.AppendInt(nil, n, 10))
		}
	}
}

// ownSettings names the settings that the part has made for itself alone, with commas.
func (p *Part) ownSettings() string {
	var names []string
	if p.Call.Settings[sqlgen.SettingTimezone] != nil {
		names = append(names, "timezone")
	}
	if routine := p.Call.Plan.Routine; routine != nil && p.form.settings != nil {
		for _, s := range routine.Settings {
			names = append(names, strings.ToLower(s.Name))
		}
	}
	return strings.Join(names, ",")
}

func (t *Transaction) addReset(names string) {
	if names != "" {
		t.x.flight.Add(resetSettings, nil)
		t.x.flight.Arg([]byte(names))
	}
}

var (
	takeStatements = func() (stmts [len(sqlgen.TakeStatements)]*pgwire.Stmt) {
		for i, sql := range sqlgen.TakeStatements {
			stmts[i] = pgwire.NewStmt(sql)
		}
		return stmts
	}()
	allPassed     = pgwire.NewStmt(sqlgen.AllPassed)
	resetSettings = pgwire.NewStmt(sqlgen.ResetSettings)
)
