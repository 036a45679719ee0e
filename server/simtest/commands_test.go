package simtest

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/fastgrest/fastgrest/planner/sqlgen"
)

// field is a column of a result.
type field struct {
	name  string
	oid   uint32
	table uint32
}

var responseFields = []field{{name: "headers", oid: 25}, {name: "status", oid: 25}, {name: "inserted", oid: 25}}

var (
	takeOnly  = sqlgen.TakeStatements[sqlgen.TakeOnly]
	takeCheck = sqlgen.TakeStatements[sqlgen.TakeCheck]
	takeTally = sqlgen.TakeStatements[sqlgen.TakeTally]
)

// fixedFields are the columns of the statements that are not requests'.
var fixedFields = map[string][]field{
	showReadOnly:              {{name: "transaction_read_only", oid: 25}},
	readOnlyQuery:             {{name: "current_setting", oid: 16}},
	sqlgen.ResponseSettings:   {{name: "nullif", oid: 25}, {name: "nullif", oid: 25}, {name: "nullif", oid: 25}},
	setSeed:                   {{name: "setseed", oid: 2278}},
	takeOnly:                  responseFields,
	takeCheck:                 responseFields,
	takeTally:                 responseFields,
	sqlgen.AllPassed:          {{name: "int4", oid: 23}},
	"savepoint pgrst_check":   nil,
	toCheck:                   nil,
	sqlgen.ResetSettings:      {{name: "set_config", oid: 25}},
	"SAVEPOINT reset":         nil,
	"COMMIT":                  nil,
	"commit":                  nil,
	"rollback":                nil,
	constraints:               nil,
	"begin":                   nil,
	"begin read only":         nil,
	"begin" + isoRepeat + rw:  nil,
	"begin" + isoRepeat + ro:  nil,
	"begin" + isoSerial + rw:  nil,
	"begin" + isoSerial + ro:  nil,
	"begin" + isoCommit + rw:  nil,
	"begin" + isoCommit + ro:  nil,
	"select pg_backend_pid()": {{name: "pg_backend_pid", oid: 23}},
}

const (
	showReadOnly  = "show transaction_read_only"
	readOnlyQuery = "SELECT current_setting('transaction_read_only')::bool"
	toCheck       = "rollback to savepoint pgrst_check"
	setSeed       = "select pg_catalog.setseed($1)"
	constraints   = "set constraints all immediate"
	isoCommit     = " isolation level read committed"
	isoRepeat     = " isolation level repeatable read"
	isoSerial     = " isolation level serializable"
	rw, ro        = " read write", " read only"
)

func fixedStatement(sql string) bool {
	_, ok := fixedFields[sql]
	return ok
}

// fixed runs a statement that is not a request's, in the extended protocol.
func (b *backend) fixed(p *portal) (tag string, err error) {
	onOff := map[bool]string{true: "on", false: "off"}
	trueFalse := map[bool]string{true: "t", false: "f"}
	switch p.sql {
	case showReadOnly:
		b.row(p, []any{onOff[b.readOnly()]})
		return "SHOW", nil
	case readOnlyQuery:
		b.row(p, []any{trueFalse[b.readOnly()]})
		return "SELECT 1", nil
	case sqlgen.ResponseSettings:
		var inserted any
		if v := b.setting("pgrst.inserted"); v != "" {
			inserted = v
		}
		b.row(p, []any{nil, nil, inserted})
		return "SELECT 1", nil
	case takeOnly, takeCheck, takeTally:
		b.row(p, b.takeSettings(sqlgen.Take(slices.Index(sqlgen.TakeStatements[:], p.sql)), p.args))
		return "SELECT 1", nil
	case sqlgen.AllPassed:
		if b.setting("pgrst.passed") != p.args[0] {
			return "", refused{code: sqlgen.NotPassed, text: "invalid input syntax for type integer"}
		}
		b.row(p, []any{"0"})
		return "SELECT 1", nil
	case sqlgen.ResetSettings, constraints:
		return "SELECT 0", nil
	case setSeed:
		b.row(p, []any{""})
		return "SELECT 1", nil
	}
	return b.command(p.sql)
}

// takeSettings takes the response settings of a part of a batch, and counts the part as passed if its
// number of rows is in the bounds. It returns the row of the result.
func (b *backend) takeSettings(take sqlgen.Take, bounds []string) []any {
	var inserted any
	if v := b.setting("pgrst.inserted"); v != "" {
		inserted = v
	}
	delete(b.local, "pgrst.inserted")
	passes := take == sqlgen.TakeCheck
	if take == sqlgen.TakeTally {
		rows, _ := strconv.ParseInt(b.setting("pgrst.rows"), 10, 64)
		least, _ := strconv.ParseInt(bounds[0], 10, 64)
		most, _ := strconv.ParseInt(bounds[1], 10, 64)
		passes = least <= rows && rows <= most
		delete(b.local, "pgrst.rows")
	}
	if passes {
		n, _ := strconv.Atoi(b.setting("pgrst.passed"))
		b.local["pgrst.passed"] = strconv.Itoa(n + 1)
	}
	return []any{nil, nil, inserted}
}

// command runs a command without arguments.
func (b *backend) command(sql string) (tag string, err error) {
	lower := strings.ToLower(sql)
	word, _, _ := strings.Cut(lower, " ")
	switch word {
	case "begin":
		if b.status != 'I' {
			return "BEGIN", nil // with a warning
		}
		b.tx, b.implicit, b.status = b.transaction(), nil, 'T'
		b.save()
		if strings.HasSuffix(lower, ro) {
			b.local["transaction_read_only"] = "on"
		}
		return "BEGIN", nil
	case "commit":
		return b.commitBlock()
	case "rollback":
		if lower == toCheck { // nothing has changed since
			b.status = 'T'
			return "ROLLBACK", nil
		}
		t := b.tx
		b.tx, b.status = nil, 'I'
		b.finish(t, false)
		return "ROLLBACK", nil
	}
	if b.status == 'E' {
		return "", refused{code: "25P02", text: "current transaction is aborted"}
	}
	b.save()
	switch lower {
	case "savepoint reset", "savepoint pgrst_check":
		if b.status == 'I' {
			return "", refused{code: "25P01", text: "SAVEPOINT can only be used in transaction blocks"}
		}
	case "close all", "unlisten *", "discard sequences", "reset session authorization", constraints:
	case "reset all":
		clear(b.settings)
	case "select pg_catalog.pg_advisory_unlock_all()":
		b.locks = nil
	case "discard temp":
		b.temps = nil
	case "deallocate all":
		clear(b.prepared)
	default:
		b.node.w.violate("the database does not know the command %s", sql)
		return "", refused{code: "42601", text: "unknown command"}
	}
	return "OK", nil
}

func (b *backend) commitBlock() (tag string, err error) {
	switch b.status {
	case 'I': // with a warning
		return "COMMIT", b.commitImplicit()
	case 'E':
		b.status = 'I'
		b.finish(nil, false)
		return "ROLLBACK", nil
	}
	t := b.tx
	if err := b.commitFault(t); err != nil {
		// A block that cannot commit is over.
		b.tx, b.status = nil, 'I'
		b.finish(t, false)
		return "", err
	}
	b.tx, b.status = nil, 'I'
	b.finish(t, true)
	return "COMMIT", b.afterCommit(t)
}

// saved is what a transaction that is rolled back restores.
type saved struct {
	settings map[string]string
	temps    []string
}

// save keeps what a rollback restores, at the first statement of a transaction.
func (b *backend) save() {
	t := b.transaction()
	if t.saved == nil {
		t.saved = &saved{maps.Clone(b.settings), slices.Clone(b.temps)}
	}
}

func (b *backend) restore(s *saved) {
	if s != nil {
		b.settings, b.temps = s.settings, s.temps
	}
}
