// Package jsontext writes the strings in the few pieces of JSON that we make
// ourselves: error bodies, claims, request.headers and request.cookies, and
// payloads that came as CSV or as a form.
//
//	bytes from anywhere -> AppendString -> one JSON string, always valid
//
// It escapes what JSON demands and nothing else, which is what PostgREST's
// encoder does: / < > & and all text beyond ASCII stay as they are. Nothing
// fails and nothing is kept; dst is the caller's. (Rows have their own writer,
// pgwire/rowjson, which answers to PostgreSQL's to_json instead.)
package jsontext
