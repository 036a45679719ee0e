package parser

import "errors"

// Error is the reason why a query string is invalid, in the words of PostgREST.
// Message has the parameter and the position, Details the text at this position
// and what is expected there.
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

// ErrInvalidUTF8 is the error of a key or value that is not UTF-8 after it is
// percent-decoded.
var ErrInvalidUTF8 = errors.New("query string is not valid UTF-8")
