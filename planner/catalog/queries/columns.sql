-- One row per column of every relation in the exposed schemas $1, except
-- partitions. The rows are ordered by relation and column number. Columns:
-- relation, number, name, comment, nullability, type (without modifiers if it
-- is built in; a domain is not resolved), declared type, schema of the type,
-- length limit, default expression.
with owned_sequence as (
  select d.refobjid as relid, d.refobjsubid as attnum, s.oid::regclass::text as name
    from pg_depend d
    join pg_class s on s.oid = d.objid and s.relkind = 'S'
   where d.classid = 'pg_class'::regclass
     and d.refclassid = 'pg_class'::regclass
     and d.deptype = 'i'
)
select a.attrelid, a.attnum, a.attname, d.description,
       not (a.attnotnull or (t.typtype = 'd' and t.typnotnull)),
       a.atttypid,
       case when t.typtype <> 'd' and t.typnamespace = 'pg_catalog'::regnamespace
            then format_type(a.atttypid, null)
            else format_type(a.atttypid, a.atttypmod) end,
       format_type(a.atttypid, a.atttypmod),
       tn.nspname,
       -- The limit of the domain itself counts, not that of a domain below it.
       case when m.typmod < 0 then null
            when m.typid in ('bpchar'::regtype, 'varchar'::regtype) then m.typmod - 4
            when m.typid in ('bit'::regtype, 'varbit'::regtype) then m.typmod end,
       case when t.typbasetype <> 0 and ad.adbin is null then pg_get_expr(t.typdefaultbin, 0)
            when a.attidentity = 'd' then 'nextval(' || quote_literal(s.name) || ')'
            -- PostgREST knows only stored generated columns. It takes the
            -- expression of a virtual one for a default, which an insert must
            -- not set.
            when a.attgenerated <> '' then null
            -- A default names no columns, so pg_get_expr need not be told the
            -- table and need not open it.
            else pg_get_expr(ad.adbin, 0) end
  from pg_class c
  join pg_namespace n on n.oid = c.relnamespace
  join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
  join pg_type t on t.oid = a.atttypid
  join pg_namespace tn on tn.oid = t.typnamespace
 cross join lateral (select case when t.typtype = 'd' then t.typbasetype else a.atttypid end as typid,
                            case when t.typtype = 'd' then t.typtypmod else a.atttypmod end as typmod) m
  left join pg_attrdef ad on ad.adrelid = a.attrelid and ad.adnum = a.attnum
  left join pg_description d
    on d.classoid = 'pg_class'::regclass and d.objoid = a.attrelid and d.objsubid = a.attnum
  left join owned_sequence s on s.relid = a.attrelid and s.attnum = a.attnum
 where c.relkind in ('r', 'p', 'v', 'm', 'f')
   and not c.relispartition
   and n.nspname = any ($1::text[])
 order by a.attrelid, a.attnum
