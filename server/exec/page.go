package exec

import (
	"bytes"

	"github.com/fastgrest/fastgrest/pgwire"
	"github.com/fastgrest/fastgrest/pgwire/rowjson"
	"github.com/fastgrest/fastgrest/server/cursor"
)

// A page with a cursor is asked for with one row more, which is not sent to the client. It
// tells that there is a next page. The position of the page's last row comes in columns
// before its own.

// Page is what the rows of a page with a cursor tell about the next page.
type Page struct {
	Read bool           // the positions were read
	More bool           // there is a next page
	Last []cursor.Value // position of the last row, with More
	Tied bool           // the first row of the next page has the same position

	size  int64 // rows of a full page
	bytes []byte
}

func (p *Page) reset() {
	p.Read, p.More, p.Tied = false, false, false
	p.Last, p.bytes = p.Last[:0], p.bytes[:0]
}

// row takes the position of row n, counted from 1. It returns false for the row behind the
// page.
func (p *Page) row(n int64, position [][]byte, formats []int16) bool {
	switch {
	case n < p.size:
		return true
	case n == p.size:
		p.keep(position, formats)
		return true
	}
	p.More, p.Tied = true, len(p.Last) == len(position)
	for i := range p.Last {
		last := &p.Last[i]
		p.Tied = p.Tied && last.Null == (position[i] == nil) && bytes.Equal(last.Bytes, position[i])
	}
	return false
}

// keep copies a position, which is borrowed.
func (p *Page) keep(position [][]byte, formats []int16) {
	p.Last, p.bytes = p.Last[:0], p.bytes[:0]
	for _, v := range position {
		p.bytes = append(p.bytes, v...)
	}
	rest := p.bytes
	for i, v := range position {
		p.Last = append(p.Last, cursor.Value{Null: v == nil, Text: v != nil && formats[i] == rowjson.Text, Bytes: rest[:len(v):len(v)]})
		rest = rest[len(v):]
	}
}

// positionFormats chooses the formats of the columns of a position, which are the last ones
// of the prefix. The binary one is exact whatever the settings of the session are. Types of
// extensions may lack it.
func positionFormats(prefix []pgwire.Field, keys int) []int16 {
	if keys == 0 {
		return nil
	}
	columns := prefix[max(0, len(prefix)-keys):]
	formats := make([]int16, len(columns))
	for i, c := range columns {
		formats[i] = rowjson.Text
		if c.Type < firstOwnOID {
			formats[i] = rowjson.Binary
		}
	}
	return formats
}

// firstOwnOID is above the OIDs of all types that are built in.
const firstOwnOID = 10_000

// beginPage sets the number of rows of a full page.
func (x *Execution) beginPage(form *Form) {
	size, _ := x.rules.planner.Restrict(x.call.Top).Limit()
	x.Result.Page.size, x.Result.Page.Read = size, form.Rows
}
