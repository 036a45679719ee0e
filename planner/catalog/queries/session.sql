-- Returns nothing of use. From here on this transaction prints every name
-- outside pg_catalog with its schema (format_type, regtype, regclass, regproc),
-- and nothing that others have created, no temporary table and no operator that
-- fits better, can stand in for what is PostgreSQL's. Constants that PostgreSQL
-- prints (pg_get_expr) have one form, whatever the database's setting is.
select pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true),
       pg_catalog.set_config('standard_conforming_strings', 'on', true)
