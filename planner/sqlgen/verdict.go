package sqlgen

// The parts of a batch run one after another in one transaction, and one flight has
// all of them and the commit. Some parts must not be committed: their response settings
// are invalid, or they have a wrong number of rows. The server finds that out from what
// the parts have returned, when the commit would be over. So PostgreSQL judges the parts
// itself, and fails before the commit if it cannot vouch for all of them. Then the server
// decides.
//
// The verdict is strict where the server's own rules are hard to express in SQL. It may
// hold back what the server accepts, but never the other way round.

// Settings of the verdict. They last until the end of the transaction.
const (
	tallyRows  = "pgrst.rows"    // rows of the page, or changed
	tallyTotal = "pgrst.total"   // rows of all pages
	vouched    = "pgrst.vouched" // parts that may be committed
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
	TakeJudge      // the part is vouched for if the settings are valid
	// TakeTally is TakeJudge for a statement with a Tally. The number of rows must also be
	// from $1 to $2, and the total at least $3. It stands alone.
	TakeTally

	Takes = TakeTally // their number, without TakeTally
)

// TakeStatements are the statements that only do that.
var TakeStatements = [...]string{TakeOnly: TakeOnly.statement(), TakeJudge: TakeJudge.statement(), TakeTally: TakeTally.statement()}

func (t Take) statement() string {
	begin, end := t.around()
	return begin + "NULL" + end
}

// around returns a SELECT whose list of settings to make is left out. OFFSET 0 has
// PostgreSQL read all settings of the part before it changes one.
func (t Take) around() (begin, end string) {
	if t == NoTake {
		return "SELECT pg_catalog.num_nonnulls(", ")"
	}
	columns := responseHeaders + " AS headers, " + responseStatus + " AS status, " + setting(InsertedSetting) + " AS inserted"
	changes := ""
	switch t {
	case TakeJudge:
		changes = vouch(validResponse)
	case TakeTally:
		columns += ", " + setting(tallyRows) + "::bigint AS page, " + setting(tallyTotal) + "::bigint AS total"
		changes = vouch(validResponse+" AND page OPERATOR(pg_catalog.>=) $1::bigint AND page OPERATOR(pg_catalog.<=) $2::bigint"+
			" AND COALESCE(total, 0::bigint) OPERATOR(pg_catalog.>=) $3::bigint") + forget("page", tallyRows) + forget("total", tallyTotal)
	}
	changes += forget("headers", "response.headers") + forget("status", "response.status") + forget("inserted", InsertedSetting)
	return "SELECT headers, status, inserted FROM (SELECT " + columns + " OFFSET 0) part WHERE pg_catalog.num_nonnulls(" + changes, ") IS NOT NULL"
}

// forget removes a setting. One that nothing has set stays so, because a session keeps the
// names of settings after the transaction.
func forget(column, name string) string {
	return "CASE WHEN " + column + " IS NOT NULL THEN pg_catalog.set_config('" + name + "', '', true) END, "
}

func vouch(condition string) string {
	return "CASE WHEN " + condition + " THEN pg_catalog.set_config('" + vouched + "', (COALESCE(" + setting(vouched) +
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

// CheckVerdicts fails unless $1 parts were vouched for. The error is VerdictError: text
// that is not a number is the one way in which a plain SELECT can fail on purpose.
var CheckVerdicts = "SELECT (CASE WHEN " + setting(vouched) + "::int OPERATOR(pg_catalog.=) $1::int THEN '0' ELSE 'part of a batch not vouched for' END)::int"

// VerdictError is the SQLSTATE of CheckVerdicts: invalid_text_representation.
const VerdictError = "22P02"
