-- One row per media type handler in the exposed schemas $1. Columns: schema and
-- name of what makes the body, schema and name of what it serves (anyelement:
-- everything), media type. A domain is a media type by its name. An aggregate
-- over the rows of a relation, or over anyelement, serves that relation. A
-- function that returns a media type serves itself, and its domain makes the
-- body.
with media_type as (
  select t.oid, t.typname, n.nspname
    from pg_type t
    join pg_namespace n on n.oid = t.typnamespace
   where t.typtype = 'd'
     and (t.typname = '*/*' or t.typname ~ '^[A-Za-z0-9.-]+/[A-Za-z0-9.+-]+$')
)
select n.nspname, p.proname, an.nspname, a.typname, m.typname
  from pg_proc p
  join media_type m on m.oid = p.prorettype
  join pg_namespace n on n.oid = p.pronamespace
  join pg_type a on a.oid = p.proargtypes[0]
  join pg_namespace an on an.oid = a.typnamespace
  left join pg_class c on c.reltype = a.oid and c.relkind in ('r', 'p', 'v', 'm', 'f')
 where p.prokind = 'a'
   and p.pronargs = 1
   and n.nspname = any ($1::text[])
   and (c.oid is not null or a.typname = 'anyelement')
union all
select m.nspname, lower(m.typname), n.nspname, p.proname, m.typname
  from pg_proc p
  join media_type m on m.oid = p.prorettype
  join pg_namespace n on n.oid = p.pronamespace
 where p.prokind = 'f'
   and not p.proretset
   and n.nspname = any ($1::text[])
 order by 1, 2, 3, 4, 5
