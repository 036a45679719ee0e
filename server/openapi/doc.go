// Package openapi renders the OpenAPI 2.0 document of a schema, which PostgREST
// serves at its root.
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
// # Sources
//
// Tables and columns come from the catalog. Functions come from the database at
// the time of the request if the role's privileges matter, otherwise from the
// catalog. So the type names of their arguments depend on the role's
// search_path in the first case, and have their schemas in the second.
//
// # Differences from PostgREST
//
// Documents equal those of PostgREST except for five points. The order of
// members is fixed: tables and functions by name. A "/" or "~" in a name is
// escaped in a $ref, so that the reference resolves. An IPv6 address has
// brackets. Two columns whose row filters have the same name (a.b of c and b of
// c.a) share the first filter. Input arguments after output arguments keep
// their own names, as everywhere (planner/catalog).
//
// # Memory and errors
//
// A Document borrows from the catalog and from Access and is read once. The
// bytes that Cache returns are shared and must not be changed.
//
// The package returns no errors. Rows that Access cannot read did not come from
// the server's own statements; they are left out.
package openapi
