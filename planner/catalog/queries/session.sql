-- Returns nothing of use. From here on this transaction prints every name
-- outside pg_catalog with its schema (format_type, regtype, regclass, regproc),
-- and nothing that others have created, no temporary table and no operator that
-- fits better, can stand in for what is PostgreSQL's.
select pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true)
