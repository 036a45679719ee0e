-- One row per function in the exposed schemas $1; procedures, aggregates and
-- window functions are left out. Columns: schema, name, comment; names of all
-- arguments, modes of all arguments; types of the input arguments, schemas of
-- these types; number of arguments with a default; oid, kind, schema and name
-- of the return type; whether it returns a set; volatility; whether it is
-- variadic; its settings; the settings that match a pattern in $2; oid of the
-- return type's relation.
select n.nspname, p.proname, d.description,
       to_json(p.proargnames), to_json(p.proargmodes), a.types, a.schemas, p.pronargdefaults,
       t.oid, t.typtype, tn.nspname, coalesce(c.relname, t.typname),
       p.proretset, p.provolatile, p.provariadic <> 0,
       to_json(p.proconfig), h.settings, c.oid
  from pg_proc p
  join pg_namespace n on n.oid = p.pronamespace
  join pg_type t on t.oid = p.prorettype
  join pg_namespace tn on tn.oid = t.typnamespace
  left join pg_class c on c.oid = t.typrelid
  left join pg_description d
    on d.classoid = 'pg_proc'::regclass and d.objoid = p.oid and d.objsubid = 0
 cross join lateral (
    select json_agg(u.typid::regtype::text order by u.ord) as types,
           json_agg(un.nspname order by u.ord) as schemas
      from unnest(p.proargtypes::oid[]) with ordinality as u (typid, ord)
      join pg_type ut on ut.oid = u.typid
      join pg_namespace un on un.oid = ut.typnamespace) a
 cross join lateral (
    select json_agg(s.setting order by s.ord) as settings
      from unnest(p.proconfig) with ordinality as s (setting, ord)
     where s.setting ~ any ($2::text[])) h
 where p.prokind = 'f'
   and n.nspname = any ($1::text[])
