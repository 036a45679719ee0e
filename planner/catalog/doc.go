// Package catalog is the schema cache: it turns PostgreSQL's system catalogs into
// the lookups that the planner needs.
//
//	queries/*.sql    what is read, one file per question, each says what it returns
//	catalog.go       Catalog, Table, Column, Routine, Relationship
//	load.go          asks the questions, in one read-only transaction of the caller's
//	row.go           text columns to Go values
//	relations.go     relations and columns to Tables
//	routines.go      functions to Routines
//	nodetree.go      a view's parsed query to the table columns behind its columns
//	viewkeys.go      primary and foreign keys of views, by way of those columns
//	uniques.go       indexes that ON CONFLICT can use
//	relate.go        keys to Relationships, both ways, many to many, computed ones
//	computedfields.go names of computed fields
//	access.go        what reading a relation may run, and who may read at all
//	leftovers.go     what running each of them may leave in a session
//	texttypes.go     types whose JSON is their quoted text
//	media.go         names of media types
//	index.go         lookups
//	dump.go          the whole as JSON, in the shape of PostgREST's --dump-schema
//
// A Catalog is immutable, so requests share it without locks. It does not refer to
// the rows it was read from.
//
// Semantics are PostgREST's, with these exceptions, each explained where it is
// made: input arguments that follow output arguments keep their own names
// (routines.go), rewrite rules other than a view's own are not taken for its
// definition (view_trees.sql), foreign keys of one name on different tables are
// told apart (viewkeys.go), and a virtual generated column has no default
// (columns.sql).
//
// Load returns an *Error, which names the failed query and wraps the Querier's
// error.
package catalog
