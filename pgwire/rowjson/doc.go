// Package rowjson turns column values as PostgreSQL sends them into the JSON that PostgreSQL's own to_json would
// print for them, appended to the caller's buffer.
//
//	RowDescription OID -> Lookup    -> Codec: which result format to ask for, and how to append a value
//	name + Codec       -> NewColumn -> Column: the key quoted once
//	DataRow values     -> AppendObject -> {"id":1,"name":null}
//
// # The promise
//
// Byte for byte what to_json(column) prints, for every type in the table of types.go, in PostgreSQL 14 to 18. A type is in
// the table only if the oracle test has compared it with a server; everything else (composites, extension types, arrays of either)
// answers false and is to be wrapped in to_json by the query.
//
// # What a value may depend on
//
// Types are asked for in text when their text depends on session settings, so that those settings keep working: IntervalStyle,
// extra_float_digits, bytea_output, lc_monetary, search_path (regclass and friends), DateStyle inside ranges. The
// client encoding must be UTF8, as JSON is.
// A timestamptz is the one type whose JSON (XSD) form has to be made from a text that DateStyle may spoil: its codec reads
// ISO and reports false for any other style. Codec.ISO marks it.
//
// # Failure
//
// Append reports false, and leaves the buffer as long as it was, if the bytes cannot be what PostgreSQL sends for the
// type: a wrong length, a malformed array, a timestamptz that is not ISO. It never guesses and never panics, whatever
// the bytes. The caller then lets PostgreSQL print the value. Where Append reports true the appended bytes are one
// valid JSON value, except for json and jsonb, which are copied on trust.
//
// # Memory
//
// Nothing is kept and nothing allocated beyond growing dst: src is borrowed for the call, dst belongs to the caller.
// Codecs and Columns are immutable and may be shared between goroutines.
package rowjson
