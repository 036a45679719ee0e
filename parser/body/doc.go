// Package body reads request payloads just far enough to plan with them.
//
//	JSON bytes          -> ParseJSON -> what it is, and the keys of its objects
//	CSV bytes           -> ParseCSV  -> the same, and the rows as JSON text
//	form bytes          -> ParseForm -> the same, and one object as JSON text
//	form bytes (a call) -> ParseArgs -> names and values
//	anything else       -> SetRaw    -> the bytes themselves
//
// No tree is built and a JSON body is never copied: PostgreSQL reads it again
// anyway. What the planner needs are the names of the columns, so the scanner
// validates the whole text and remembers the keys of the first object, with
// which those of all others have to agree.
//
// What is valid JSON is what PostgREST's decoder accepts: RFC 8259 in strict
// UTF-8, no lone surrogates. One peculiarity is kept because it decides who
// reports the error: in a string, control characters that follow an escape or
// a character beyond ASCII pass here and are refused by PostgreSQL.
//
// A Payload is meant to be pooled and reused. Its slices are borrowed: they
// point into the body it was given, into the buffer of the caller where one is
// passed, or into the Payload's own arena, and are valid until the next Parse or
// Reset or until the body is gone. A Payload that has grown to its working size
// allocates nothing for JSON.
//
// Every body may be hostile: depth, number of keys and the size of what is
// derived are bounded, by the constants in payload.go. Errors are *Error: a
// Kind, and for CSV the text of the parser; nothing about HTTP.
package body
