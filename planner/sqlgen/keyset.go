package sqlgen

import (
	"strconv"
	"strings"

	"github.com/fastgrest/fastgrest/parser"
	"github.com/fastgrest/fastgrest/planner/catalog"
	"github.com/fastgrest/fastgrest/planner/tree"
)

// KeyPrefix begins the names of the columns that hold the values of the order.
const KeyPrefix = "pgrst_key_"

func keyColumn(i int) string { return Ident(KeyPrefix + strconv.Itoa(i)) }

// after writes the condition for rows that follow the cursor. The types of the
// parameters are those that PostgreSQL's operators have for the values they are compared
// with, or Cast.
func (w *Writer) after(table catalog.QI, n *tree.Node) {
	k := keyset{w: w, table: table, terms: n.Order, nulls: n.After.Nulls}
	if k.rowwise() {
		k.row()
		return
	}
	k.bound()
	k.expanded()
}

type keyset struct {
	w     *Writer
	table catalog.QI
	terms []tree.OrderTerm
	nulls uint32
}

func (k *keyset) isNull(i int) bool  { return k.nulls&(1<<i) != 0 }
func (k *keyset) field(i int) string { return orderField(k.table, &k.terms[i]) }

func (k *keyset) value(i int) string {
	value := k.w.param(Arg{ArgAfter, int32(i)})
	if t := k.terms[i].Cast; t != "" {
		value += "::" + t
	}
	return value
}

func (k *keyset) greater(i int) string {
	if k.terms[i].Dir == parser.DirDesc {
		return " < "
	}
	return " > "
}

// rowwise reports whether one comparison of rows, (a, b) > (x, y), is the whole condition.
// PostgreSQL uses an index best for that form.
func (k *keyset) rowwise() bool {
	for i := range k.terms {
		if !k.terms[i].NotNull || k.isNull(i) || k.greater(i) != k.greater(0) {
			return false
		}
	}
	return true
}

func (k *keyset) row() {
	fields, values := make([]string, len(k.terms)), make([]string, len(k.terms))
	for i := range k.terms {
		fields[i], values[i] = k.field(i), k.value(i)
	}
	if len(k.terms) == 1 {
		k.w.S(fields[0], k.greater(0), values[0])
		return
	}
	k.w.S("(", strings.Join(fields, ", "), ")", k.greater(0), "(", strings.Join(values, ", "), ")")
}

// bound writes that the first term is not in front of the cursor, if that is one
// comparison. The condition of expanded implies it, but PostgreSQL can begin to read an
// index there.
func (k *keyset) bound() {
	if t := &k.terms[0]; !k.isNull(0) && (t.NotNull || t.NullsFirst()) {
		k.w.S(k.field(0), strings.TrimRight(k.greater(0), " "), "= ", k.value(0), " AND ")
	}
}

// expanded writes alternatives, one for each term: the terms before it are equal, and it
// sorts behind that of the cursor.
func (k *keyset) expanded() {
	none := true
	or := k.w.between("(", " OR ")
	for i := range k.terms {
		if k.isNull(i) && !k.terms[i].NullsFirst() {
			continue // NULLs are last: nothing is greater
		}
		none = false
		or()
		for j := range i {
			k.equal(j)
			k.w.S(" AND ")
		}
		k.beyond(i)
		if k.w.full() {
			break
		}
	}
	if none { // all values are NULL, and no row follows
		k.w.S("FALSE")
		return
	}
	k.w.S(")")
}

func (k *keyset) equal(i int) {
	if k.isNull(i) {
		k.w.S(k.field(i), " IS NOT DISTINCT FROM NULL") // IS NULL is true for a row of NULLs
		return
	}
	k.w.S(k.field(i), " = ", k.value(i))
}

// beyond writes that term i of the row sorts behind that of the cursor.
func (k *keyset) beyond(i int) {
	t := &k.terms[i]
	switch {
	case k.isNull(i):
		k.w.S(k.field(i), " IS DISTINCT FROM NULL")
	case t.NotNull || t.NullsFirst():
		k.w.S(k.field(i), k.greater(i), k.value(i))
	default:
		k.w.S("(", k.field(i), k.greater(i), k.value(i), " OR ", k.field(i), " IS NOT DISTINCT FROM NULL)")
	}
}
