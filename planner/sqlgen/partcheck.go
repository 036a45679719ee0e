package sqlgen

// The parts of a batch run one after another in one transaction, and one flight has
// all of them and the commit. Some parts must not be committed: their response settings
// are invalid, or they have a wrong number of rows. The server sees that in the results
// of the parts, which arrive after the commit. So PostgreSQL checks the parts itself, and
// a statement in front of the commit fails unless all of them have passed. After that
// failure the server decides.
//
// The check is stricter than the server where the server's rules are hard to express in
// SQL. A part that the server accepts may fail it. A part that the server refuses never
// passes it.

// Settings of the check. They last until the end of the transaction.
const (
	tallyRows  = "pgrst.rows"   // rows of the page, or changed
	tallyTotal = "pgrst.total"  // rows of all pages
	passed     = "pgrst.passed" // number of parts that have passed
)

// tallied returns an expression with the value of number. With tally it keeps the value
// in a setting, too.
func tallied(tally bool, name, number string) string {
	if !tally {
		return number
	}
	return "pg_catalog.set_config('" + name + "', (" + number + ")::pg_catalog.text, true)"
}

// Take says what happens to the settings that a part has made for its response. They are
// read and removed, so that the next part begins without them. The result is that of
// ResponseSettings.
type Take uint8

const (
	NoTake    Take = iota
	TakeOnly       // nothing else
	TakeCheck      // the part passes the check if the settings are valid
	// TakeTally is TakeCheck for a statement with a Tally. The number of rows must also be
	// from $1 to $2, and the total at least $3. It is never a part of the statement that
	// makes settings.
	TakeTally

	Takes = TakeTally // their number, without TakeTally
)

// TakeStatements are the statements that do that and make no settings.
var TakeStatements = [...]string{TakeOnly: TakeOnly.statement(), TakeCheck: TakeCheck.statement(), TakeTally: TakeTally.statement()}

func (t Take) statement() string {
	begin, end := t.around()
	return begin + "NULL" + end
}

// around returns what stands before and after the list of settings to make in a SELECT.
// OFFSET 0 has PostgreSQL read all settings of the part before it changes one.
func (t Take) around() (begin, end string) {
	if t == NoTake {
		return "SELECT pg_catalog.num_nonnulls(", ")"
	}
	columns := responseHeaders + " AS headers, " + responseStatus + " AS status, " + setting(InsertedSetting) + " AS inserted"
	changes := ""
	switch t {
	case TakeCheck:
		changes = countPassed(validResponse)
	case TakeTally:
		columns += ", " + setting(tallyRows) + "::bigint AS page, " + setting(tallyTotal) + "::bigint AS total"
		changes = countPassed(validResponse+" AND page OPERATOR(pg_catalog.>=) $1::bigint AND page OPERATOR(pg_catalog.<=) $2::bigint"+
			" AND COALESCE(total, 0::bigint) OPERATOR(pg_catalog.>=) $3::bigint") + forget("page", tallyRows) + forget("total", tallyTotal)
	}
	changes += forget("headers", "response.headers") + forget("status", "response.status") + forget("inserted", InsertedSetting)
	return "SELECT headers, status, inserted FROM (SELECT " + columns + " OFFSET 0) part WHERE pg_catalog.num_nonnulls(" + changes, ") IS NOT NULL"
}

// forget removes a setting. If nothing has set it, it is not touched: a session keeps the
// names of settings after the transaction.
func forget(column, name string) string {
	return "CASE WHEN " + column + " IS NOT NULL THEN pg_catalog.set_config('" + name + "', '', true) END, "
}

// countPassed counts the part if the condition is true.
func countPassed(condition string) string {
	return "CASE WHEN " + condition + " THEN pg_catalog.set_config('" + passed + "', (COALESCE(" + setting(passed) +
		"::int, 0) OPERATOR(pg_catalog.+) 1)::pg_catalog.text, true) END, "
}

// validResponse is a condition that is true only for settings that the server accepts. It
// knows the three digits of a status, and headers without \u escapes, as PostgreSQL's
// functions write them.
var validResponse = "(status IS NULL OR status OPERATOR(pg_catalog.~) '^[1-9][0-9][0-9]$')" +
	" AND (headers IS NULL OR headers COLLATE pg_catalog.\"C\" OPERATOR(pg_catalog.~) " + Literal(headersPattern) + ")"

// headersPattern matches a JSON array of objects that have one key each.
const (
	headersPattern = "^" + space + `\[` + space + "(?:" + headerPattern + space + "(?:," + space + `(?=\{)|(?=\])))*\]` + space + "$"
	headerPattern  = `\{` + space + headerName + space + ":" + space + headerValue + space + `\}`
	headerName     = `"[!#$%&'*+.^_` + "`" + `|~0-9A-Za-z-]*"`
	headerValue    = `"(?:[^"\\\x01-\x1f]|\\["\\/bfnrt])*"`
	space          = `[ \n]*`
)

// AllPassed fails unless $1 parts have passed the check. PostgreSQL has no function that
// raises an error, so it casts a text to a number, and the error is NotPassed.
var AllPassed = "SELECT (CASE WHEN " + setting(passed) + "::int OPERATOR(pg_catalog.=) $1::int THEN '0' ELSE 'part of a batch has not passed the check' END)::int"

// NotPassed is the SQLSTATE of the error of AllPassed: invalid_text_representation.
const NotPassed = "22P02"
