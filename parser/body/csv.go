package body

import (
	"bytes"
	"cmp"
	"slices"
	"strconv"
	"unicode/utf8"

	"github.com/fastgrest/fastgrest/parser/jsontext"
)

// csvState is the part of a Payload that ParseCSV uses.
type csvState struct {
	names   [][]byte // fields of the first line
	fields  [][]byte // fields of the current line
	columns []column // of the first width fields, sorted by name
	width   int
}

// column is a field that becomes a member of the objects.
type column struct {
	field int
	name  []byte
}

// ParseCSV parses a CSV body: a line of names, then lines of values. The value NULL
// is null, other values are text. It appends the rows to dst as a JSON array of
// objects, sets Raw to this array, and returns the extended buffer.
//
// A member of an object has the position of its column in Keys as name, beginning
// with "0". Real names, repeated on each line, could make a large text of a small
// body. This text has at most 12 times the size of the body, and at most limit
// bytes.
//
// The grammar is PostgREST's. A line ends with \n, \r\n or \r. Blank lines are
// skipped, and surplus fields are ignored. Missing fields are an error unless the
// first row lacks them too. Only quotes at the start of a field count. The last
// field of a repeated name counts.
func (p *Payload) ParseCSV(dst, raw []byte, limit int) ([]byte, error) {
	p.Reset()
	p.csv.width = -1
	in := csvReader{rest: raw}
	if err := p.csvHeader(&in); err != nil {
		return dst, err
	}
	start, mark := len(dst), len(p.arena)
	dst = append(dst, '[')
	for more := true; more; {
		p.arena = p.arena[:mark]
		err := p.csvLine(&in)
		if err == nil && !blank(p.csv.fields) {
			dst, err = p.appendRow(dst, start)
		}
		switch {
		case err == errUnevenCSV:
			err = orElse(p.csvRest(&in), err)
		case err == nil && len(dst)-start > limit:
			err = errTooLarge
		case err == nil:
			more, err = in.endLine()
		}
		if err != nil {
			return dst[:start], err
		}
	}
	return p.endRows(dst, start), nil
}

// endRows ends the array of rows that begins at start. It is the payload, unless it has
// no row.
func (p *Payload) endRows(dst []byte, start int) []byte {
	if len(dst) == start+1 {
		p.setEmpty()
		return dst[:start]
	}
	dst = append(dst, ']')
	p.Kind, p.Raw = Array, dst[start:len(dst):len(dst)]
	return dst
}

func (p *Payload) csvHeader(in *csvReader) error {
	if err := p.csvLine(in); err != nil {
		return err
	}
	p.csv.names = append(p.csv.names[:0], p.csv.fields...)
	if len(in.rest) == 0 {
		return in.fail("not enough input")
	}
	_, err := in.endLine()
	return err
}

// csvLine reads the fields of a line, which may be more than the names. It does not
// consume the end of the line.
func (p *Payload) csvLine(in *csvReader) error {
	p.csv.fields = p.csv.fields[:0]
	for {
		field, err := in.field(&p.arena)
		if err != nil {
			return err
		}
		if len(p.csv.fields) == MaxKeys {
			return errTooManyKeys
		}
		p.csv.fields = append(p.csv.fields, field)
		if len(in.rest) == 0 || in.rest[0] != ',' {
			return nil
		}
		in.rest = in.rest[1:]
	}
}

// csvRest reads the remaining lines for syntax errors, which are reported before
// missing fields.
func (p *Payload) csvRest(in *csvReader) error {
	for {
		more, err := in.endLine()
		if err != nil || !more {
			return err
		}
		p.arena = p.arena[:0]
		if err = p.csvLine(in); err != nil {
			return err
		}
	}
}

func blank(fields [][]byte) bool { return len(fields) == 1 && len(fields[0]) == 0 }

// appendRow appends the current line as an object.
func (p *Payload) appendRow(dst []byte, start int) ([]byte, error) {
	if n := min(len(p.csv.fields), len(p.csv.names)); n != p.csv.width {
		if err := p.setColumns(n); err != nil {
			return dst, err
		}
	}
	if len(dst) > start+1 {
		dst = append(dst, ',')
	}
	dst = append(dst, '{')
	for i, c := range p.csv.columns {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = p.appendKey(dst, i)
		value := p.csv.fields[c.field]
		switch {
		case string(value) == "NULL":
			dst = append(dst, "null"...)
		case utf8.Valid(value):
			dst = jsontext.AppendString(dst, value)
		default:
			return dst, errInvalidUTF8
		}
	}
	return append(dst, '}'), nil
}

// setColumns sets the columns of lines with n fields. The first row sets Keys.
func (p *Payload) setColumns(n int) error {
	c := &p.csv
	first := c.width < 0
	c.width, c.columns = n, c.columns[:0]
	for i, name := range c.names[:n] {
		if !utf8.Valid(name) {
			return errInvalidUTF8
		}
		c.columns = append(c.columns, column{field: i, name: name})
	}
	slices.SortFunc(c.columns, func(a, b column) int {
		return cmp.Or(bytes.Compare(a.name, b.name), cmp.Compare(b.field, a.field))
	})
	c.columns = slices.CompactFunc(c.columns, func(a, b column) bool { return bytes.Equal(a.name, b.name) })
	if first {
		for _, col := range c.columns {
			p.Keys = append(p.Keys, col.name)
		}
	}
	if !slices.EqualFunc(c.columns, p.Keys, func(c column, key []byte) bool { return bytes.Equal(c.name, key) }) {
		return errUnevenCSV
	}
	return nil
}

// appendKey appends the name of column i in a row. The empty name stays empty: it
// can only be the unnamed argument of a function, which gets the text unchanged.
func (p *Payload) appendKey(dst []byte, i int) []byte {
	dst = append(dst, '"')
	if len(p.csv.columns[i].name) > 0 {
		dst = strconv.AppendInt(dst, int64(i), 10)
	}
	return append(dst, `":`...)
}

// csvReader is the rest of a CSV body.
type csvReader struct{ rest []byte }

// endLine skips the end of a line, and reports whether the body has another line.
func (in *csvReader) endLine() (more bool, err error) {
	switch {
	case len(in.rest) == 0:
		return false, nil
	case in.rest[0] == '\n':
		in.rest = in.rest[1:]
	case in.rest[0] == '\r':
		in.rest = in.rest[1:]
		if len(in.rest) > 0 && in.rest[0] == '\n' {
			in.rest = in.rest[1:]
		}
	default:
		return false, in.fail("Failed reading: satisfy")
	}
	return true, nil
}

// field reads one field. It copies a quoted field with escapes to the arena.
func (in *csvReader) field(arena *[]byte) ([]byte, error) {
	if len(in.rest) > 0 && in.rest[0] == '"' {
		in.rest = in.rest[1:]
		return in.quoted(arena)
	}
	end := bytes.IndexAny(in.rest, ",\"\r\n")
	if end < 0 {
		end = len(in.rest)
	}
	field := in.rest[:end:end]
	in.rest = in.rest[end:]
	return field, nil
}

// quoted reads the rest of a quoted field. A field without a closing quote loses
// its last character, as in PostgREST.
func (in *csvReader) quoted(arena *[]byte) ([]byte, error) {
	doubled := false
	b := in.rest
	for i := 0; ; {
		q := bytes.IndexByte(b[i:], '"')
		if q < 0 {
			return in.unclosed(arena)
		}
		if i += q; i+1 == len(b) || b[i+1] != '"' {
			in.rest = b[i+1:]
			if doubled {
				return unescapeCSV(arena, b[:i]), nil
			}
			return b[:i:i], nil
		}
		doubled = true
		i += 2
	}
}

func (in *csvReader) unclosed(arena *[]byte) ([]byte, error) {
	b := in.rest
	in.rest = b[len(b):]
	if len(b) == 0 {
		return nil, in.fail("Failed reading: trailing double quote")
	}
	b = b[:len(b)-1]
	if bytes.Count(b, quote)%2 != 0 {
		return nil, in.fail("Failed reading: insufficient input")
	}
	return unescapeCSV(arena, b), nil
}

var quote = []byte{'"'}

// unescapeCSV replaces each pair of quotes with one quote.
func unescapeCSV(arena *[]byte, b []byte) []byte {
	start := len(*arena)
	for len(b) > 0 {
		part, rest, found := bytes.Cut(b, quote)
		*arena = append(*arena, part...)
		if found {
			*arena = append(*arena, '"')
			rest = rest[1:]
		}
		b = rest
	}
	return (*arena)[start:len(*arena):len(*arena)]
}

// fail returns the error of PostgREST's parser for the current position.
func (in *csvReader) fail(what string) error {
	text := append([]byte("parse error ("), what...)
	text = append(text, ") at "...)
	if len(in.rest) > 100 {
		text = append(text, in.rest[:100]...)
		text = append(text, " (truncated)"...)
	} else {
		text = appendShown(text, in.rest)
	}
	return &Error{Kind: InvalidCSV, Text: string(text)}
}
