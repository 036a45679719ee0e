package header

import (
	"bytes"

	"github.com/fastgrest/fastgrest/parser"
)

// ParseRange reads the value of a Range header of the form 0-9 or 10-. Every
// other value asks for all rows.
func ParseRange(value []byte) parser.Range {
	if dash := bytes.IndexByte(value, '-'); dash > 0 {
		if r, ok := parser.ParseRange(value[:dash], value[dash+1:]); ok {
			return r
		}
	}
	return parser.AllRange
}
