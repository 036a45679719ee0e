package purity

import "strings"

// MaxSource is the length of a source in bytes above which it is not read.
const MaxSource = 256 << 10

// Use is what the source of a function uses.
type Use struct {
	// Unproven says why the statements of the source may leave something. It
	// is "" if they leave nothing by themselves: what they call still may.
	Unproven string
	// Text: the source may run text that is put together when it runs, or
	// otherwise do anything.
	Text bool
	// Writes: the relations it names may be written to.
	Writes bool

	Calls []Call // in the order of the source
	// Fields follow a dot: columns, and functions called like columns.
	Fields []string
	// Names are all names, which may be types and relations. Both lists are in
	// lower case and sorted, and have each name once.
	Names []string
}

// Call is a name with a parenthesis behind it.
type Call struct {
	Schema, Name string // Schema is "" where the search path decides
	// Local: it calls set_config, and makes a named setting for the
	// transaction only.
	Local bool
	// Syntax: it need not be a function. The word has a parenthesis in SQL, or
	// names a table or subquery with its columns.
	Syntax bool
}

// ReadSQL reads the source of an SQL function. strict: see lexer.
func ReadSQL(source string, strict bool) *Use {
	r := newReader(source, strict)
	for r.more() {
		if statement := r.until(";"); len(statement) > 0 {
			r.query(statement, false)
		}
	}
	return &r.use
}

// ReadPLpgSQL reads the source of a PL/pgSQL function.
func ReadPLpgSQL(source string, strict bool) *Use {
	r := newReader(source, strict)
	for r.more() {
		r.statement()
	}
	return &r.use
}

// reader reads the tokens of a source.
type reader struct {
	tokens []token
	pos    int
	use    Use
}

func newReader(source string, strict bool) *reader {
	r := &reader{}
	if len(source) > MaxSource {
		r.unproven("the source is too long", true)
		return r
	}
	r.tokens = make([]token, 0, len(source)/4)
	for l := (lexer{src: source, strict: strict}); ; {
		t := l.next()
		if t.kind == end {
			break
		}
		r.tokens = append(r.tokens, t)
	}
	r.mentions()
	return r
}

// unproven gives up the proof. text: the source may do anything.
func (r *reader) unproven(why string, text bool) {
	if r.use.Unproven == "" {
		r.use.Unproven = why
	}
	r.use.Text = r.use.Text || text
}

func (r *reader) more() bool { return r.use.Unproven == "" && r.pos < len(r.tokens) }

// peek returns the token i places further, kind end behind the last one.
func (r *reader) peek(i int) token {
	if r.pos+i < len(r.tokens) {
		return r.tokens[r.pos+i]
	}
	return token{}
}

// until returns what is before the next of the words outside of brackets, and
// steps over it and the word. Only the last statement of an SQL function may
// end without one.
func (r *reader) until(word string) []token {
	depth, start := 0, r.pos
	for ; r.pos < len(r.tokens); r.pos++ {
		t := r.tokens[r.pos]
		switch {
		case t.is("("), t.is("["):
			depth++
		case t.is(")"), t.is("]"):
			depth--
		case depth == 0 && t.is(word):
			r.pos++
			return r.tokens[start : r.pos-1]
		case t.is(";"):
			r.unproven("a statement ends early", true)
		}
		if depth < 0 {
			r.unproven("brackets do not match", true)
		}
	}
	if depth != 0 || word != ";" {
		r.unproven("a statement has no end", true)
	}
	return r.tokens[start:]
}

// verbs begin statements that read and write rows and leave nothing else.
var verbs = wordSet("select insert update delete merge values with table")

// query checks a statement. variables: INTO names variables of PL/pgSQL;
// otherwise it makes a table.
func (r *reader) query(t []token, variables bool) {
	first := token{}
	if len(t) > 0 {
		first = t[0]
	}
	switch {
	case first.is("("):
	case first.kind == word && verbs[first.text]:
	default:
		r.unproven("statement "+first.text, !transactional[first.text])
		return
	}
	depth, verb := 0, first.kind == word && first.text != "with"
	for i := range t {
		switch {
		case t[i].is("("), t[i].is("["):
			depth++
		case t[i].is(")"), t[i].is("]"):
			depth--
		case !t[i].is("into"):
		case t[i-1].is("insert") || t[i-1].is("merge"):
			// INSERT and MERGE stand at the beginning, at the beginning of a
			// subquery, or behind the subqueries of a WITH. Elsewhere they
			// are names, and INTO makes a table.
			if i > 1 && !t[i-2].is("(") && (verb || depth > 0 || !t[i-2].is(")")) {
				r.unproven("INTO", true)
			}
		case !variables:
			r.unproven("INTO", true)
		}
		verb = verb || depth == 0 && i+1 < len(t) && mainVerb(t[i], t[i+1])
	}
}

// mainVerb reports whether a word at the outer level of a WITH statement begins
// its main statement, so that a later INSERT INTO does not.
func mainVerb(t, next token) bool {
	return t.is("select") || t.is("update") || t.is("delete") || t.is("values") || t.is("table") ||
		(t.is("insert") || t.is("merge")) && !next.is("into")
}

// transactional statements may leave something, but run no text.
var transactional = wordSet("set reset listen unlisten notify lock discard open fetch move close")

// expression checks an expression, or several in whatever order.
func (r *reader) expression(t []token) {
	for i := range t {
		if t[i].is("into") {
			r.unproven("INTO", true)
		}
	}
}

func wordSet(words string) map[string]bool {
	set := map[string]bool{}
	for word := range strings.FieldsSeq(words) {
		set[word] = true
	}
	return set
}

func fold(name string) string { return strings.ToLower(name) }
