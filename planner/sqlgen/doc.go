// Package sqlgen prints resolved requests (planner/tree) as SQL text with
// numbered parameters. For each parameter it records where the value comes
// from.
//
// It makes no decisions and does not see the request. Whatever can differ
// between two requests of one shape is an Arg, never text. Names enter the text
// only through Ident, constants only through Literal. All other text is SQL
// already: types, defaults, names of functions, and expressions and conditions
// of indexes as PostgreSQL's catalogs print them, and the target type of a cast,
// which the parser restricts to letters, digits, blanks, _ and $.
//
// # Names
//
// Clients choose the names of columns and aliases, and database owners create
// functions. Neither may take the place of an object that this package refers
// to. So columns are always written with their table, rows as alias.*, and
// functions and types with the schema pg_catalog. A few names are looked up on
// the search path, as in PostgREST, because the client asks for them by name:
// aggregates, to_tsvector, operators and types of casts. ST_AsGeoJSON is looked
// up there, too, because an extension owns it.
//
// Some aliases are visible in PostgreSQL's error texts. These are the same as
// PostgREST's: pgrst_source, pgrst_body, pgrst_call, pgrst_scalar, _postgrest_t
// and the aliases of embeds (movie_country_1).
package sqlgen
