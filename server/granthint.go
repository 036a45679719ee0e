package server

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/fastgrest/fastgrest/pgwire"
	"github.com/fastgrest/fastgrest/planner/sqlgen"
	"github.com/fastgrest/fastgrest/server/config"
	"github.com/fastgrest/fastgrest/server/exec"
)

// Hints about missing privileges, with client-error-hints = "grant".

var missingPrivileges = pgwire.NewStmt(sqlgen.MissingPrivileges)

// hintTime is the time after which a hint is given up.
const hintTime = 2 * time.Second

var errNoHint = errors.New("the hint took too long")

// addGrantHint adds the privilege that the request did not have. It asks the database in a transaction of its own. The
// problem stays as it is if the setting is off, if it has a hint, or if no privilege on what the request names is
// missing: then a view, a function, a trigger or a policy needs it, and those objects are not to be told.
func (rq *request) addGrantHint(p *problem, err error) {
	c := rq.snap.config
	if c.ClientErrorHints != config.GrantHints || p.hasHint || c.ClientErrorVerbosity != config.Verbose || rq.ctx.IsHead() {
		return
	}
	var refused *pgwire.Error
	if rq.call.Plan == nil || !errors.As(err, &refused) || !lacksPrivilege(refused) {
		return
	}
	needs := rq.exposedNeeds()
	if len(needs) == 0 {
		return
	}
	list, err := json.Marshal(needs)
	if err != nil {
		return
	}
	if hint := rq.askGrant(list, refused.Message); hint != "" {
		p.withHint(hint)
	}
}

// lacksPrivilege reports whether PostgreSQL's check of privileges has raised the error, for the statement itself. Row
// security and RAISE use the same SQLSTATE. Where is set for errors inside of functions.
func lacksPrivilege(e *pgwire.Error) bool {
	return e.Code == pgwire.InsufficientPrivilege && e.Where == "" && (e.Routine == "aclcheck_error" || e.Routine == "nextval_internal")
}

// need is a planner.Need for sqlgen.MissingPrivileges.
type need struct {
	Place     int      `json:"place"`
	Schema    string   `json:"schema"`
	Name      string   `json:"name"`
	Privilege string   `json:"privilege"`
	Columns   []string `json:"columns"`
	Types     []string `json:"types"`
}

// exposedNeeds returns what the plan needs in exposed schemas.
func (rq *request) exposedNeeds() (list []need) {
	for i, n := range rq.call.Plan.Needs(rq.snap.planner.Catalog()) {
		if slices.Contains(rq.snap.config.DBSchemas, n.Object.Schema) {
			list = append(list, need{i, n.Object.Schema, n.Object.Name, n.Privilege, orEmpty(n.Columns), orEmpty(n.Types)})
		}
	}
	return list
}

func orEmpty(list []string) []string { return append([]string{}, list...) }

// askGrant returns the hint for the first missing privilege on an object that the message of the error names, or "".
func (rq *request) askGrant(needs []byte, message string) (hint string) {
	x := rq.server.engine.New() // that of the request has what is to be logged
	call := rq.call
	call.Plan = exec.Inspection
	defer time.AfterFunc(hintTime, func() { x.Abandon(errNoHint, true) }).Stop()
	question := exec.Question{Stmt: missingPrivileges, Arg: needs, Take: func(values [][]byte) bool {
		if hint == "" && names(message, string(values[0])) {
			hint = string(values[1])
		}
		return true
	}}
	if err := x.Ask(rq.snap.rules, &call, []exec.Question{question}, func() { hint = "" }); err != nil {
		return ""
	}
	return hint
}

// names reports whether the message, in whatever language, has the name of the object as a whole.
func names(message, object string) bool {
	partOfName := func(c byte) bool {
		return c == '_' || c == '$' || '0' <= c && c <= '9' || 'a' <= c|0x20 && c|0x20 <= 'z'
	}
	for from := 0; object != ""; {
		i := strings.Index(message[from:], object)
		if i < 0 {
			return false
		}
		start, end := from+i, from+i+len(object)
		if (start == 0 || !partOfName(message[start-1])) && (end == len(message) || !partOfName(message[end])) {
			return true
		}
		from = start + 1
	}
	return false
}
