// Package openapi describes a schema as an OpenAPI 2.0 document, the one that
// PostgREST serves at its root.
//
//	rows of the statements in planner/sqlgen/access.go
//	  -> Access             what a role may use
//	     Access.Key         under which Cache finds a document rendered before
//	     Access.Document    with the catalog: everything a document says
//	        Document.Append JSON
//
//	access.go     the rows of a role's access, kept and read
//	openapi.go    the document's frame
//	address.go    host, basePath and scheme
//	params.go     parameters: those all tables share, row filters, bodies
//	tables.go     definitions and paths of tables and views
//	routines.go   paths of functions
//	types.go      PostgreSQL's types as JSON's
//	defaults.go   default expressions that are values
//	json.go       members and items
//	cache.go      documents rendered before
//
// # What comes from where
//
// Tables and columns are the catalog's. Functions are as the database describes
// them at this moment where a role's privileges count, the catalog's otherwise;
// so the formats of their arguments are named as the role's search_path lets
// them be named in the first case, and with their schemas in the second.
//
// # Differences from PostgREST
//
// Documents are those of PostgREST but for the order of members, which is fixed:
// tables and functions by name. A "/" or "~" in a name is escaped where a $ref
// leads to it, so that the reference can be followed; an IPv6 address stands in
// brackets; two columns whose row filters would have one name (a.b of c and b
// of c.a, say) share the first; and input arguments that follow output arguments
// keep their own names, as everywhere (planner/catalog).
//
// # Memory
//
// A Document borrows from the catalog and from Access and is read once. What
// Cache returns is shared and must not be changed.
//
// Nothing here fails: what Access cannot read was not written by our
// statements, and is left out.
package openapi
