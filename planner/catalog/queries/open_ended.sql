-- One row per function of PostgreSQL's own that can set a setting, or run a
-- query or read a table given by name; nothing in pg_depend tells what that
-- will be.
select oid
  from pg_proc
 where pronamespace = 'pg_catalog'::regnamespace
   and (proname in ('set_config', 'ts_stat', 'ts_rewrite', 'pg_input_is_valid', 'pg_input_error_info')
        or proname ~ '^(query|cursor|table|schema|database)_to_xml')
