package catalog

import (
	"bytes"
	"errors"
	"strconv"
)

// PostgreSQL keeps a view as the text of its parsed query, a tree of nodes:
//
//	({QUERY :commandType 1 ... :targetList ({TARGETENTRY :expr {VAR ...}
//	  :resno 1 :resname id ... :resorigtbl 16396 :resorigcol 1 :resjunk false}
//	  ...) ... :rtable (...)})
//
// Braces enclose a node: its type, then fields of a label and a value each.
// Parentheses enclose a list. Words end at white space and brackets, and a
// backslash escapes the next byte. This syntax is the same in all versions, and it
// is enough to skip values. The set of fields changes with each version.
//
// We read the entries of the outermost target list. For each column of the view
// that is a plain copy, they have the table column that the parser found through
// joins, subqueries and CTEs.

var errTree = errors.New("not the tree of a query")

// maxColumns is the server's limit on the columns of a relation.
const maxColumns = 1600

// targetOrigins returns the origins of a view's columns, by number-1.
func targetOrigins(tree []byte) ([]origin, error) {
	r := treeReader{b: tree}
	if r.word() != "(" || r.word() != "{" || r.word() != "QUERY" {
		return nil, errTree
	}
	for {
		switch label := r.word(); {
		case label == ":targetList":
			return r.targets()
		case !isLabel(label):
			return nil, errTree
		}
		r.skipValue()
	}
}

func (r *treeReader) targets() ([]origin, error) {
	var list []origin
	switch r.word() {
	case "<>": // no columns at all
		return nil, nil
	case "(":
	default:
		return nil, errTree
	}
	for {
		switch r.word() {
		case ")":
			return list, nil
		case "{":
		default:
			return nil, errTree
		}
		if r.word() != "TARGETENTRY" {
			return nil, errTree
		}
		number, o, err := r.target()
		if err != nil {
			return nil, err
		}
		if number < 1 || number > maxColumns {
			return nil, errTree
		}
		for len(list) < number {
			list = append(list, origin{})
		}
		list[number-1] = o
	}
}

// target reads the fields of a TARGETENTRY.
func (r *treeReader) target() (number int, o origin, err error) {
	for {
		label := r.word()
		if label == "}" {
			return number, o, nil
		}
		if !isLabel(label) {
			return 0, o, errTree
		}
		if label != ":resno" && label != ":resorigtbl" && label != ":resorigcol" {
			r.skipValue()
			continue
		}
		n, err := strconv.ParseInt(r.word(), 10, 64)
		if err != nil {
			return 0, o, errTree
		}
		switch label {
		case ":resno":
			number = int(n)
		case ":resorigtbl":
			o.table = uint32(n)
		case ":resorigcol":
			o.column = int16(n)
		}
	}
}

func isLabel(word string) bool { return len(word) > 1 && word[0] == ':' }

type treeReader struct {
	b   []byte
	pos int
}

// word returns the next word or bracket, "" at the end of the tree.
func (r *treeReader) word() string {
	for r.pos < len(r.b) && isTreeSpace(r.b[r.pos]) {
		r.pos++
	}
	start := r.pos
	for r.pos < len(r.b) {
		switch c := r.b[r.pos]; {
		case c == '\\':
			r.pos += 2
			continue
		case isTreeSpace(c):
			return string(r.b[start:r.pos])
		case isBracket(c):
			if r.pos == start {
				r.pos++
			}
			return string(r.b[start:r.pos])
		}
		r.pos++
	}
	r.pos = len(r.b)
	return string(r.b[min(start, r.pos):])
}

// skipValue steps over the value of a field: a node, a list or a word.
func (r *treeReader) skipValue() {
	if first := r.word(); first != "{" && first != "(" {
		return
	}
	for depth := 1; depth > 0 && r.pos < len(r.b); r.pos++ {
		switch r.b[r.pos] {
		case '\\':
			r.pos++
		case '{', '(':
			depth++
		case '}', ')':
			depth--
		}
	}
}

func isTreeSpace(c byte) bool { return c == ' ' || c == '\n' || c == '\t' }
func isBracket(c byte) bool   { return c == '(' || c == ')' || c == '{' || c == '}' }

// callsAny reports whether the tree calls one of the functions. A name cannot be
// mistaken for a call, because its spaces are escaped.
func callsAny(tree []byte, functions map[uint32]bool) bool {
	label := []byte(":funcid ")
	for {
		i := bytes.Index(tree, label)
		if i < 0 {
			return false
		}
		tree = tree[i+len(label):]
		var oid uint32
		for _, c := range tree {
			if c < '0' || c > '9' {
				break
			}
			oid = oid*10 + uint32(c-'0')
		}
		if functions[oid] {
			return true
		}
	}
}
