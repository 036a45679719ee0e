package sqlgen

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/fastgrest/fastgrest/planner/catalog"
)

// ArgKind says where the value of a parameter comes from.
type ArgKind uint8

const (
	ArgValue    ArgKind = iota // Query.Values[Index]
	ArgLimit                   // number of rows of range Index (see tree.Limit.Range)
	ArgOffset                  // first row of range Index
	ArgBody                    // the request body, or the JSON made of it
	ArgCall                    // argument Index of the call (see Statement.Names)
	ArgVariadic                // all values of argument Index of the call, as an array
	ArgSetting                 // the request's value of a setting; Index is SettingRole and so on
	ArgApp                     // the value of the app setting Index
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

const (
	// MaxLength is how long a statement may be. The longest that are of use
	// write each of 1,600 columns several times. Clients can make PostgreSQL
	// read much more than they send: "*" is one byte.
	MaxLength = 4 << 20
	// MaxArgs is what the protocol's count of parameters can hold.
	MaxArgs = 1<<16 - 1
)

// TooLarge reports whether the statement is beyond its bounds. It is then of
// no use: its text may break off anywhere.
func (s *Statement) TooLarge() bool { return len(s.SQL) > MaxLength || len(s.Args) > MaxArgs }

// Writer builds one statement. The zero value is ready.
type Writer struct {
	buf   strings.Builder
	args  []Arg
	index map[Arg]int // of args, once there are many
	names []string
	json  bool // embeds stay json, see JSONColumns, and some are subqueries, see InSelect

	records Records
}

// Statement returns what was written.
func (w *Writer) Statement() Statement {
	return Statement{SQL: w.buf.String(), Args: w.args, Names: w.names}
}

// S writes constant SQL. It is for text that stands in this package's source.
func (w *Writer) S(parts ...string) {
	for _, p := range parts {
		w.text(p)
	}
}

// text is where all text goes. Once a statement is too large it takes no more.
// (It lets through what a statement of the greatest length may grow by when
// the conversion of its columns is added.)
func (w *Writer) text(s string) {
	if w.buf.Len() <= MaxLength+MaxLength/4 {
		w.buf.WriteString(s)
	}
}

// Int writes a number.
func (w *Writer) Int(n int64) { w.text(strconv.FormatInt(n, 10)) }

// Param writes the parameter for a. The same Arg is the same parameter
// wherever it occurs in the statement.
func (w *Writer) Param(a Arg) {
	w.text("$")
	w.Int(int64(w.number(a) + 1))
}

// number returns the position of a among the arguments, the last one if it is new.
func (w *Writer) number(a Arg) int {
	if w.index == nil {
		if i := slices.Index(w.args, a); i >= 0 {
			return i
		}
		if len(w.args) == fewArgs {
			w.index = make(map[Arg]int, 4*fewArgs)
			for i, have := range w.args {
				w.index[have] = i
			}
		}
	} else if i, ok := w.index[a]; ok {
		return i
	}
	w.args = append(w.args, a)
	if w.index != nil {
		w.index[a] = len(w.args) - 1
	}
	return len(w.args) - 1
}

// fewArgs is how many are found faster by looking at all of them.
const fewArgs = 16

// CallArg writes the parameter for the call argument of that name.
func (w *Writer) CallArg(kind ArgKind, name string) {
	i := slices.Index(w.names, name)
	if i < 0 {
		i = len(w.names)
		w.names = append(w.names, name)
	}
	w.Param(Arg{kind, int32(i)})
}

// Ident writes a quoted identifier.
func (w *Writer) Ident(name string) { w.text(Ident(name)) }

// Lit writes a quoted string constant of unknown type.
func (w *Writer) Lit(s string) { w.text(Literal(s)) }

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

// anyStrings makes an expression that PostgreSQL printed while
// standard_conforming_strings was on mean the same when it is off: plain
// constants with a backslash become escape constants.
func anyStrings(expression string) string {
	if !strings.Contains(expression, `\`) {
		return expression
	}
	return quoted.ReplaceAllStringFunc(expression, func(part string) string {
		if part[0] != '\'' || !strings.Contains(part, `\`) {
			return part
		}
		return `E` + strings.ReplaceAll(part, `\`, `\\`)
	})
}

// quoted matches a constant or an identifier in quotes.
var quoted = regexp.MustCompile(`(?:\b[Ee])?'(?:[^']|'')*'|"(?:[^"]|"")*"`)

func cutNUL(s string) string {
	if i := strings.IndexByte(s, 0); i >= 0 {
		return s[:i]
	}
	return s
}
