// Package header reads the request headers that change what a request means:
// Prefer, Accept and Content-Type.
//
//	Prefer       -> Prefer   one struct of enums, filled line by line (prefer.go)
//	Accept       -> []Media  in order of preference (accept.go)
//	Content-Type -> Media    one media type with its parameters (media.go)
//
// Headers come from anybody, so nothing here fails: what cannot be understood
// becomes an unknown media type, an entry of Prefer.Invalid, or nothing at all,
// exactly as PostgREST treats it. Whether that is an error is decided by those
// who know the request.
//
// Memory: byte slices in Prefer are borrowed from the header values given to
// Add and live as long as those do. A Media holds a string of its own only when
// its type is unknown; all usual headers are read without an allocation.
//
// Text is bytes on the wire. PostgREST reads media types as Latin-1, so the
// text of an unknown type comes back in UTF-8 with each byte as one character.
package header
