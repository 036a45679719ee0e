package config

// ErrorKind says which step of loading failed.
type ErrorKind uint8

const (
	// FileError: the configuration file or one it imports cannot be read.
	FileError ErrorKind = iota
	// SyntaxError: the configuration file is not in the file's grammar, or a
	// variable in it cannot be resolved.
	SyntaxError
	// ValueError: a key has a value it cannot have.
	ValueError
	// SecretError: jwt-secret or db-uri name a file that cannot be read, or the
	// secret in it is unusable.
	SecretError
)

// Error is what Load returns when there is no configuration.
type Error struct {
	Kind ErrorKind
	Key  string // the key concerned, where one is
	Text string // without the prefix Error adds
	Err  error  // the cause from the operating system, where there is one
}

// Error gives the text PostgREST begins the same way: problems of the file and
// of values are announced as such, problems of referenced files are not.
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
