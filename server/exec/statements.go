package exec

import (
	"sync"

	"github.com/fastgrest/fastgrest/pgwire"
	"github.com/fastgrest/fastgrest/planner/sqlgen"
)

// Statements are the prepared statements of a plan.
type Statements struct {
	Lead     []*pgwire.Stmt // see planner.Plan.Lead
	Main     *pgwire.Stmt
	Estimate *pgwire.Stmt // nil unless the plan has one

	// How requests with any operands are merged, and those with equal ones. nil unless they
	// may be.
	Merge, Equal *pgwire.Merge
}

// roleStatements are the statements of a form for each role.
type roleStatements struct {
	main    Statements
	perRole bool // see planner.Plan.PerRole

	mu    sync.RWMutex
	roles map[string]*Statements
	taken bool // main is a role's
}

func (s *roleStatements) init(main *pgwire.Stmt, lead []sqlgen.Statement, estimate string, perRole bool) {
	s.main.Main, s.perRole, s.roles = main, perRole, map[string]*Statements{}
	for i := range lead {
		s.main.Lead = append(s.main.Lead, pgwire.NewStmt(lead[i].SQL))
	}
	if estimate != "" {
		s.main.Estimate = pgwire.NewStmt(estimate)
	}
}

// For returns the statements role has to use. sharing tells whether the role
// may use statements another role has had parsed; see catalog.UsageRoles.
func (form *Form) For(role []byte, sharing bool) *Statements {
	s := &form.statements
	if sharing && !s.perRole {
		return &s.main // fast path
	}
	s.mu.RLock()
	found := s.roles[string(role)]
	s.mu.RUnlock()
	if found != nil {
		return found
	}
	return s.add(role, sharing)
}

// maxRolesPerPlan bounds the statements of one plan. Clients cannot make roles, so the
// bound is only a precaution.
const maxRolesPerPlan = 1024

func (s *roleStatements) add(role []byte, sharing bool) *Statements {
	s.mu.Lock()
	defer s.mu.Unlock()
	if found := s.roles[string(role)]; found != nil {
		return found
	}
	if len(s.roles) >= maxRolesPerPlan {
		clear(s.roles)
	}
	own := &Statements{Main: pgwire.NewStmt(s.main.Main.SQL())}
	for _, lead := range s.main.Lead {
		own.Lead = append(own.Lead, pgwire.NewStmt(lead.SQL()))
	}
	if s.main.Estimate != nil {
		own.Estimate = pgwire.NewStmt(s.main.Estimate.SQL())
	}
	own.ownMerges(&s.main)
	if sharing && !s.taken {
		// Main was nearly always described for the first role. If it was described for
		// another one, the first role may still use it, because it may share.
		s.taken = true
		own = &s.main
	}
	s.roles[string(role)] = own
	return own
}
