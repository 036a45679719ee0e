package explain

// Grammar is the grammar of a text.
type Grammar uint8

const (
	TreePath         Grammar = iota // key of a filter, an order or a range
	LogicPath                       // key of and= or or=
	Select                          // select=
	Columns                         // columns= or on_conflict=
	Order                           // order=
	Filter                          // operator and operand
	FilterOrArgument                // the same, but a text without an operator is an argument
	Tree                            // a logic tree that begins with its operator
)

// parser returns the parser of the grammar, or of the rest of it within
// parentheses.
func (g Grammar) parser(inside bool) parser {
	switch {
	case inside && g == Select:
		return sequence(items, char(')'))
	case inside && g == Tree:
		return sequence(separated1(tree, comma), lexeme(char(')')))
	}
	switch g {
	case TreePath:
		return treePath
	case LogicPath:
		return logicPath
	case Select:
		return items
	case Columns:
		return columns
	case Order:
		return order
	case Filter:
		return filter
	case FilterOrArgument:
		return filterOrArgument
	case Tree:
		return tree
	}
	return impossible
}

// Failure is the error of a text.
type Failure struct {
	Line    int
	Column  int // in characters, a tab reaching to the next multiple of eight
	Details string
	TooDeep bool // nested deeper than maxDepth; the other fields are not set
}

// Start is the position to begin at: the offset of an element of a list, and the
// number of open parentheses around it. The element is the only one of the list
// with the failure, or not the last one.
type Start struct{ Offset, Depth int }

// Run parses a text with at most maxDepth nested parentheses. It returns whether the
// text is refused, and the failure.
func Run(g Grammar, text []byte, from Start, maxDepth int) (f Failure, refused bool) {
	if from.Depth > maxDepth {
		return Failure{TooDeep: true}, true
	}
	in := &input{text: []rune(string(text[from.Offset:])), depth: from.Depth, maxDepth: maxDepth}
	start := state{line: 1, column: 1}
	for _, c := range string(text[:from.Offset]) {
		start = start.advance(c)
	}
	start.at = 0
	p := g.parser(from.Depth > 0)
	r := p(in, start)
	switch {
	case r.ok:
		return Failure{}, false
	case in.tooDeep:
		return Failure{TooDeep: true}, true
	}
	in.taking, in.notes = true, r.failure.place
	r = p(in, start)
	return Failure{
		Line:    r.failure.place.line,
		Column:  r.failure.place.column,
		Details: r.failure.details(),
	}, true
}
