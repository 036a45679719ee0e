// Package percent decodes percent-encoded text: query strings, forms and path
// segments.
//
//	bytes from anywhere -> AppendDecoded -> bytes, possibly not UTF-8
//
// Every text is accepted: a percent sign without two hexadecimal digits stands
// for itself. The result is appended to the caller's buffer, and nothing is kept.
package percent
