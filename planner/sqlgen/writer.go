package sqlgen

import (
	"strconv"
	"strings"

	"github.com/fastgrest/fastgrest/planner/catalog"
)

// ArgKind says where the value of a parameter comes from.
type ArgKind uint8

const (
	ArgValue      ArgKind = iota // Query.Values[Index]
	ArgLimit                     // number of rows of range Index (see tree.Limit.Range)
	ArgOffset                    // first row of range Index
	ArgBody                      // the request body, or the JSON made of it
	ArgCall                      // argument Index of the call (see Statement.Names)
	ArgVariadic                  // all values of argument Index of the call, as an array
	ArgCallObject                // all arguments of the call as one JSON object
)

// Arg is one parameter of a statement.
type Arg struct {
	Kind  ArgKind
	Index int32
}

// Statement is SQL text and its parameters: Args[i] is the value of $i+1.
type Statement struct {
	SQL   string
	Args  []Arg
	Names []string // names of call arguments, by Arg.Index
}

// Writer builds one statement. The zero value is ready.
type Writer struct {
	buf   strings.Builder
	args  []Arg
	names []string
}

// Statement returns what was written.
func (w *Writer) Statement() Statement {
	return Statement{SQL: w.buf.String(), Args: w.args, Names: w.names}
}

// S writes constant SQL. It is for text that stands in this package's source.
func (w *Writer) S(parts ...string) {
	for _, p := range parts {
		w.buf.WriteString(p)
	}
}

// Int writes a number.
func (w *Writer) Int(n int64) { w.buf.WriteString(strconv.FormatInt(n, 10)) }

// Param writes the parameter for a. The same Arg is the same parameter
// wherever it occurs in the statement.
func (w *Writer) Param(a Arg) {
	n := -1
	for i, have := range w.args {
		if have == a {
			n = i
			break
		}
	}
	if n < 0 {
		n = len(w.args)
		w.args = append(w.args, a)
	}
	w.buf.WriteByte('$')
	w.buf.WriteString(strconv.Itoa(n + 1))
}

// CallArg writes the parameter for the call argument of that name.
func (w *Writer) CallArg(kind ArgKind, name string) {
	i := -1
	for j, have := range w.names {
		if have == name {
			i = j
		}
	}
	if i < 0 {
		i = len(w.names)
		w.names = append(w.names, name)
	}
	w.Param(Arg{kind, int32(i)})
}

// Ident writes a quoted identifier.
func (w *Writer) Ident(name string) { w.buf.WriteString(Ident(name)) }

// Lit writes a quoted string constant of unknown type.
func (w *Writer) Lit(s string) { w.buf.WriteString(Literal(s)) }

// Name writes a qualified identifier.
func (w *Writer) Name(q catalog.QI) {
	if q.Schema != "" {
		w.Ident(q.Schema)
		w.S(".")
	}
	w.Ident(q.Name)
}

// Ident quotes an identifier (PostgreSQL documentation, 4.1.1). Nothing else
// in the project puts a name into SQL. A name ends at its first NUL, which
// PostgreSQL could not take anyway.
func Ident(name string) string {
	name = cutNUL(name)
	return `"` + strings.ReplaceAll(name, `"`, `""`) + `"`
}

// Literal quotes a string constant (PostgreSQL documentation, 4.1.2.1 and
// 4.1.2.2) so that it reads the same whatever standard_conforming_strings is.
// Nothing else in the project puts a constant into SQL.
func Literal(s string) string {
	s = strings.ReplaceAll(cutNUL(s), `'`, `''`)
	if strings.Contains(s, `\`) {
		return `E'` + strings.ReplaceAll(s, `\`, `\\`) + `'`
	}
	return `'` + s + `'`
}

func cutNUL(s string) string {
	if i := strings.IndexByte(s, 0); i >= 0 {
		return s[:i]
	}
	return s
}
