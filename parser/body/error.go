package body

// ErrorKind says what is wrong with a payload.
type ErrorKind uint8

const (
	InvalidJSON ErrorKind = iota
	KeysDiffer            // JSON: an array with something else than objects of equal keys
	TooDeep               // JSON: nested deeper than MaxDepth
	TooManyKeys           // more than MaxKeys names where all of them are needed
	InvalidCSV            // Text has PostgREST's description
	UnevenCSV             // a line with fewer fields than the first one
	InvalidUTF8           // CSV or form: not text
	TooLarge              // the JSON made of CSV exceeds the limit
)

// Error is a payload that cannot be used.
type Error struct {
	Kind ErrorKind
	Text string // InvalidCSV only
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

// Error returns the message a client gets, which for what PostgREST reports
// too is the message of PostgREST.
func (e *Error) Error() string {
	if e.Kind == InvalidCSV {
		return e.Text
	}
	return messages[e.Kind]
}

// Errors without a text of their own are made once: being refused must not
// cost more than being served.
var (
	errInvalidJSON = &Error{Kind: InvalidJSON}
	errKeysDiffer  = &Error{Kind: KeysDiffer}
	errTooDeep     = &Error{Kind: TooDeep}
	errTooManyKeys = &Error{Kind: TooManyKeys}
	errUnevenCSV   = &Error{Kind: UnevenCSV}
	errInvalidUTF8 = &Error{Kind: InvalidUTF8}
	errTooLarge    = &Error{Kind: TooLarge}
)
