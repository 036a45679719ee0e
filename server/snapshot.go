package server

import (
	"context"
	"strings"
	"sync"
	"time"

	"github.com/fastgrest/fastgrest/pgwire"
	"github.com/fastgrest/fastgrest/planner"
	"github.com/fastgrest/fastgrest/planner/catalog"
	"github.com/fastgrest/fastgrest/planner/sqlgen"
	"github.com/fastgrest/fastgrest/server/admin"
	"github.com/fastgrest/fastgrest/server/auth"
	"github.com/fastgrest/fastgrest/server/config"
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
	session session

	documents openapi.Cache
	served    func() []admin.Schema // counted when somebody asks

	schemaNames  map[string]int // position of each exposed schema
	settings     map[string]roleSettings
	appNames     []string            // of app.settings
	appValues    [][]byte            // their values
	preRequest   *pgwire.Stmt        // nil without db-pre-request
	sessionState pgwire.SessionState // what code of the database may leave in sessions
}

// session is what new sessions begin with, when the catalog was read.
type session struct {
	dateStyle string
	// isolation is what transactions have to ask for that want the usual, read
	// committed and read write. It is the default unless the database says
	// otherwise: then they have to say so.
	isolation pgwire.Isolation
	// statementTimeout is 0 if there is none.
	statementTimeout time.Duration
}

// readSession reads what sessions begin with.
func readSession(ctx context.Context, c *pgwire.Conn) (session, error) {
	s := session{dateStyle: c.ParameterStatus("DateStyle")}
	err := c.Query(ctx, sqlgen.SessionDefaults, nil, func(columns [][]byte) error {
		if string(columns[0]) != "read committed" || string(columns[1]) != "off" {
			s.isolation = pgwire.ReadCommitted
		}
		s.statementTimeout = parseTimeout(string(columns[2]))
		return nil
	})
	return s, err
}

// roleSettings are the settings statements of one role, by exposed schema. The
// role "" stands for all roles without settings of their own.
type roleSettings struct {
	bySchema    []settingsStatements
	isolation   pgwire.Isolation
	flightLimit time.Duration // see pgwire.Flight.Limit
}

// settingsStatements are indexed by read-only and by whether the client
// prefers a time zone.
type settingsStatements [2][2]*pgwire.Stmt

func newSnapshot(c *config.Config, a *auth.Authenticator, cat *catalog.Catalog, session session) *Snapshot {
	s := &Snapshot{config: c, auth: a, session: session, schemaNames: map[string]int{}, settings: map[string]roleSettings{}}
	for i, name := range c.DBSchemas {
		if _, twice := s.schemaNames[name]; !twice {
			s.schemaNames[name] = i
		}
	}
	for _, set := range c.AppSettings {
		s.appNames = append(s.appNames, set.Name)
		s.appValues = append(s.appValues, cutNUL([]byte(set.Value)))
	}
	s.addRole("")
	for role := range c.RoleSettings {
		s.addRole(role)
	}
	for role := range c.RoleIsolation {
		s.addRole(role)
	}
	if !c.DBPreRequest.IsZero() {
		s.preRequest = pgwire.NewStmt(sqlgen.PreRequest(catalog.QI(c.DBPreRequest)))
	}
	s.served = sync.OnceValue(func() []admin.Schema { return servedBy(cat) })
	if cat != nil {
		s.sessionState = sessionStateOf(c.DBSessionReset, cat.Leftovers)
		s.planner = planner.New(cat, planner.Options{
			MaxRows:           c.DBMaxRows,
			Aggregates:        c.DBAggregatesEnabled,
			LegacyTargetNames: c.URLUseLegacyTargetNames,
			ExecutionPlans:    c.DBPlanEnabled,
			NotISO:            !s.allISO(),
			CacheMaxEntries:   c.PlanCacheMaxEntries,
		})
	}
	return s
}

// sessionStateOf is what has to be cleaned up after code of the database ran.
func sessionStateOf(reset config.SessionReset, leftovers catalog.Leftovers) pgwire.SessionState {
	state := pgwire.SessionState(leftovers) // the same scale
	switch reset {
	case config.ResetNever:
		return pgwire.Clean
	case config.ResetAlways:
		return max(state, pgwire.Dirty)
	}
	return state
}

func (s *Snapshot) addRole(role string) {
	c := s.config
	r := roleSettings{
		isolation:   isolations[c.RoleIsolation[role]],
		flightLimit: flightLimit(c.DBFlightTimeout, statementTimeout(c.RoleSettings[role], s.session.statementTimeout)),
	}
	for _, schema := range c.DBSchemas {
		var statements settingsStatements
		for readOnly := range statements {
			for zone := range statements[readOnly] {
				statements[readOnly][zone] = pgwire.NewStmt(sqlgen.SettingsStatement(sqlgen.Settings{
					ReadOnly:   readOnly == 1,
					SearchPath: append([]string{schema}, c.DBExtraSearchPath...),
					Role:       settingsOf(c.RoleSettings[role]),
					App:        s.appNames,
					Timezone:   zone == 1,
				}))
			}
		}
		r.bySchema = append(r.bySchema, statements)
	}
	s.settings[role] = r
}

// allISO reports whether every role sees dates in ISO style, as far as
// settings of sessions and roles go.
func (s *Snapshot) allISO() bool {
	if !isoStyle(s.session.dateStyle) {
		return false
	}
	for _, settings := range s.config.RoleSettings {
		for _, set := range settings {
			if strings.EqualFold(set.Name, "datestyle") && !isoStyle(set.Value) {
				return false
			}
		}
	}
	return true
}

// isolations maps levels to what a transaction has to ask for. The default
// level needs no asking, and so no BEGIN.
var isolations = [...]pgwire.Isolation{
	config.ReadCommitted:  pgwire.DefaultIsolation,
	config.RepeatableRead: pgwire.RepeatableRead,
	config.Serializable:   pgwire.Serializable,
}

func settingsOf(list []config.Setting) []catalog.Setting {
	out := make([]catalog.Setting, len(list))
	for i, s := range list {
		out[i] = catalog.Setting(s)
	}
	return out
}

// forRole returns the settings of a role.
func (s *Snapshot) forRole(role string) *roleSettings {
	r, ok := s.settings[role]
	if !ok {
		r = s.settings[""]
	}
	return &r
}

// sharing reports whether role may use statements prepared by other roles.
func (s *Snapshot) sharing(role string) bool {
	_, ok := s.planner.Catalog().UsageRoles[role]
	return ok
}
