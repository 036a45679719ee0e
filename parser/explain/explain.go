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

// parser returns the grammar, or what is left of it inside parentheses.
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

// Failure is why a text was refused.
type Failure struct {
	Line    int
	Column  int // in characters, a tab reaching to the next multiple of eight
	Details string
	TooDeep bool // nesting went beyond the bound; nothing else is known then
}

// Start is where to begin: at an element of a list, and inside how many open
// parentheses. It may be any element but the last, or the only one, of the list
// in which the failure is.
type Start struct{ Offset, Depth int }

// Run reads a text, in which parentheses may be nested to maxDepth, and tells
// whether it is refused and why.
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
