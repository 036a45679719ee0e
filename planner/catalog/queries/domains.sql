-- One row per domain. Columns: its oid, then the oid, kind, printed name,
-- schema and name of the type directly below it, which may be a domain, too.
-- The name of a composite type is that of its relation.
select t.oid, b.oid, b.typtype, b.oid::regtype::text, n.nspname, coalesce(c.relname, b.typname)
  from pg_type t
  join pg_type b on b.oid = t.typbasetype
  join pg_namespace n on n.oid = b.typnamespace
  left join pg_class c on c.oid = b.typrelid
 where t.typtype = 'd'
