package catalog

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
)

// row is one row of a result, valid only during the Querier's callback. A column
// that does not parse is a bug in our queries, or the server is not PostgreSQL.
// err keeps the first such error.
type row struct {
	columns [][]byte
	err     *error
	names   interner
}

// interner replaces equal strings by one copy.
type interner map[string]string

func (in interner) string(b []byte) string {
	if s, ok := in[string(b)]; ok {
		return s
	}
	s := string(b)
	in[s] = s
	return s
}

func (r row) column(i int) []byte {
	if i < len(r.columns) {
		return r.columns[i]
	}
	r.fail(i, "missing")
	return nil
}

func (r row) fail(i int, what string) {
	if *r.err == nil {
		*r.err = fmt.Errorf("column %d: %s", i+1, what)
	}
}

func (r row) null(i int) bool { return r.column(i) == nil }

// name returns repeated text, which is interned; text returns unique text.
func (r row) name(i int) string { return r.names.string(r.column(i)) }
func (r row) text(i int) string { return string(r.column(i)) }

func (r row) qi(i int) QI { return QI{r.name(i), r.name(i + 1)} }

func (r row) bool(i int) bool {
	b := r.column(i)
	if len(b) != 1 || b[0] != 't' && b[0] != 'f' {
		r.fail(i, fmt.Sprintf("%q is no boolean", b))
		return false
	}
	return b[0] == 't'
}

// char reads a "char", the type of kinds.
func (r row) char(i int) byte {
	b := r.column(i)
	if len(b) != 1 {
		r.fail(i, fmt.Sprintf("%q is no single character", b))
		return 0
	}
	return b[0]
}

func (r row) oid(i int) uint32 {
	n, err := strconv.ParseUint(string(r.column(i)), 10, 32)
	if err != nil {
		r.fail(i, err.Error())
	}
	return uint32(n)
}

func (r row) int(i int) int {
	n, err := strconv.ParseInt(string(r.column(i)), 10, 32)
	if err != nil {
		r.fail(i, err.Error())
	}
	return int(n)
}

// numbers reads an int2[] of column numbers; NULL is an empty list.
func (r row) numbers(i int) []int16 {
	if r.null(i) {
		return nil
	}
	text := strings.Trim(string(r.column(i)), "{}")
	if text == "" {
		return nil
	}
	list := make([]int16, 0, strings.Count(text, ",")+1)
	for field := range strings.SplitSeq(text, ",") {
		n, err := strconv.ParseInt(field, 10, 16)
		if err != nil {
			r.fail(i, err.Error())
		}
		list = append(list, int16(n))
	}
	return list
}

// list reads a JSON array of strings; NULL is an empty list.
func (r row) list(i int) []string {
	if r.null(i) {
		return nil
	}
	var list []string
	if err := json.Unmarshal(r.column(i), &list); err != nil {
		r.fail(i, err.Error())
	}
	for k, s := range list {
		list[k] = r.names.string([]byte(s))
	}
	return list
}

// textArray formats a text[] literal.
func textArray(items []string) string {
	b := []byte{'{'}
	for i, item := range items {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, '"')
		for k := range len(item) {
			if item[k] == '"' || item[k] == '\\' {
				b = append(b, '\\')
			}
			b = append(b, item[k])
		}
		b = append(b, '"')
	}
	return string(append(b, '}'))
}

// oidArray formats an oid[] literal.
func oidArray(oids []uint32) string {
	b := []byte{'{'}
	for i, oid := range oids {
		if i > 0 {
			b = append(b, ',')
		}
		b = strconv.AppendUint(b, uint64(oid), 10)
	}
	return string(append(b, '}'))
}
