package sqlgen

// The statements in this file serve the root document (OpenAPI). Their one
// parameter is the name of a schema, without quotes. If the schema does not
// exist, PostgreSQL reports error 3F000.
//
// They run as the client's role and with its search_path. So all names are
// qualified: a temporary table cannot stand in for a system catalog. The
// parameter is cast down to oid because the operators for oid are built in. For
// regnamespace, a user-defined operator could be the better match.

// SchemaComment returns a schema's comment, or NULL.
const SchemaComment = "SELECT pg_catalog.obj_description(" + schemaOID + ", 'pg_namespace')"

const schemaOID = "pg_catalog.quote_ident($1)::pg_catalog.regnamespace::pg_catalog.oid"

// AccessibleRelations returns the names of the tables and views of a schema on
// which the role has at least one privilege.
const AccessibleRelations = "SELECT c.relname FROM pg_catalog.pg_class c" +
	" WHERE c.relnamespace = " + schemaOID +
	" AND c.relkind IN ('r', 'p', 'v', 'm', 'f') AND NOT c.relispartition" +
	" AND (pg_catalog.pg_has_role(c.relowner, 'USAGE')" +
	" OR pg_catalog.has_table_privilege(c.oid, 'SELECT, INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER')" +
	" OR pg_catalog.has_any_column_privilege(c.oid, 'SELECT, INSERT, UPDATE, REFERENCES'))" +
	" ORDER BY c.oid"

// AccessibleRoutines returns the functions of a schema that the role may
// execute and that can be called over HTTP (planner/catalog has the same rule).
// The columns are: name, comment, volatility; names of all arguments, modes of
// all arguments and types of the input arguments, each as a JSON array; number
// of arguments with a default. A type outside the search_path is printed with
// its schema.
//
// The CASE makes PostgreSQL check the schema before the privilege. Otherwise it
// checks the privileges on every function of the database first, which takes
// five times as long (PostgreSQL 15, few user-defined functions).
const AccessibleRoutines = "SELECT p.proname," +
	" (SELECT d.description FROM pg_catalog.pg_description d" +
	" WHERE d.objoid = p.oid AND d.classoid = 'pg_catalog.pg_proc'::pg_catalog.regclass AND d.objsubid = 0)," +
	" p.provolatile, pg_catalog.to_json(p.proargnames), pg_catalog.to_json(p.proargmodes)," +
	" pg_catalog.to_json(p.proargtypes::pg_catalog.oid[]::pg_catalog.regtype[]), p.pronargdefaults" +
	" FROM pg_catalog.pg_proc p" +
	" WHERE p.pronamespace = " + schemaOID +
	" AND p.prokind = 'f' AND p.prorettype <> 'pg_catalog.trigger'::pg_catalog.regtype" +
	" AND (p.proargnames IS NOT NULL OR p.pronargs = 0 OR p.pronargs = 1 AND p.proargtypes[0]" +
	" IN ('pg_catalog.bytea'::pg_catalog.regtype, 'pg_catalog.json'::pg_catalog.regtype, 'pg_catalog.jsonb'::pg_catalog.regtype," +
	" 'pg_catalog.text'::pg_catalog.regtype, 'pg_catalog.xml'::pg_catalog.regtype))" +
	" AND CASE WHEN p.pronamespace = " + schemaOID +
	" THEN pg_catalog.has_function_privilege(p.oid, 'EXECUTE') END" +
	" ORDER BY p.oid"
