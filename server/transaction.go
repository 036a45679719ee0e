package server

import (
	"github.com/fastgrest/fastgrest/pgwire"
	"github.com/fastgrest/fastgrest/planner"
)

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
