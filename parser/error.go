package parser

import "errors"

// Error says why a query string was refused. Both texts are PostgREST's own:
// Message names the parameter and the place, Details what was met there and
// what would have been accepted.
type Error struct {
	Message string
	Details string
}

func (e *Error) Error() string {
	if e.Details == "" {
		return e.Message
	}
	return e.Message + ": " + e.Details
}

// ErrInvalidUTF8 is returned for a key or value that is no UTF-8 once it is
// percent-decoded.
var ErrInvalidUTF8 = errors.New("query string is not valid UTF-8")
