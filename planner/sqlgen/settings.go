package sqlgen

import (
	"strings"

	"github.com/fastgrest/fastgrest/planner/catalog"
)

// Settings is the shape of the statement that prepares a transaction: which
// settings it makes beside those every request has.
type Settings struct {
	ReadOnly   bool
	SearchPath []string // the request's schema first
	Role       []catalog.Setting
	Timezone   bool     // the client prefers one: SettingTimezone is a parameter too
	App        []string // names; their values are parameters, since some are secrets, and statements are logged
}

// Settings whose values come from the request. Each is an ArgSetting.
const (
	SettingRole = iota
	SettingClaims
	SettingMethod
	SettingPath
	SettingHeaders
	SettingCookies
	SettingTimezone

	RequestSettings // how many there are
)

// settingNames has the settings in the order in which they are made.
var settingNames = [RequestSettings]string{
	SettingRole: "role", SettingClaims: "request.jwt.claims", SettingMethod: "request.method", SettingPath: "request.path",
	SettingHeaders: "request.headers", SettingCookies: "request.cookies", SettingTimezone: "timezone",
}

// SettingsStatement makes all settings of a transaction in one SELECT: each
// set_config costs less than a microsecond, a statement tens of them.
//
// The order matters. Role settings are made before the role is taken, so that
// privileges to set parameters are the authenticator's; app settings come last
// and so win over what a client prefers.
// num_nonnulls evaluates its arguments from left to right and sends one
// integer back instead of every value.
//
// It is the only statement that is parsed before its own search_path is in
// force, so its functions are named with their schema: whatever the session's
// path is, no other set_config is called in place of PostgreSQL's.
func SettingsStatement(s Settings) Statement {
	var w Writer
	w.S("SELECT pg_catalog.num_nonnulls(")
	if s.ReadOnly {
		w.S("pg_catalog.set_config('transaction_read_only', 'on', true), ")
	}
	quoted := make([]string, len(s.SearchPath))
	for i, schema := range s.SearchPath {
		quoted[i] = Ident(schema)
	}
	w.constant("search_path", strings.Join(quoted, ", "))
	for _, c := range s.Role {
		w.S(", ")
		w.constant(c.Name, c.Value)
	}
	for i, name := range settingNames {
		if i != SettingTimezone || s.Timezone {
			w.parameter(name, Arg{ArgSetting, int32(i)})
		}
	}
	for i, name := range s.App {
		w.parameter(name, Arg{ArgApp, int32(i)})
	}
	w.S(")")
	return w.Statement()
}

func (w *Writer) parameter(name string, value Arg) {
	w.S(", pg_catalog.set_config(")
	w.Lit(name)
	w.S(", ")
	w.Param(value)
	w.S(", true)")
}

func (w *Writer) constant(name, value string) {
	w.S("pg_catalog.set_config(")
	w.Lit(name)
	w.S(", ")
	w.Lit(value)
	w.S(", true)")
}

// PreRequest calls the function of db-pre-request.
func PreRequest(function catalog.QI) string {
	var w Writer
	w.S("SELECT ")
	w.Name(function)
	w.S("()")
	return w.Statement().SQL
}

// What user code may have asked of the response, null if nothing.
const (
	responseHeaders = "NULLIF(pg_catalog.current_setting('response.headers', true), '')"
	responseStatus  = "NULLIF(pg_catalog.current_setting('response.status', true), '')"
)

// ResponseSettings reads what user code may have asked of the response, and
// how many rows a merge inserted.
const ResponseSettings = "SELECT " + responseHeaders + ", " + responseStatus + ", NULLIF(pg_catalog.current_setting('" + InsertedSetting + "', true), '')"

// SessionDefaults returns how transactions begin that do not say how: their
// isolation level, and whether they are read only; and statement_timeout.
const SessionDefaults = "SELECT pg_catalog.current_setting('default_transaction_isolation'), pg_catalog.current_setting('default_transaction_read_only'), " +
	"pg_catalog.current_setting('statement_timeout')"
