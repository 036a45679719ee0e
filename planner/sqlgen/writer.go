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
	ArgValue       ArgKind = iota // Query.Values[Index]
	ArgLimit                      // number of rows of range Index (see tree.Limit.Range)
	ArgOffset                     // first row of range Index
	ArgBody                       // the request body, or the JSON made of it
	ArgCall                       // argument Index of the call (see Statement.Names)
	ArgVariadic                   // all values of argument Index of the call, as an array
	ArgSetting                    // the request's value of a setting; Index is SettingRole and so on
	ArgApp                        // the value of the app setting Index
	ArgLimitAndOne                // one more than ArgLimit
	ArgAfter                      // value Index of the cursor
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
	// MaxLength is the maximum length of a statement in bytes. The longest
	// useful statements write each of 1,600 columns several times. A short
	// request can make a long statement: "*" is one byte.
	MaxLength = 4 << 20
	// MaxArgs is the maximum number of parameters in the protocol.
	MaxArgs = 1<<16 - 1
)

// TooLarge reports whether the statement exceeds MaxLength or MaxArgs. It must
// then not be used, because its text may be cut off.
func (s *Statement) TooLarge() bool { return len(s.SQL) > MaxLength || len(s.Args) > MaxArgs }

// Writer builds one statement. The zero value is ready.
type Writer struct {
	buf   strings.Builder
	args  []Arg
	index map[Arg]int // positions in args; built once there are many
	names []string
	json  bool // embeds stay json (see JSONColumns), and some are subqueries (see InSelect)

	records    Records
	merged     bool // operands are columns, see Merged
	sourceArgs int  // number of args of pgrst_source
}

// Statement returns the statement that has been written.
func (w *Writer) Statement() Statement {
	return Statement{SQL: w.buf.String(), Args: w.args, Names: w.names}
}

// S writes SQL text. Names go through Ident, constants through Literal.
func (w *Writer) S(parts ...string) {
	for _, p := range parts {
		w.text(p)
	}
}

// text writes text; all other methods use it. It drops text once the statement
// is too large. The margin above MaxLength is for the conversion of columns,
// which may be added to a statement of that length.
func (w *Writer) text(s string) {
	if !w.full() {
		w.buf.WriteString(s)
	}
}

// full reports whether text is dropped. Loops whose product a client chooses end then.
func (w *Writer) full() bool { return w.buf.Len() > MaxLength+MaxLength/4 }

// param returns the parameter for a. Equal Args are one parameter in the whole
// statement. But operands of a write's own filters are not those of its response:
// one operand is compared with columns of two relations there, which may have two
// types.
func (w *Writer) param(a Arg) string {
	n := w.number(a)
	if w.merged && a.Kind == ArgValue {
		return MergedName + "." + operandColumn(n)
	}
	return "$" + strconv.Itoa(n+1)
}

// number returns the position of a in args. It appends a if it is new.
func (w *Writer) number(a Arg) int {
	first := 0
	if a.Kind == ArgValue {
		first = w.sourceArgs
	}
	if w.index == nil {
		if i := slices.Index(w.args[first:], a); i >= 0 {
			return first + i
		}
		if len(w.args) == fewArgs {
			w.index = make(map[Arg]int, 4*fewArgs)
			for i, have := range w.args {
				w.index[have] = i
			}
		}
	} else if i, ok := w.index[a]; ok && i >= first {
		return i
	}
	w.args = append(w.args, a)
	if w.index != nil {
		w.index[a] = len(w.args) - 1
	}
	return len(w.args) - 1
}

// fewArgs is the number of args up to which a linear search is faster than the
// map.
const fewArgs = 16

// callArg returns the parameter for the call argument with this name.
func (w *Writer) callArg(kind ArgKind, name string) string {
	i := slices.Index(w.names, name)
	if i < 0 {
		i = len(w.names)
		w.names = append(w.names, name)
	}
	return w.param(Arg{kind, int32(i)})
}

// between returns a function that writes first when it is called for the first
// time, and then separator.
func (w *Writer) between(first, separator string) func() {
	next := first
	return func() {
		w.text(next)
		next = separator
	}
}

// list returns the texts of items, with commas between them.
func list[T any](items []T, text func(*T) string) string {
	texts := make([]string, len(items))
	for i := range items {
		texts[i] = text(&items[i])
	}
	return strings.Join(texts, ", ")
}

func identList(names []string) string {
	return list(names, func(name *string) string { return Ident(*name) })
}

// qualified returns a quoted name, with its schema if it has one.
func qualified(q catalog.QI) string {
	if q.Schema == "" {
		return Ident(q.Name)
	}
	return Ident(q.Schema) + "." + Ident(q.Name)
}

// Ident quotes an identifier (PostgreSQL documentation, 4.1.1). It is the only
// function of the project that puts names into SQL. It cuts the name at its
// first NUL, which PostgreSQL cannot store.
func Ident(name string) string {
	name = cutNUL(name)
	return `"` + strings.ReplaceAll(name, `"`, `""`) + `"`
}

// Literal quotes a string constant (PostgreSQL documentation, 4.1.2.1 and
// 4.1.2.2). The constant reads the same under both values of
// standard_conforming_strings. Literal is the only function of the project that
// puts constants into SQL.
func Literal(s string) string {
	s = strings.ReplaceAll(cutNUL(s), `'`, `''`)
	if strings.Contains(s, `\`) {
		return `E'` + strings.ReplaceAll(s, `\`, `\\`) + `'`
	}
	return `'` + s + `'`
}

// escapeStrings rewrites an expression that PostgreSQL printed with
// standard_conforming_strings on. The result means the same when the setting is
// off: plain constants with a backslash become escape constants (E'...').
func escapeStrings(expression string) string {
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

// quoted matches a quoted constant or a quoted identifier.
var quoted = regexp.MustCompile(`(?:\b[Ee])?'(?:[^']|'')*'|"(?:[^"]|"")*"`)

func cutNUL(s string) string {
	if i := strings.IndexByte(s, 0); i >= 0 {
		return s[:i]
	}
	return s
}
