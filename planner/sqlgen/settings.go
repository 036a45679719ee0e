package sqlgen

import (
	"strings"

	"github.com/fastgrest/fastgrest/planner/catalog"
)

// Settings says which settings the statement at the start of a transaction
// makes, in addition to those of every request.
type Settings struct {
	ReadOnly   bool
	SearchPath []string // the request's schema first
	Role       []catalog.Setting
	Timezone   bool     // the client prefers a time zone: SettingTimezone is a parameter, too
	App        []string // names; the values are parameters, because some are secrets and statements are logged
}

// The settings whose values come from the request, as indexes of ArgSetting.
const (
	SettingRole = iota
	SettingClaims
	SettingMethod
	SettingPath
	SettingHeaders
	SettingCookies
	SettingTimezone

	RequestSettings // their number
)

// settingNames has the names of the settings, in the order in which the
// statement makes them.
var settingNames = [RequestSettings]string{
	SettingRole: "role", SettingClaims: "request.jwt.claims", SettingMethod: "request.method", SettingPath: "request.path",
	SettingHeaders: "request.headers", SettingCookies: "request.cookies", SettingTimezone: "timezone",
}

// SettingsStatement returns a SELECT that makes all settings of a transaction.
// A set_config costs less than a microsecond, a statement tens of them.
//
// The order matters. Role settings come before the role, so that the
// authenticator's privileges apply to them. App settings come last, so they
// override the client's preferences. num_nonnulls evaluates its arguments from
// left to right, and returns one integer instead of all values.
//
// PostgreSQL parses this statement before the request's search_path is in
// force. So its functions are qualified with pg_catalog: whatever the session's
// search_path is, no other set_config is called.
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

// PreRequest returns the call of the function in db-pre-request.
func PreRequest(function catalog.QI) string {
	var w Writer
	w.S("SELECT ")
	w.Name(function)
	w.S("()")
	return w.Statement().SQL
}

// The headers and the status that user code has set for the response, or NULL.
const (
	responseHeaders = "NULLIF(pg_catalog.current_setting('response.headers', true), '')"
	responseStatus  = "NULLIF(pg_catalog.current_setting('response.status', true), '')"
)

// ResponseSettings reads the headers and the status that user code has set for
// the response, and the number of rows that a merge inserted.
const ResponseSettings = "SELECT " + responseHeaders + ", " + responseStatus + ", NULLIF(pg_catalog.current_setting('" + InsertedSetting + "', true), '')"

// SessionDefaults reads the isolation level and the read-only mode that
// transactions have by default, and statement_timeout.
const SessionDefaults = "SELECT pg_catalog.current_setting('default_transaction_isolation'), pg_catalog.current_setting('default_transaction_read_only'), " +
	"pg_catalog.current_setting('statement_timeout')"
