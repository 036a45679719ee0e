package sqlgen

import "github.com/fastgrest/fastgrest/planner/catalog"

// Settings says which settings the statement at the start of a transaction
// makes, in addition to those of every request.
type Settings struct {
	ReadOnly   bool
	SearchPath []string // the request's schema first
	Role       []catalog.Setting
	Timezone   bool     // the client prefers a time zone: SettingTimezone is a parameter, too
	App        []string // names; the values are parameters, because some are secrets and statements are logged
	Without    SettingSet
	// After: the statement also takes what the part before it has set; see Take.
	After Take
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

// SettingSet is a set of the settings whose values come from the request: bit i
// stands for setting i.
type SettingSet uint8

// Has reports whether the setting is in the set.
func (s SettingSet) Has(setting int) bool { return s&(1<<setting) != 0 }

// Details are the settings that a statement can do without if nothing reads them.
// They say how the request was sent. The role and the claims are not among them,
// because privileges and policies depend on them.
const Details SettingSet = 1<<SettingMethod | 1<<SettingPath | 1<<SettingHeaders | 1<<SettingCookies

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
	begin, end := s.After.around()
	w.S(begin)
	if s.ReadOnly {
		w.S("pg_catalog.set_config('transaction_read_only', 'on', true), ")
	}
	w.S(constant("search_path", identList(s.SearchPath)))
	for _, c := range s.Role {
		w.S(", ", constant(c.Name, c.Value))
	}
	for i, name := range settingNames {
		if !s.Without.Has(i) && (i != SettingTimezone || s.Timezone) {
			w.parameter(name, Arg{ArgSetting, int32(i)})
		}
	}
	for i, name := range s.App {
		w.parameter(name, Arg{ArgApp, int32(i)})
	}
	w.S(end)
	return w.Statement()
}

func (w *Writer) parameter(name string, value Arg) {
	w.S(", pg_catalog.set_config(", Literal(name), ", ", w.param(value), ", true)")
}

func constant(name, value string) string {
	return "pg_catalog.set_config(" + Literal(name) + ", " + Literal(value) + ", true)"
}

// PreRequest returns the call of the function in db-pre-request.
func PreRequest(function catalog.QI) string { return "SELECT " + qualified(function) + "()" }

// The headers and the status that user code has set for the response, or NULL.
var (
	responseHeaders = setting("response.headers")
	responseStatus  = setting("response.status")
)

// setting returns an expression with the value of a setting, NULL if it has none.
func setting(name string) string {
	return "NULLIF(pg_catalog.current_setting('" + name + "', true), '')"
}

// ResponseSettings reads the headers and the status that user code has set for
// the response, and the number of rows that a merge inserted.
var ResponseSettings = "SELECT " + responseHeaders + ", " + responseStatus + ", " + setting(InsertedSetting)

// ResetSettings gives settings the value that the session has for them, until the end
// of the transaction. Its parameter is a list of names in lower case, with commas.
const ResetSettings = "SELECT pg_catalog.set_config(name, reset_val, true) FROM pg_catalog.pg_settings" +
	" WHERE pg_catalog.lower(name) OPERATOR(pg_catalog.=) ANY (pg_catalog.string_to_array($1, ','))"

// SessionDefaults reads the isolation level and the read-only mode that
// transactions have by default, and statement_timeout.
const SessionDefaults = "SELECT pg_catalog.current_setting('default_transaction_isolation'), pg_catalog.current_setting('default_transaction_read_only'), " +
	"pg_catalog.current_setting('statement_timeout')"
