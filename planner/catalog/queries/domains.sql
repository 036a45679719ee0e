-- One row per domain: its oid and the type right below it, which may be a
-- domain again: oid, kind, printed name, schema, name (a composite's is that of
-- its relation).
select t.oid, b.oid, b.typtype, b.oid::regtype::text, n.nspname, coalesce(c.relname, b.typname)
  from pg_type t
  join pg_type b on b.oid = t.typbasetype
  join pg_namespace n on n.oid = b.typnamespace
  left join pg_class c on c.oid = b.typrelid
 where t.typtype = 'd'
