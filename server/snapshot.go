package server

import (
	"sync"

	"github.com/fastgrest/fastgrest/parser"
	"github.com/fastgrest/fastgrest/planner"
	"github.com/fastgrest/fastgrest/planner/catalog"
	"github.com/fastgrest/fastgrest/server/admin"
	"github.com/fastgrest/fastgrest/server/auth"
	"github.com/fastgrest/fastgrest/server/config"
	"github.com/fastgrest/fastgrest/server/cursor"
	"github.com/fastgrest/fastgrest/server/exec"
	"github.com/fastgrest/fastgrest/server/nodes"
	"github.com/fastgrest/fastgrest/server/openapi"
)

// Snapshot is everything requests need of one moment. It is immutable; a reload
// makes a new one. Requests in flight keep the one they began with. newServer
// makes the first one; after that only the goroutine of life.Loop makes and
// stores them, in install.
type Snapshot struct {
	config  *config.Config
	auth    *auth.Authenticator
	planner *planner.Planner // nil before the first catalog
	session exec.Session
	rules   *exec.Rules // nil before the first catalog

	// position is where the primary was when the catalog was read. It is zero without
	// read replicas.
	position nodes.Position

	documents openapi.Cache
	served    func() []admin.Schema // counted at the first call

	schemaNames map[string]int // position of each exposed schema
	extensions  parser.Extensions
	cursorKey   *cursor.Key // nil: each process has its own
}

func newSnapshot(c *config.Config, a *auth.Authenticator, cat *catalog.Catalog, session exec.Session) *Snapshot {
	s := &Snapshot{config: c, auth: a, session: session, schemaNames: map[string]int{}, cursorKey: cursorKey(c)}
	if c.DBAggregatesEnabled {
		s.extensions |= parser.ExtAggregates
	}
	if c.DBDistinctEnabled {
		s.extensions |= parser.ExtDistinct
	}
	for i, name := range c.DBSchemas {
		if _, twice := s.schemaNames[name]; !twice {
			s.schemaNames[name] = i
		}
	}
	s.served = sync.OnceValue(func() []admin.Schema { return servedBy(cat) })
	if cat != nil {
		s.planner = planner.New(cat, planner.Options{
			MaxRows:           c.DBMaxRows,
			Aggregates:        c.DBAggregatesEnabled,
			LegacyTargetNames: c.URLUseLegacyTargetNames,
			ExecutionPlans:    c.DBPlanEnabled,
			NotISO:            !exec.ISODates(c, session),
			CacheMaxEntries:   c.PlanCacheMaxEntries,
			NewState:          func(p *planner.Plan) any { return exec.NewRunnable(p) },
		})
		s.rules = exec.NewRules(c, session, s.planner)
	}
	return s
}
