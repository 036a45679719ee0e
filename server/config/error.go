package config

// ErrorKind says which step of loading failed.
type ErrorKind uint8

const (
	// FileError: the configuration file or one it imports cannot be read.
	FileError ErrorKind = iota
	// SyntaxError: the configuration file has a syntax error or an unknown variable.
	SyntaxError
	// ValueError: the value of a key is invalid.
	ValueError
	// SecretError: the file named by jwt-secret or db-uri cannot be read, or the
	// secret is unusable.
	SecretError
)

// Error is returned by Load.
type Error struct {
	Kind ErrorKind
	Key  string // may be empty
	Text string // without the prefix Error adds
	Err  error  // from the operating system; may be nil
}

// Error returns the text with PostgREST's prefix for problems of the configuration
// file and of values. Problems of referenced files have no prefix.
func (e *Error) Error() string {
	if e.Kind == SecretError {
		return e.Text
	}
	return "Error in config " + e.Text
}

func (e *Error) Unwrap() error { return e.Err }

func valueError(key, text string) error {
	return &Error{Kind: ValueError, Key: key, Text: text}
}
