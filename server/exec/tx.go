package exec

import "github.com/fastgrest/fastgrest/pgwire"

// transaction is the form of a call's transaction.
type transaction struct {
	isolation pgwire.Isolation
	rollback  bool // rolled back in the end
	held      bool // ended only after a look at the rows, or after more flights
	bookmark  bool // the position behind the commit is asked for
	explicit  bool // needs BEGIN
}

// transaction chooses the form. userCode: the transaction may run functions of
// the database's owners.
func (x *Execution) transaction(userCode bool) transaction {
	plan := x.call.Plan
	t := transaction{isolation: x.role.isolation, rollback: x.call.Rollback}
	if plan.Isolation != "" {
		t.isolation = namedIsolations[plan.Isolation]
	}
	if t.isolation == pgwire.DefaultIsolation {
		t.isolation = x.rules.isolation
	}
	// A transaction that can neither write nor run such functions ends in the
	// same way with COMMIT and with ROLLBACK.
	t.rollback = t.rollback && (userCode || !plan.ReadOnly)
	t.held = !plan.ReadOnly && !t.rollback && x.call.checked() || x.call.NextPiece != nil
	t.bookmark = x.call.Bookmark && !plan.ReadOnly && !t.rollback
	t.explicit = t.rollback || t.held || t.bookmark || t.isolation != pgwire.DefaultIsolation
	return t
}

var namedIsolations = map[string]pgwire.Isolation{
	"read committed": pgwire.DefaultIsolation, "repeatable read": pgwire.RepeatableRead, "serializable": pgwire.Serializable,
}
