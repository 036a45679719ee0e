// Package purity proves that code stored in a database leaves nothing in the
// session that runs it: no setting, lock, temporary object, prepared statement,
// channel, cursor, value of a sequence or seed. On the same graph it proves that code
// reads no setting of the request (Observes), and that only code of PostgreSQL and of known
// modules runs (Runs).
//
//	lex.go       the source of a function to tokens, by PostgreSQL's lexical rules
//	source.go    tokens to a Use: the names it mentions, and whether its statements are proven
//	plpgsql.go   the statements of PL/pgSQL
//	calls.go     which token is a call, and set_config
//	words.go     words before a parenthesis that do not call a function
//	builtin.go   functions of pg_catalog that are harmless, by rule and by list
//	graph.go     what uses what, and the Trace that each object leaves
//
// The result "leaves nothing" needs a proof. Text that is not understood
// leaves something: an unknown statement, a name that no object in the database
// has, a language other than SQL and PL/pgSQL, a source above MaxSource.
//
// Names in a source stand for every object of that name, in whatever schema,
// because the search path is that of the caller. A qualified call stands for the
// functions of its schema.
//
// Operators, casts and input and output functions run without being named. They
// belong to types: whatever has to do with a type uses all of them.
//
// All memory belongs to the caller. The package has no errors: what it cannot
// read is not proven.
package purity
