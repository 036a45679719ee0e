package check

import (
	"slices"
	"strings"
)

// An expression of a policy, as pg_get_expr prints it, is read as nested groups in parentheses. A group is constant if
// its value is the same for all rows: it has constants, operators, casts and calls of functions whose arguments are
// constant, and no name of a column. A call of a STABLE or VOLATILE function in a constant group is made for each row,
// unless the group is a subquery without FROM, which PostgreSQL turns into an InitPlan.

// group is what stands in a pair of parentheses, or the whole expression. start and end are positions in the text,
// with the parentheses and, in front of them, the name of the function that is called.
type group struct {
	start, end int
	call       string // name of the function; "" for other parentheses
	variable   bool   // has the name of a column, or a subquery
	initPlan   bool   // is a subquery without FROM
	own        bool   // is a call that is to be hoisted
	hoistable  bool   // is or has such a call
	inside     []*group
}

// hoistCalls puts calls of the functions, and those of current_setting, into subqueries. It returns the rewritten
// expression and the name of the first function, or "" if there is nothing to do.
func hoistCalls(text string, functions []string) (rewritten, first string) {
	r := &exprReader{text: text, functions: functions}
	root := r.group(0, "")
	var spans []*group
	collect(root, &spans)
	if len(spans) == 0 {
		return text, ""
	}
	var b strings.Builder
	last := 0
	for _, g := range spans {
		b.WriteString(text[last:g.start] + "( SELECT " + text[g.start:g.end] + ")")
		last = g.end
	}
	b.WriteString(text[last:])
	return b.String(), spans[0].firstCall()
}

// firstCall returns the name of the first function that is to be hoisted.
func (g *group) firstCall() string {
	if g.own {
		return g.call
	}
	for _, inner := range g.inside {
		if !inner.initPlan && inner.hoistable {
			return inner.firstCall()
		}
	}
	return ""
}

// collect finds the largest constant groups with calls.
func collect(g *group, spans *[]*group) {
	switch {
	case g.initPlan || !g.hoistable:
	case !g.variable:
		*spans = append(*spans, g)
	default:
		for _, inner := range g.inside {
			collect(inner, spans)
		}
	}
}

type exprReader struct {
	text      string
	pos       int
	functions []string
}

// keywords may stand in a constant expression, as PostgreSQL prints them. Any other word that is neither a type behind
// :: nor a function is taken for a column.
var keywords = []string{"true", "false", "NULL", "AND", "OR", "NOT", "IS", "UNKNOWN", "IN", "ANY", "ALL", "ARRAY", "CASE", "WHEN", "THEN", "ELSE", "END",
	"DISTINCT", "FROM", "CURRENT_USER", "SESSION_USER", "USER", "CURRENT_ROLE", "CURRENT_DATE", "CURRENT_TIMESTAMP", "LOCALTIMESTAMP",
	"SIMILAR", "LIKE", "ILIKE", "BETWEEN", "AT", "TIME", "ZONE", "COLLATE", "ROW", "TRUE", "FALSE"}

// volatile are functions of PostgreSQL with another result for each row.
var volatile = []string{"random", "gen_random_uuid", "clock_timestamp", "timeofday", "nextval"}

// group reads up to the closing parenthesis, or the end.
func (r *exprReader) group(start int, call string) *group {
	g := &group{start: start, call: call}
	words := 0
	subquery, from := false, false
	cast := false // the next word is the name of a type
	for r.pos < len(r.text) {
		c := r.text[r.pos]
		switch {
		case c == ')':
			r.pos++
			return r.close(g, subquery, from)
		case c == '(':
			at := r.pos
			r.pos++
			g.add(r.group(at, ""))
		case c == '\'':
			r.skipQuoted('\'')
			cast = false
		case c == ':':
			cast = strings.HasPrefix(r.text[r.pos:], "::")
			r.pos++
			if cast {
				r.pos++
			}
		case c == '"' || isLetter(c):
			at := r.pos
			name := r.name()
			words++
			switch {
			case r.pos < len(r.text) && r.text[r.pos] == '(' && !cast:
				r.pos++
				g.add(r.group(at, name))
			case r.pos < len(r.text) && r.text[r.pos] == '\'': // E'...'
			case cast:
				r.typeRest()
				cast = false
			case words == 1 && name == "SELECT":
				subquery = true
			case name == "FROM" && subquery:
				from = true
			case name == "AS" && subquery: // the name of the column follows
				r.skipSpace()
				r.name()
			case !slices.Contains(keywords, name):
				g.variable = true
			}
		default:
			r.pos++
		}
	}
	return r.close(g, subquery, from)
}

func (g *group) add(inner *group) {
	g.inside = append(g.inside, inner)
	g.variable = g.variable || inner.variable
	g.hoistable = g.hoistable || inner.hoistable
}

func (r *exprReader) close(g *group, subquery, from bool) *group {
	g.end = r.pos
	g.initPlan = subquery && !from
	g.variable = g.variable || from || slices.Contains(volatile, g.call)
	g.own = !g.variable && g.call != "" && (g.call == "current_setting" || slices.Contains(r.functions, g.call))
	g.hoistable = (g.hoistable || g.own) && !g.initPlan
	return g
}

// name reads a name, perhaps with a schema.
func (r *exprReader) name() string {
	start := r.pos
	for r.pos < len(r.text) {
		switch c := r.text[r.pos]; {
		case c == '"':
			r.skipQuoted('"')
		case isLetter(c) || c == '.' || c >= '0' && c <= '9' || c == '$':
			r.pos++
		default:
			return r.text[start:r.pos]
		}
	}
	return r.text[start:r.pos]
}

// typeRest reads what may follow the first word of a type: more words, a length, brackets.
func (r *exprReader) typeRest() {
	for _, more := range []string{" precision", " varying", " without time zone", " with time zone"} {
		if strings.HasPrefix(r.text[r.pos:], more) {
			r.pos += len(more)
		}
	}
	if r.pos < len(r.text) && r.text[r.pos] == '(' {
		if end := strings.IndexByte(r.text[r.pos:], ')'); end >= 0 {
			r.pos += end + 1
		}
	}
}

// skipQuoted skips a constant or a quoted name. A doubled quote stands for itself.
func (r *exprReader) skipQuoted(quote byte) {
	escapes := quote == '\'' && r.pos > 0 && r.text[r.pos-1] == 'E'
	for r.pos++; r.pos < len(r.text); r.pos++ {
		switch c := r.text[r.pos]; {
		case c == '\\' && escapes:
			r.pos++
		case c == quote:
			if r.pos+1 < len(r.text) && r.text[r.pos+1] == quote {
				r.pos++
				continue
			}
			r.pos++
			return
		}
	}
}

func (r *exprReader) skipSpace() {
	for r.pos < len(r.text) && (r.text[r.pos] == ' ' || r.text[r.pos] == '\n') {
		r.pos++
	}
}

func isLetter(c byte) bool { return c == '_' || c|0x20 >= 'a' && c|0x20 <= 'z' || c >= 0x80 }
