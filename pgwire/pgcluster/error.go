package pgcluster

import "strings"

// Error tells what could not be done. Its text is one line.
type Error struct {
	Doing string // "start PostgreSQL"
	Hint  string // what a person could do about it; may be empty
	Err   error
}

func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString("cannot ")
	b.WriteString(e.Doing)
	if e.Err != nil {
		b.WriteString(": ")
		b.WriteString(strings.Join(strings.Fields(e.Err.Error()), " "))
	}
	if e.Hint != "" {
		b.WriteString(" (")
		b.WriteString(e.Hint)
		b.WriteByte(')')
	}
	return b.String()
}

func (e *Error) Unwrap() error { return e.Err }
