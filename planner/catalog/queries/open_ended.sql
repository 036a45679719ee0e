-- One row per built-in function that can make a setting, or that runs a query
-- or reads a table given as text. pg_depend does not have what such a function
-- reads.
select oid
  from pg_proc
 where pronamespace = 'pg_catalog'::regnamespace
   and (proname in ('set_config', 'ts_stat', 'ts_rewrite', 'pg_input_is_valid', 'pg_input_error_info')
        or proname ~ '^(query|cursor|table|schema|database)_to_xml')
