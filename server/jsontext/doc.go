// Package jsontext writes the few pieces of JSON that the server makes itself:
// error bodies and the objects of request.headers and request.cookies.
//
//	bytes from anywhere -> AppendString -> one JSON string, always valid
//
// It escapes what JSON demands and nothing else, which is what PostgREST's
// encoder does: / < > & and all text beyond ASCII stay as they are. Nothing
// fails and nothing is kept; dst is the caller's. (Rows have their own writer,
// pgwire/rowjson, which answers to PostgreSQL's to_json instead.)
package jsontext
