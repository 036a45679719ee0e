// Package jsontext has the parts of JSON that other packages share.
//
//	text            -> AppendString                        -> a JSON string, always valid
//	maps and lists  -> AppendValue                         -> a JSON value
//	bytes, offset   -> SkipString, SkipNumber, SkipLiteral -> the offset after the element
//	a JSON string   -> AppendUnescaped                     -> its text
//	a JSON number   -> ParseDecimal, AppendNumber          -> PostgREST's notation
//	a hexadecimal digit -> Unhex                           -> its value
//
// AppendString escapes only what JSON requires, like PostgREST's encoder: / < > &
// and non-ASCII characters are not escaped. It writes error bodies, claims,
// request.headers, request.cookies, and payloads that were CSV or forms. (Package
// pgwire/rowjson writes rows, and follows PostgreSQL's to_json instead.)
//
// The Skip functions accept what PostgREST's decoder accepts: RFC 8259 in strict
// UTF-8, without lone surrogates. There is one difference to the RFC: after the
// first escape or non-ASCII character of a string they accept control characters,
// which PostgreSQL then refuses. It decides which of the two reports the error.
//
// The package keeps no bytes. The Append functions extend the caller's buffer.
package jsontext
