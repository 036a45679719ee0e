// Package batch reads the body of a batch: several requests in one, which the server
// runs in one transaction. It knows the envelope and the references between its
// parts. It knows neither HTTP connections nor what a part means.
//
//	body -> Parse -> Parts
//	Part.ResolveBody   the body of a part, with values in place of references
//	Resolve            an operand of a filter, or an argument, the same
//	At                 the value that a reference stands for, in a response
//
// # References
//
// A reference is the id of an earlier part, "#", and a JSON Pointer (RFC 6901) into the
// body of that part's response. It stands for a value, and can become neither a name
// nor SQL. In a JSON body it is {"$ref": "1#/0/id"}. In a query string it is
// $ref(1%23/0/id), as a whole operand, a whole element of a list or a whole argument.
// With one more $ it is an ordinary value.
//
// # Bounds
//
// The caller bounds the length of the body and the number of parts. The number of
// references is bounded by MaxReferences, the headers of a part by maxHeaders, and
// encoding/json bounds the depth. Parse takes time in proportion to the length of the
// body. At takes time in proportion to the length of the response. Parse counts the
// references that it finds in the text. It does not find one with a backslash inside of
// a quoted operand, so the caller counts the calls of its Lookup, too.
//
// # Memory and errors
//
// Parts own their memory. The functions return an *Error for a fault of the envelope or of
// a reference.
package batch
