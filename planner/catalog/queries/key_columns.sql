-- One row per column that a key of keys.sql contains or refers to: table,
-- number, name.
select a.attrelid, a.attnum, a.attname
  from (select conrelid as relid, unnest(conkey) as attnum
          from pg_constraint where contype in ('p', 'u', 'f') and conrelid <> 0
        union
        select confrelid, unnest(confkey)
          from pg_constraint where contype = 'f') k
  join pg_attribute a on a.attrelid = k.relid and a.attnum = k.attnum
