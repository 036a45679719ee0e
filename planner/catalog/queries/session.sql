-- Makes the settings of the transaction; the result is not used. With this
-- search_path, PostgreSQL prints every name outside pg_catalog with its schema
-- (format_type, regtype, regclass, regproc). And no temporary table or better
-- matching operator of another user can replace one of PostgreSQL's. With
-- standard_conforming_strings on, constants printed by pg_get_expr have one
-- form, whatever the database's setting is.
select pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true),
       pg_catalog.set_config('standard_conforming_strings', 'on', true)
