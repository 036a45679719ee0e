package server

import (
	"encoding/json"
	"sort"
	"strconv"
	"strings"

	"github.com/fastgrest/fastgrest/pgwire"
)

// serverProblem is an error PostgreSQL reported, with the status its SQLSTATE
// stands for. With two kinds of codes the database chooses: with PTxyz the status,
// with PGRST the whole response.
func serverProblem(e *pgwire.Error, authenticated bool) *problem {
	if e.Code == "PGRST" {
		return raised(e)
	}
	p := &problem{
		code: e.Code, message: e.Message,
		details: e.Detail, hasDetails: e.Detail != "",
		hint: e.Hint, hasHint: e.Hint != "",
	}
	if status, ok := chosenStatus(e.Code); ok {
		p.status, p.statusText = status, e.Message
	} else {
		p.status = statusOf(e, authenticated)
	}
	if p.status == 401 {
		p.headers = append(p.headers, [2]string{"WWW-Authenticate", "Bearer"})
	}
	return p
}

// chosenStatus reads PTxyz.
func chosenStatus(code string) (int, bool) {
	digits, ok := strings.CutPrefix(code, "PT")
	n, err := strconv.Atoi(digits)
	return n, ok && err == nil && isStatus(n)
}

// statusByClass maps the first characters of a SQLSTATE to a status; the
// longest match counts (PostgreSQL documentation, appendix A).
var statusByClass = map[string]int{
	"08": 503, "09": 500, "0L": 403, "0P": 403,
	pgwire.ForeignKeyViolation: 409, pgwire.UniqueViolation: 409,
	pgwire.ReadOnlySQLTransaction: 405, "25": 500,
	"28": 403, "2D": 500,
	"38": 500, "39": 500, "3B": 500,
	"40":                              500,
	pgwire.ConfigurationLimitExceeded: 500, "53": 503, "54": 500, "55": 500,
	pgwire.AdminShutdown: 503, "57": 500, "58": 500,
	"F0": 500, "HV": 500,
	pgwire.RaiseException: 400, "P0": 500, "PT": 500,
	"XX":                  500,
	pgwire.UndefinedTable: 404, pgwire.InvalidObjectDefinition: 500,
}

func statusOf(e *pgwire.Error, authenticated bool) int {
	switch e.Code {
	case pgwire.CardinalityViolation:
		if strings.HasSuffix(e.Message, "requires a WHERE clause") {
			return 400 // pg-safeupdate: the client's fault
		}
		return 500
	case pgwire.InvalidParameterValue:
		if strings.HasPrefix(e.Message, "role") && strings.HasSuffix(e.Message, "does not exist") {
			return 401 // the role of the token
		}
		return 400
	case pgwire.UndefinedFunction:
		if strings.HasPrefix(e.Message, "function xmlagg(") {
			return 406
		}
		return 404
	case pgwire.InsufficientPrivilege:
		if authenticated {
			return 403
		}
		return 401
	}
	for _, n := range [...]int{5, 2} {
		if len(e.Code) >= n {
			if status, ok := statusByClass[e.Code[:n]]; ok {
				return status
			}
		}
	}
	return 400
}

// raised is an error with SQLSTATE PGRST. Its message and detail are JSON, and
// make the whole response.
func raised(e *pgwire.Error) *problem {
	bad := func(details, hint string) *problem {
		return newProblem(500, "PGRST121", `Could not parse JSON in the "RAISE SQLSTATE 'PGRST'" error`).withDetails(details).withHint(hint)
	}
	const messageHint = "MESSAGE must be a JSON object with obligatory keys: 'code', 'message' and optional keys: 'details', 'hint'."
	const detailHint = "DETAIL must be a JSON object with obligatory keys: 'status', 'headers' and optional key: 'status_text'."
	var m struct {
		Code, Message, Details, Hint *string
	}
	if !strictObject(e.Message, map[string]any{"code": &m.Code, "message": &m.Message, "details": &m.Details, "hint": &m.Hint}) || m.Code == nil || m.Message == nil {
		return bad("Invalid JSON value for MESSAGE: '"+e.Message+"'", messageHint)
	}
	if e.Detail == "" {
		return bad("DETAIL is missing in the RAISE statement", detailHint)
	}
	var d struct {
		Status  *json.Number
		Text    *string
		Headers *map[string]string
	}
	if !strictObject(e.Detail, map[string]any{"status": &d.Status, "status_text": &d.Text, "headers": &d.Headers}) || d.Status == nil || d.Headers == nil {
		return bad("Invalid JSON value for DETAIL: '"+e.Detail+"'", detailHint)
	}
	status, err := strconv.ParseInt(d.Status.String(), 10, 64)
	if err != nil {
		f, ferr := d.Status.Float64()
		if ferr != nil || f != float64(int64(f)) {
			return bad("Invalid JSON value for DETAIL: '"+e.Detail+"'", detailHint)
		}
		status = int64(f)
	}
	if !isStatus(int(status)) {
		return bad("Invalid JSON value for DETAIL: '"+e.Detail+"'", "The 'status' must be a number from 100 to 999.")
	}
	p := newProblem(int(status), *m.Code, *m.Message)
	if m.Details != nil {
		p.withDetails(*m.Details)
	}
	if m.Hint != nil {
		p.withHint(*m.Hint)
	}
	if d.Text != nil {
		p.statusText = *d.Text
	}
	for name, value := range *d.Headers {
		if !isHeaderName(name) {
			return bad("Invalid JSON value for DETAIL: '"+e.Detail+"'", detailHint)
		}
		p.headers = append(p.headers, [2]string{name, value})
	}
	sort.Slice(p.headers, func(i, j int) bool { return p.headers[i][0] < p.headers[j][0] })
	return p
}

// strictObject decodes the members of a JSON object by their exact names.
func strictObject(text string, members map[string]any) bool {
	var object map[string]json.RawMessage
	if json.Unmarshal([]byte(text), &object) != nil || object == nil {
		return false
	}
	for name, target := range members {
		raw, ok := object[name]
		if !ok {
			continue
		}
		if _, isNumber := target.(**json.Number); isNumber && raw[0] == '"' {
			return false // json.Number would also take a number in quotes
		}
		if json.Unmarshal(raw, target) != nil {
			return false
		}
	}
	return true
}
