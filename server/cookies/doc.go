// Package cookies turns a Cookie header into the JSON object that SQL reads as
// the setting request.cookies.
//
//	Cookie: a=1; b="two words"; a=3   ->   {"b":"two words","a":"3"}
//
// It accepts anything: pieces between semicolons are cookies, a piece without
// "=" is a name with an empty value, nothing is percent-decoded. A name given
// more than once keeps its last value. The order is that in which PostgREST has
// them, that of the hashes of their names. Nothing is kept; dst is the caller's.
package cookies
