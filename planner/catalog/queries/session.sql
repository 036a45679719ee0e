-- Returns nothing of use. From here on this transaction prints every name
-- outside pg_catalog with its schema (format_type, regtype, regclass, regproc),
-- and no temporary table can stand in for a system catalog.
select set_config('search_path', 'pg_catalog, pg_temp', true)
