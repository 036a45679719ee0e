// Package rowjson converts column values, as PostgreSQL sends them, to the JSON that PostgreSQL's
// to_json prints for them. It appends the JSON to the caller's buffer.
//
//	RowDescription OID -> Lookup       -> Codec: the result format to ask for, and how to append a value
//	name + Codec       -> NewColumn    -> Column: a codec with the quoted key
//	DataRow values     -> AppendObject -> {"id":1,"name":null}
//
// # Guarantee
//
// The JSON equals the output of to_json(column) byte for byte, for every type in the table of
// types.go, in PostgreSQL 14 to 18. A type is in the table only if the oracle test has compared it
// with a server. For all other types (composites, extension types, arrays of either) Lookup returns
// false, and the query should wrap the column in to_json.
//
// # Session settings
//
// A type whose text depends on session settings is requested as text, so that the settings keep
// working: IntervalStyle, extra_float_digits, bytea_output, lc_monetary, search_path (regclass and
// similar types), DateStyle inside ranges. The client encoding must be UTF8, the encoding of JSON.
//
// The exception is timestamptz. Its JSON form (XSD) is made from its text, which depends on
// DateStyle. The codec reads the ISO style and reports false for any other style. Codec.ISO marks
// it.
//
// # Failure
//
// Append reports false if the bytes cannot be a value of the type: a wrong length, a malformed
// array, a timestamptz that is not ISO. It then leaves the length of the buffer unchanged, and the
// caller should let PostgreSQL print the value. Append does not panic for any input. If it reports
// true, the appended bytes are one valid JSON value. json and jsonb are copied unchecked, because
// PostgreSQL has validated them.
//
// # Memory
//
// The package allocates only to grow dst. src is borrowed for the call, and dst belongs to the
// caller. Codecs and Columns are immutable and safe for concurrent use.
package rowjson
