package parser

var errTooManyParams = &Error{Message: "failed to parse query string", Details: "too many parameters"}

func (q *Query) explain() error {
	return &Error{Message: "failed to parse query string"}
}
