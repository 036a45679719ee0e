package explain

// Grammar is the grammar of a text.
type Grammar struct {
	whole  parser
	inside parser // of the rest of a text within parentheses; nil if the grammar has none
}

// The grammars. Select and Tree are set in init, like their parsers.
var (
	TreePath         = Grammar{whole: treePath}         // key of a filter, an order or a range
	LogicPath        = Grammar{whole: logicPath}        // key of and= or or=
	Select           Grammar                            // select=
	Columns          = Grammar{whole: columns}          // columns= or on_conflict=
	Order            = Grammar{whole: order}            // order=
	Filter           = Grammar{whole: filter}           // operator and operand
	FilterOrArgument = Grammar{whole: filterOrArgument} // the same, but a text without an operator is an argument
	Tree             Grammar                            // a logic tree that begins with its operator
)

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
type Start struct {
	Offset, Depth int
	Aggregates    bool // countdistinct(), and aggregates in an order, are accepted
}

// Run parses a text with at most maxDepth nested parentheses. It returns whether the
// text is refused, and the failure.
func Run(g Grammar, text []byte, from Start, maxDepth int) (f Failure, refused bool) {
	if from.Depth > maxDepth {
		return Failure{TooDeep: true}, true
	}
	in := &input{text: []rune(string(text[from.Offset:])), depth: from.Depth, maxDepth: maxDepth, aggregates: from.Aggregates}
	start := state{line: 1, column: 1}
	for _, c := range string(text[:from.Offset]) {
		start = start.advance(c)
	}
	start.at = 0
	p := g.whole
	if from.Depth > 0 && g.inside != nil {
		p = g.inside
	}
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
