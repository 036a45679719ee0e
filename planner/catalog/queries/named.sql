-- One row per type and relation that a source can name: r for a relation, t for
-- a type; its oid, its name, and for a relation whether it is a foreign table, and
-- whether it has row security.
-- The type of a relation's rows has the relation's name.
select 'r', oid, relname, relkind = 'f', relrowsecurity
  from pg_class
 where relkind in ('r', 'p', 'v', 'm', 'f')
   and (oid >= 16384 and relpersistence <> 't' or oid = 'pg_settings'::regclass)
union all
select 't', t.oid, t.typname, false, false
  from pg_type t
  left join pg_class c on c.oid = t.typrelid
 where t.typelem = 0
   and (t.typrelid = 0 or c.relkind = 'c')
