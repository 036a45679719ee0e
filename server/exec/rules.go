package exec

import (
	"context"
	"time"

	"github.com/fastgrest/fastgrest/pgwire"
	"github.com/fastgrest/fastgrest/planner"
	"github.com/fastgrest/fastgrest/planner/catalog"
	"github.com/fastgrest/fastgrest/planner/sqlgen"
	"github.com/fastgrest/fastgrest/server/config"
)

// Session is what new sessions began with when the catalog was read.
type Session struct {
	DateStyle string
	// Isolation is what a transaction has to ask for to be read committed and read write,
	// as is usual. It is DefaultIsolation (nothing) unless the database has other defaults.
	Isolation pgwire.Isolation
	// StatementTimeout is 0 if sessions have no statement_timeout.
	StatementTimeout time.Duration
}

// ReadSession reads what sessions begin with.
func ReadSession(ctx context.Context, c *pgwire.Conn) (Session, error) {
	s := Session{DateStyle: c.ParameterStatus("DateStyle")}
	err := c.Query(ctx, sqlgen.SessionDefaults, nil, func(columns [][]byte) error {
		if string(columns[0]) != "read committed" || string(columns[1]) != "off" {
			s.Isolation = pgwire.ReadCommitted
		}
		s.StatementTimeout = parseTimeout(string(columns[2]))
		return nil
	})
	return s, err
}

// ISODates reports whether sessions and all roles print dates in ISO style.
func ISODates(c *config.Config, s Session) bool {
	if !catalog.ISOStyle(s.DateStyle) {
		return false
	}
	for _, settings := range c.RoleSettings {
		if !catalog.KeepsISO(settingsOf(settings)) {
			return false
		}
	}
	return true
}

// Rules are what all requests of one configuration and one catalog share. They
// are immutable.
type Rules struct {
	planner         *planner.Planner
	roles           map[string]*roleRules // "" stands for all roles that are not in it
	appValues       [][]byte              // of app.settings
	preRequest      *pgwire.Stmt          // nil without db-pre-request
	preRequestState pgwire.SessionState   // what the pre-request function may leave in sessions
	sessionReset    config.SessionReset
	without         sqlgen.SettingSet // details of requests that never become settings
	auto            bool              // for blind plans no detail becomes a setting
	isolation       pgwire.Isolation  // Session.Isolation
	flightTimeout   time.Duration
	keepSQL         bool // for log-query
	coalescing      bool // requests may be merged
}

// roleRules are the rules of one role.
type roleRules struct {
	settings    [][settingsForms]settingsStatement // by exposed schema
	isolation   pgwire.Isolation
	flightLimit time.Duration // see pgwire.Flight.Limit
}

// settingsForm is what a statement that makes settings depends on, besides the role and the
// schema: flags, and in the bits above them what is done about the previous part of a batch.
type settingsForm uint8

const (
	readOnlyForm settingsForm = 1 << iota
	zoneForm                  // the client prefers a time zone
	bareForm                  // without details, for a blind plan; only if Rules.auto is set
	takeForm                  // times a sqlgen.Take

	settingsForms = takeForm * settingsForm(sqlgen.Takes)
)

type settingsStatement struct {
	stmt *pgwire.Stmt
	args []sqlgen.Arg
}

func (r *Rules) statement(role *roleRules, c *Call, after sqlgen.Take) *settingsStatement {
	form := takeForm * settingsForm(after)
	if c.Plan.ReadOnly && !c.ReadWrite {
		form |= readOnlyForm
	}
	if c.Settings[sqlgen.SettingTimezone] != nil {
		form |= zoneForm
	}
	if c.Without != r.without {
		form |= bareForm
	}
	return &role.settings[c.Schema][form]
}

// withoutDetails are the details that the operator leaves out.
func withoutDetails(r config.RequestSettings) (set sqlgen.SettingSet) {
	for setting, wanted := range map[int]bool{
		sqlgen.SettingMethod: r.Method, sqlgen.SettingPath: r.Path, sqlgen.SettingHeaders: r.Headers, sqlgen.SettingCookies: r.Cookies,
	} {
		if !wanted {
			set |= 1 << setting
		}
	}
	return set
}

// Without returns the settings that the call of a plan needs no values for. They
// are to be put into the Call.
func (r *Rules) Without(plan *Runnable) sqlgen.SettingSet {
	if r.auto && plan.Blind {
		// The columns that PostgreSQL describes may have other types than the catalog.
		if form := plan.Form(); form != nil && !form.userCode {
			return sqlgen.Details
		}
	}
	return r.without
}

// NewRules makes the rules for the plans of p.
func NewRules(c *config.Config, s Session, p *planner.Planner) *Rules {
	r := &Rules{
		planner: p, roles: map[string]*roleRules{}, sessionReset: c.DBSessionReset,
		isolation: s.Isolation, flightTimeout: c.DBFlightTimeout, keepSQL: c.LogQuery, coalescing: c.DBCoalescing, without: withoutDetails(c.DBRequestSettings),
		auto: c.DBRequestSettings.Auto && c.DBPreRequest.IsZero(),
	}
	var appNames []string
	for _, set := range c.AppSettings {
		appNames = append(appNames, set.Name)
		r.appValues = append(r.appValues, cutNUL([]byte(set.Value)))
	}
	r.addRole("", c, s, appNames)
	for role := range c.RoleSettings {
		r.addRole(role, c, s, appNames)
	}
	for role := range c.RoleIsolation {
		r.addRole(role, c, s, appNames)
	}
	if !c.DBPreRequest.IsZero() {
		r.preRequest = pgwire.NewStmt(sqlgen.PreRequest(catalog.QI(c.DBPreRequest)))
		r.preRequestState = pgwire.SessionState(p.Catalog().FunctionLeftovers(c.DBPreRequest.Name))
	}
	return r
}

func (r *Rules) addRole(name string, c *config.Config, s Session, appNames []string) {
	if r.roles[name] != nil {
		return
	}
	settings := settingsOf(c.RoleSettings[name])
	timeout, ok := statementTimeout(settings)
	if !ok {
		timeout = s.StatementTimeout
	}
	role := &roleRules{isolation: isolations[c.RoleIsolation[name]], flightLimit: flightLimit(c.DBFlightTimeout, timeout)}
	for _, schema := range c.DBSchemas {
		var statements [settingsForms]settingsStatement
		for form := range settingsForms {
			without := r.without
			if form&bareForm != 0 {
				if !r.auto {
					continue
				}
				without = sqlgen.Details
			}
			statement := sqlgen.SettingsStatement(sqlgen.Settings{
				ReadOnly:   form&readOnlyForm != 0,
				SearchPath: append([]string{schema}, c.DBExtraSearchPath...),
				Role:       settings,
				App:        appNames,
				Timezone:   form&zoneForm != 0,
				Without:    without,
				After:      sqlgen.Take(form / takeForm),
			})
			statements[form] = settingsStatement{pgwire.NewStmt(statement.SQL), statement.Args}
		}
		role.settings = append(role.settings, statements)
	}
	r.roles[name] = role
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

// sessionState is what has to be removed from the session after a plan with
// these leftovers. userCode: it runs code of the database.
func (r *Rules) sessionState(leftovers catalog.Leftovers, userCode bool) pgwire.SessionState {
	state := max(pgwire.SessionState(leftovers), r.preRequestState) // the same scale
	switch {
	case r.sessionReset == config.ResetNever:
		return pgwire.Clean
	case r.sessionReset == config.ResetAlways && userCode:
		return max(state, pgwire.Dirty)
	}
	return state
}

func (r *Rules) role(name []byte) *roleRules {
	if role := r.roles[string(name)]; role != nil {
		return role
	}
	return r.roles[""]
}

// sharing reports whether role may use statements prepared by other roles.
func (r *Rules) sharing(role []byte) bool {
	_, ok := r.planner.Catalog().UsageRoles[string(role)]
	return ok
}
