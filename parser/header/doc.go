// Package header parses the request headers that change what a request means.
//
//	Prefer       -> Prefer        one struct of enums, filled line by line (prefer.go)
//	Accept       -> []Media       in order of preference (accept.go)
//	Content-Type -> Media         one media type with its parameters (media.go)
//	Range        -> parser.Range  (range.go)
//
// No function fails. As in PostgREST, an invalid value becomes an unknown media
// type, an entry of Prefer.Invalid, or the range of all rows. The caller decides
// whether that is an error.
//
// Byte slices in a Prefer are parts of the header values that Add was called with,
// and are valid as long as these are. A Media owns its text, which it has only if
// its type is unknown. All usual headers are parsed without an allocation.
//
// Header values are bytes. PostgREST reads media types as Latin-1: the text of an
// unknown type is UTF-8 in which each byte of the header is one character.
package header
