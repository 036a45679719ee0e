package pgcluster

import "strings"

// Error is a failed step. Its text is one line.
type Error struct {
	Doing string // "start PostgreSQL"
	Hint  string // what the user can do about it; may be empty
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
