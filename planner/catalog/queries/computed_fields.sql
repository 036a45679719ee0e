-- One row per relation and name of a function that takes a row of it, and no other
-- argument that must be given. A request can name such a function like a column.
-- Schema and name of the relation are empty if the function takes any row.
-- Relations that inherit from the argument's are included, since their rows
-- convert to its rows. Aggregates are left out: no condition can call them.
with recursive fields as (
    select c.oid, p.proname
      from pg_proc p
      left join pg_class c on c.reltype = p.proargtypes[0] and c.relkind in ('r', 'p', 'v', 'm', 'f')
     where p.prokind = 'f'
       and p.pronargs >= 1
       and p.pronargs - p.pronargdefaults <= 1
       and (c.oid is not null
            or p.proargtypes[0] in ('record'::regtype, '"any"'::regtype, 'anyelement'::regtype, 'anynonarray'::regtype,
                                    'anycompatible'::regtype, 'anycompatiblenonarray'::regtype)
            or p.provariadic in ('anyelement'::regtype, 'anycompatible'::regtype))
    union
    select i.inhrelid, f.proname
      from fields f
      join pg_inherits i on i.inhparent = f.oid
)
select coalesce(n.nspname, ''), coalesce(c.relname, ''), f.proname
  from fields f
  left join pg_class c on c.oid = f.oid
  left join pg_namespace n on n.oid = c.relnamespace
