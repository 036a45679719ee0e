package compare

import "fmt"

// failure is an error that chooses the exit code of the program.
type failure struct {
	text string
	code int
}

func (f *failure) Error() string { return f.text }

// Exit is the exit code of the program.
func (f *failure) Exit() int { return f.code }

// fail returns the error of servers that cannot be compared.
func fail(format string, args ...any) error { return &failure{fmt.Sprintf(format, args...), 2} }

// errDifferent says that responses differ. It has no text, because the report says it.
var errDifferent error = &failure{code: 1}
