// Package sqlgen prints resolved requests (planner/tree) as SQL text with
// numbered parameters, and says for each parameter where its value comes from.
//
// It takes no decisions and knows no request: whatever can differ between two
// requests of one shape is an Arg, never text. Names reach the text only
// through Writer.Ident, constants only through Writer.Lit. What reaches it
// without quotes is SQL already: types, defaults and names of functions as
// PostgreSQL's catalogs print them, and the target of a cast, which the parser
// keeps to letters, digits, blanks, _ and $.
//
// # Names
//
// Clients choose names of columns and aliases, and database owners create
// functions, so neither may take the place of what this package means. Columns
// are always written with their table, rows as alias.*, and functions and types
// with the schema pg_catalog. Exceptions are what a client asks for by name and
// PostgREST looks up on the search path: aggregates, to_tsvector, operators,
// types of casts, and ST_AsGeoJSON, which is an extension's.
//
// Some aliases are visible in PostgreSQL's error texts and are therefore
// PostgREST's: pgrst_source, pgrst_body, pgrst_call, pgrst_scalar, _postgrest_t
// and the aliases of embeds (movie_country_1).
package sqlgen
