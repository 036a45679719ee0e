// Package starter makes the two files of a new API: SQL with roles and a schema, and a configuration.
//
//	Options --> SQL, Config
//
// The SQL has a verifier in place of the password, so that neither the file nor the log of PostgreSQL has the password.
// Names are quoted by package sqlgen.
package starter
