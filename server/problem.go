package server

import (
	"errors"
	"io/fs"
	"strconv"
	"strings"

	"github.com/fastgrest/fastgrest/parser"
	"github.com/fastgrest/fastgrest/parser/body"
	"github.com/fastgrest/fastgrest/parser/jsontext"
	"github.com/fastgrest/fastgrest/pgwire"
	"github.com/fastgrest/fastgrest/pgwire/pool"
	"github.com/fastgrest/fastgrest/planner"
	"github.com/fastgrest/fastgrest/planner/catalog"
	"github.com/fastgrest/fastgrest/server/auth"
	"github.com/fastgrest/fastgrest/server/batch"
	"github.com/fastgrest/fastgrest/server/clients"
	"github.com/fastgrest/fastgrest/server/config"
	"github.com/fastgrest/fastgrest/server/exec"
	"github.com/fastgrest/fastgrest/server/spool"
)

// problem is an error as the client sees it (PostgREST's documentation,
// references/errors). It is an error itself, for the conditions that arise in
// this package.
type problem struct {
	status     int
	statusText string // "" for the standard text
	code       string
	message    string
	details    string // with hasDetails: text, or JSON if rawDetails
	hint       string
	hasDetails bool
	rawDetails bool
	hasHint    bool
	headers    [][2]string
	retryAfter int // seconds, of 503; 0: until the database is tried again
}

func (p *problem) Error() string { return p.code + ": " + p.message }

func (p *problem) withDetails(s string) *problem { p.details, p.hasDetails = s, true; return p }
func (p *problem) withHint(s string) *problem    { p.hint, p.hasHint = s, true; return p }

func newProblem(status int, code, message string) *problem {
	return &problem{status: status, code: code, message: message}
}

// appendJSON appends the error object. Its keys are in the order PostgREST's
// encoder gives them.
func (p *problem) appendJSON(dst []byte, v config.Verbosity) []byte {
	dst = append(dst, `{"code":`...)
	dst = jsontext.AppendString(dst, p.code)
	if v == config.Verbose {
		dst = append(dst, `,"details":`...)
		switch {
		case !p.hasDetails:
			dst = append(dst, "null"...)
		case p.rawDetails:
			dst = append(dst, p.details...)
		default:
			dst = jsontext.AppendString(dst, p.details)
		}
		dst = append(dst, `,"hint":`...)
		if p.hasHint {
			dst = jsontext.AppendString(dst, p.hint)
		} else {
			dst = append(dst, "null"...)
		}
	}
	dst = append(dst, `,"message":`...)
	dst = jsontext.AppendString(dst, p.message)
	return append(dst, '}')
}

// Conditions of this package.
var (
	errNoCatalog       = newProblem(503, "PGRST002", "Could not query the database for the schema cache. Retrying.")
	errAcquire         = newProblem(504, "PGRST003", "Timed out acquiring connection from connection pool.")
	errHeadersSetting  = newProblem(500, "PGRST111", "response.headers guc must be a JSON array composed of objects with a single key and a string value")
	errStatusSetting   = newProblem(500, "PGRST112", "response.status guc must be a valid status code")
	errPutRange        = newProblem(400, "PGRST114", "limit/offset querystring parameters are not allowed for PUT")
	errPutKey          = newProblem(400, "PGRST115", "Payload values do not match URL in primary key column(s)")
	errPath            = newProblem(404, "PGRST125", "Invalid path specified in request URL")
	errRootDisabled    = newProblem(404, "PGRST126", "Root endpoint metadata is disabled")
	errLowerAboveUpper = rangeProblem("The lower boundary must be lower than or equal to the upper boundary in the Range header.")
	errNegativeLimit   = rangeProblem("Limit should be greater than or equal to zero.")
)

// errNoResponse is the error of a request whose flight was given up.
var errNoResponse = newProblem(504, "PGRSTX09", "The database did not answer in time.")

// errNoConnection is a connection lost during a request. It does not have the
// server's reason: PostgREST reports libpq's error of the attempt to roll back.
var errNoConnection = clientError("no connection to the server\n")

func clientError(details string) *problem {
	return newProblem(503, "PGRST001", "Database client error. Retrying the connection.").withDetails(details)
}

func rangeProblem(details string) *problem {
	return newProblem(416, "PGRST103", "Requested range not satisfiable").withDetails(details)
}

func outOfBounds(lower int64, total string) *problem {
	return rangeProblem("An offset of " + strconv.FormatInt(lower, 10) + " was requested, but there are only " + total + " rows.")
}

func rowsProblem(e *exec.RowsError) *problem {
	rows := strconv.FormatInt(e.Rows, 10)
	switch e.Rule {
	case exec.NotOneRow:
		return newProblem(406, "PGRST116", "Cannot coerce the result to a single JSON object").withDetails("The result contains " + rows + " rows")
	case exec.TooManyRows:
		return newProblem(400, "PGRST124", "Query result exceeds max-affected preference constraint").withDetails("The query affects " + rows + " rows")
	}
	return errPutKey
}

// inDoubt is the detail of an error after a write that may have been committed.
const inDoubt = "It is unknown whether the transaction was committed."

func doubtProblem(e *exec.DoubtError, authenticated bool) *problem {
	p := *problemOf(e.Err, authenticated)
	if p.details == "" {
		return p.withDetails(inDoubt)
	}
	return p.withDetails(strings.TrimRight(p.details, ".\n") + ". " + inDoubt)
}

// problemOf turns any error of the layers below into a problem. authenticated:
// the client's role is not the anonymous one, so that missing privileges are
// forbidden rather than unauthorized.
func problemOf(err error, authenticated bool) *problem {
	var (
		own     *problem
		syntax  *parser.Error
		payload *body.Error
		plan    *planner.Error
		token   *auth.Error
		server  *pgwire.Error
		conn    *pgwire.ConnError
		doubt   *exec.DoubtError
		rows    *exec.RowsError
		request *clients.BodyError
		parts   *batch.Error
		place   *body.PlaceError
	)
	switch {
	case errors.As(err, &doubt):
		return doubtProblem(doubt, authenticated)
	case errors.As(err, &own):
		return own
	case errors.As(err, &parts):
		return newProblem(400, "PGRSTX40", "The batch is not valid").withDetails(parts.Error())
	case errors.As(err, &rows):
		return rowsProblem(rows)
	case errors.As(err, &syntax):
		return newProblem(400, "PGRST100", syntax.Message).withDetails(syntax.Details)
	case errors.As(err, &payload):
		return newProblem(400, "PGRST102", payload.Error())
	case errors.As(err, &place):
		return placeProblem(place)
	case errors.As(err, &request):
		return bodyProblem(request)
	case errors.As(err, &plan):
		return planProblem(plan)
	case errors.As(err, &token):
		return tokenProblem(token)
	case errors.Is(err, spool.ErrFull):
		return noRoom(err)
	case errors.Is(err, pool.ErrAcquireTimeout), errors.Is(err, pool.ErrTooManyWaiting):
		return errAcquire
	case errors.As(err, &conn) && conn.Kind == pgwire.CannotConnect:
		return newProblem(503, "PGRST000", "Database connection error.").withDetails(conn.Error())
	case errors.As(err, &conn) && conn.Kind == pgwire.NoResponse:
		return errNoResponse
	case errors.As(err, &server) && server.Fatal(), errors.As(err, &conn) && (conn.Kind == pgwire.Lost || conn.Kind == pgwire.Closed):
		return errNoConnection
	case errors.As(err, &server):
		return serverProblem(server, authenticated)
	case errors.As(err, &conn):
		return clientError(conn.Error())
	}
	return newProblem(500, "PGRSTX00", err.Error())
}

// bodyProblem is an error of reading the request's body.
func bodyProblem(e *clients.BodyError) *problem {
	switch e.Fault {
	case clients.BodyTooLarge:
		return newProblem(413, "PGRSTX01", "Request body too large").
			withDetails("The limit is " + strconv.FormatInt(e.Limit, 10) + " bytes (server-max-body-size).")
	case clients.BodiesTooLarge:
		p := newProblem(503, "PGRSTX08", "Too many large request bodies at the same time").
			withDetails("The limit for all of them is " + strconv.FormatInt(e.Limit>>20, 10) + " MiB (bodies-max-size).")
		p.retryAfter = 1
		return p
	}
	return newProblem(400, "PGRSTX02", "The request body could not be read").withDetails(e.Err.Error())
}

// noRoom is the problem of a response for which there is no room. It leaves out the name
// of the file that could not be written.
func noRoom(err error) *problem {
	details := err.Error()
	var file *fs.PathError
	if errors.As(err, &file) {
		details = spool.ErrFull.Error() + ": " + file.Err.Error()
	}
	return newProblem(507, "PGRSTX03", "There is no room for a response of this size").withDetails(details)
}

func planProblem(e *planner.Error) *problem {
	switch e.Kind {
	case planner.TableNotFound:
		p := newProblem(404, "PGRST205", "Could not find the table '"+e.Schema+"."+e.Name+"' in the schema cache")
		if e.Suggestion != "" {
			p.withHint("Perhaps you meant the table '" + e.Schema + "." + e.Suggestion + "'")
		}
		return p
	case planner.ColumnNotFound:
		p := newProblem(400, "PGRST204", "Could not find the '"+e.Name+"' column of '"+e.Parent+"' in the schema cache")
		if e.Place != "" {
			p.withDetails(e.Place)
		}
		return p
	case planner.NoRelationship:
		details := "Searched for a foreign key relationship between '" + e.Parent + "' and '" + e.Name
		if e.HasEmbedHint {
			details += "' using the hint '" + e.EmbedHint
		}
		p := newProblem(400, "PGRST200", "Could not find a relationship between '"+e.Parent+"' and '"+e.Name+"' in the schema cache").
			withDetails(details + "' in the schema '" + e.Schema + "', but no matches were found.")
		if e.Suggestion != "" {
			p.withHint(e.Suggestion)
		}
		return p
	case planner.AmbiguousEmbed:
		p := newProblem(300, "PGRST201", "Could not embed because more than one relationship was found for '"+e.Parent+"' and '"+e.Name+"'").
			withDetails(relationshipsJSON(e.Relationships)).
			withHint(choiceHint(e))
		p.rawDetails = true
		return p
	case planner.NotEmbedded:
		p := newProblem(400, "PGRST108", "'"+e.Name+"' is not an embedded resource in this request")
		if e.IsLegacy {
			return p.withDetails("Target names are not allowed in filters if they have an alias").
				withHint("Change '" + e.LegacyName + "' to '" + e.LegacyAlias + "' in filters, orders or limits.")
		}
		return p.withHint("Verify that '" + e.Name + "' is included in the 'select' query parameter.")
	case planner.RelatedOrderNotToOne:
		return newProblem(400, "PGRST118", "A related order on '"+e.Name+"' is not possible").
			withDetails("'" + e.Parent + "' and '" + e.Name + "' do not form a many-to-one or one-to-one relationship")
	case planner.AggregatesDisabled:
		return newProblem(400, "PGRST123", "Use of aggregate functions is not allowed")
	case planner.NotImplemented:
		return newProblem(400, "PGRST127", "Feature not implemented").withDetails(e.Details)
	case planner.NotAcceptable:
		return newProblem(406, "PGRST107", "None of these media types are available: "+strings.Join(e.Accepted, ", "))
	case planner.InvalidPreferences:
		return newProblem(400, "PGRST122", "Invalid preferences given with handling=strict").
			withDetails("Invalid preferences: " + strings.Join(e.Preferences, ", "))
	case planner.InvalidPutFilters:
		return newProblem(405, "PGRST105", "Filters must include all and only primary key columns with 'eq' operators")
	case planner.RoutineNotFound:
		return routineNotFound(e)
	case planner.AmbiguousRoutine:
		return newProblem(300, "PGRST203", "Could not choose the best candidate function between: "+routineList(e.Routines)).
			withHint("Try renaming the parameters or the function itself in the database so function overloading can be resolved")
	case planner.DistinctOrder:
		return newProblem(400, "PGRSTX30", "The order of '"+e.Name+"' does not begin with the columns of distinct").
			withDetails("The order needs these columns first, in any sequence: " + e.Details).
			withHint("For example: order=" + e.Details)
	case planner.DistinctUnselected:
		return newProblem(400, "PGRSTX30", "The distinct rows of '"+e.Name+"' have no column '"+e.Details+"' to order them by").
			withHint("Add the column to select, or remove it from the order.")
	case planner.BulkKeyMissing:
		return keyMissing(strings.Join(e.Arguments, ", "))
	case planner.NoBulkKey:
		return newProblem(400, "PGRSTX31", "'"+e.Name+"' has no primary key to join the objects of a bulk update on").
			withHint("Name the columns of the key with on_conflict.")
	case planner.NoSuchUnique:
		return uniqueProblem("There is no constraint or index '"+e.Name+"' of '"+e.Parent+"' that on_conflict can use", e.Uniques)
	case planner.AmbiguousUnique:
		return uniqueProblem("Several partial unique indexes of '"+e.Parent+"' are on the columns ("+strings.Join(e.Arguments, ", ")+")", e.Uniques)
	case planner.UniqueUnfit:
		return newProblem(400, "PGRSTX33", "on_conflict cannot use '"+e.Name+"'").withDetails(e.Details)
	case planner.PageUnfit:
		p := pageProblem(e.Details)
		if e.Hint != "" {
			p.withHint(e.Hint)
		}
		return p
	case planner.OtherCursor:
		return errOtherCursor
	case planner.MaxAffectedOnSingle:
		return newProblem(400, "PGRST128", "Function must return SETOF or TABLE when max-affected preference is used with handling=strict")
	}
	return newProblem(500, "PGRSTX00", e.Error())
}

func routineNotFound(e *planner.Error) *problem {
	name := e.Schema + "." + e.Name
	arguments := strings.Join(e.Arguments, ", ")
	message := "Could not find the function " + name
	details := "Searched for the function " + name
	switch {
	case e.OnlyUnnamed:
		details += " with a single unnamed " + e.Unnamed + " parameter"
	case len(e.Arguments) == 0:
		message += " without parameters"
		details += " without parameters"
	default:
		message += "(" + arguments + ")"
		details += " with parameter"
		if len(e.Arguments) > 1 {
			details += "s"
		}
		details += " " + arguments
	}
	if !e.OnlyUnnamed && e.Unnamed != "" {
		details += " or with a single unnamed " + e.Unnamed + " parameter"
	}
	p := newProblem(404, "PGRST202", message+" in the schema cache").withDetails(details + ", but no matches were found in the schema cache.")
	if e.Suggestion != "" {
		p.withHint("Perhaps you meant to call the function " + e.Schema + "." + e.Suggestion)
	}
	return p
}

func routineList(routines []*catalog.Routine) string {
	var list []string
	for _, r := range routines {
		var params []string
		for _, p := range r.Params {
			params = append(params, p.Name+" => "+p.Type)
		}
		list = append(list, r.Schema+"."+r.Name+"("+strings.Join(params, ", ")+")")
	}
	return strings.Join(list, ", ")
}

// relationshipsJSON lists the candidates of an ambiguous embed for details.
func relationshipsJSON(rels []*catalog.Relationship) string {
	var list []any
	for _, r := range rels {
		cardinality, relationship := describe(r)
		list = append(list, map[string]any{
			"cardinality": cardinality, "embedding": r.Table.Name + " with " + r.Foreign.Name, "relationship": relationship,
		})
	}
	return string(jsontext.AppendValue(nil, list))
}

func describe(r *catalog.Relationship) (cardinality, relationship string) {
	if r.Cardinality == catalog.ManyToMany {
		j := r.Junction
		return "many-to-many", j.Table.Name + " using " + j.Constraint1 + columnList(j.Source, true) + " and " + j.Constraint2 + columnList(j.Target, true)
	}
	relationship = r.Constraint + " using " + r.Table.Name + columnList(r.Columns, false) + " and " + r.Foreign.Name + columnList(r.Columns, true)
	return [...]string{catalog.ManyToOne: "many-to-one", catalog.OneToMany: "one-to-many", catalog.OneToOne: "one-to-one", catalog.Computed: ""}[r.Cardinality], relationship
}

func columnList(pairs []catalog.ColumnPair, foreign bool) string {
	names := make([]string, len(pairs))
	for i, p := range pairs {
		if names[i] = p.Column; foreign {
			names[i] = p.Foreign
		}
	}
	return "(" + strings.Join(names, ", ") + ")"
}

func choiceHint(e *planner.Error) string {
	start := "Try changing '" + e.Name + "' to"
	if e.InColumns {
		start = "List the members of the body in the parameter 'columns', and there '" + e.Name + "' as"
	}
	return start + " one of the following: " + relationshipHints(e.Relationships) + ". Find the desired relationship in the 'details' key."
}

func relationshipHints(rels []*catalog.Relationship) string {
	hints := make([]string, 0, len(rels))
	for _, r := range rels {
		hint := r.Constraint
		if r.Cardinality == catalog.ManyToMany {
			hint = r.Junction.Table.Name
		}
		hints = append(hints, "'"+r.Foreign.Name+"!"+hint+"'")
	}
	return strings.Join(hints, ", ")
}

// tokenCodes are the codes of authentication errors, by group.
var tokenCodes = [...]struct {
	status int
	code   string
}{
	auth.GroupSecret: {500, "PGRST300"}, auth.GroupKeys: {503, "PGRSTX11"}, auth.GroupDecode: {401, "PGRST301"},
	auth.GroupRequired: {401, "PGRST302"}, auth.GroupClaims: {401, "PGRST303"},
}

func tokenProblem(e *auth.Error) *problem {
	c := tokenCodes[e.Kind.Group()]
	p := newProblem(c.status, c.code, e.Message)
	if e.Details != "" {
		p.withDetails(e.Details)
	}
	p.retryAfter = e.RetryAfter
	if challenge := e.Challenge(); challenge != "" {
		p.headers = append(p.headers, [2]string{"WWW-Authenticate", challenge})
	}
	return p
}
