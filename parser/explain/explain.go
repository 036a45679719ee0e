package explain

// Grammar is what a text was read as.
type Grammar uint8

const (
	TreePath         Grammar = iota // key of a filter, an order or a range
	LogicPath                       // key of and= or or=
	Select                          // select=
	Columns                         // columns= or on_conflict=
	Order                           // order=
	Filter                          // operator and operand
	FilterOrArgument                // the same, where a text without operator is an argument
	Tree                            // a logic tree, its operator in front
)

var grammars = [...]parser{
	TreePath:         treePath,
	LogicPath:        logicPath,
	Select:           items,
	Columns:          columns,
	Order:            order,
	Filter:           filter,
	FilterOrArgument: filterOrArgument,
	Tree:             tree,
}

// Failure is why a text was refused.
type Failure struct {
	Line    int
	Column  int // in characters, a tab reaching to the next multiple of eight
	Details string
	TooDeep bool // nesting went beyond the bound; nothing else is known then
}

// Run reads a text, in which parentheses may be nested to maxDepth, and tells
// whether it is refused and why.
func Run(g Grammar, text []byte, maxDepth int) (f Failure, refused bool) {
	in := &input{text: []rune(string(text)), maxDepth: maxDepth}
	r := grammars[g](in, state{line: 1, column: 1})
	if r.ok {
		return Failure{}, false
	}
	if in.tooDeep {
		return Failure{TooDeep: true}, true
	}
	return Failure{
		Line:    r.failure.place.line,
		Column:  r.failure.place.column,
		Details: r.failure.details(),
	}, true
}
