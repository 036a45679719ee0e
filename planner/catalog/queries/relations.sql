-- One row per table, view, materialized view, foreign table and partitioned
-- table. System catalogs and partitions are included, because keys may lead to
-- and through them. Columns: oid, schema, name, kind, whether it is a
-- partition, row level security, whether its schema is in the exposed schemas
-- $1, comment, and for exposed views and foreign tables the commands they
-- accept (bits numbered as in the server's CmdType).
select c.oid, n.nspname, c.relname, c.relkind, c.relispartition, c.relrowsecurity,
       n.nspname = any ($1::text[]),
       d.description,
       case when c.relkind in ('v', 'f') and n.nspname = any ($1::text[])
            then pg_relation_is_updatable(c.oid, true) else 0 end
  from pg_class c
  join pg_namespace n on n.oid = c.relnamespace
  left join pg_description d
    on d.classoid = 'pg_class'::regclass and d.objoid = c.oid and d.objsubid = 0
 where c.relkind in ('r', 'p', 'v', 'm', 'f')
