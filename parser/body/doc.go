// Package body parses request payloads as far as planning needs it.
//
//	JSON bytes          -> ParseJSON -> the kind of payload, and the keys of its objects
//	JSON bytes          -> Walk      -> the keys at every level of a nested insert
//	CSV bytes           -> ParseCSV  -> the same, and the rows as JSON text
//	NDJSON bytes        -> ParseLines -> the same, and the rows as a JSON array
//	form bytes          -> ParseForm -> the same, and one object as JSON text
//	form bytes (a call) -> ParseArgs -> names and values
//	other bytes         -> SetRaw    -> the bytes, not parsed
//
// ParseJSON builds no tree and copies no text, because PostgreSQL parses the
// payload again. The planner needs the names of the columns: ParseJSON validates
// the text, keeps the keys of the first object, and compares those of all other
// objects with them. Package jsontext defines which JSON is valid.
//
// A Payload is meant to be pooled. Its slices are parts of the body, of the
// caller's buffer where the function takes one, or of the Payload's arena. They
// are valid until the next Parse or Reset, as long as the body is not modified.
// ParseJSON allocates nothing once the Payload has grown.
//
// The constants in payload.go limit the depth, the number of keys, and the size
// of the JSON text made of other formats. Errors are of type *Error. They have a
// Kind, and for CSV the text of the error. They know nothing of HTTP.
package body
