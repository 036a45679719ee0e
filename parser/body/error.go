package body

import "strconv"

// ErrorKind is the reason why a payload is invalid.
type ErrorKind uint8

const (
	InvalidJSON ErrorKind = iota
	KeysDiffer            // JSON: an array of values other than objects with equal keys
	TooDeep               // JSON: nested deeper than MaxDepth
	TooManyKeys           // more than MaxKeys names
	InvalidCSV            // Text has PostgREST's description
	UnevenCSV             // a line with fewer fields than the first one
	InvalidUTF8           // CSV or form: not text
	TooLarge              // the JSON made of CSV exceeds the limit
)

// Error is the error of an invalid payload.
type Error struct {
	Kind ErrorKind
	Text string // InvalidCSV only
	Line int    // NDJSON: the line with InvalidJSON or TooDeep, from 1; 0: not NDJSON
}

var messages = [...]string{
	InvalidJSON: "Empty or invalid json",
	KeysDiffer:  "All object keys must match",
	TooDeep:     "The json is nested too deeply",
	TooManyKeys: "The payload has too many keys",
	UnevenCSV:   "All lines must have same number of fields",
	InvalidUTF8: "The payload is not valid UTF-8",
	TooLarge:    "The payload is too large when converted to json",
}

// Error returns the message for the client. It is PostgREST's if PostgREST has the
// same error.
func (e *Error) Error() string {
	if e.Kind == InvalidCSV {
		return e.Text
	}
	if e.Line > 0 {
		return messages[e.Kind] + " in line " + strconv.Itoa(e.Line)
	}
	return messages[e.Kind]
}

// Errors without a Text are allocated once.
var (
	errInvalidJSON = &Error{Kind: InvalidJSON}
	errKeysDiffer  = &Error{Kind: KeysDiffer}
	errTooDeep     = &Error{Kind: TooDeep}
	errTooManyKeys = &Error{Kind: TooManyKeys}
	errUnevenCSV   = &Error{Kind: UnevenCSV}
	errInvalidUTF8 = &Error{Kind: InvalidUTF8}
	errTooLarge    = &Error{Kind: TooLarge}
)

// PlaceError is a fault in a nested body.
type PlaceError struct {
	Place string // JSON pointer
	Text  string
}

func (e *PlaceError) Error() string {
	if e.Place == "" {
		return "/: " + e.Text
	}
	return e.Place + ": " + e.Text
}
