// Package cookies turns a Cookie header into the JSON object that SQL reads as
// the setting request.cookies.
//
//	Cookie: a=1; b="two words"; a=3   ->   {"a":"3","b":"two words"}
//
// Every header is accepted. Semicolons separate cookies, a cookie without "="
// has an empty value, and nothing is percent-decoded. The last value of a name
// counts. Members are in the reverse order of the header. PostgREST orders them
// by the hashes of their names, so the same members may come in another order.
//
// The package keeps no bytes. The result is appended to the caller's buffer.
package cookies
