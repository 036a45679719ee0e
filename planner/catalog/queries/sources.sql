-- One row per function that the database has in addition: oid, schema, name,
-- language, source, library, and whether it can be called like a column. The
-- source is NULL if it is longer than $1 bytes, and then the last column says
-- whether it has the word "prepare". Functions with a parsed body have no source.
-- Of a function in the language "internal" the source is the oid of a function of
-- PostgreSQL's own that is the same.
select p.oid, n.nspname, p.proname, l.lanname,
       case when l.lanname = 'internal' then b.oid::text
            when octet_length(p.prosrc) <= $1::int then p.prosrc
       end,
       coalesce(p.probin, ''), coalesce(p.pronargs - p.pronargdefaults <= 1 and t.typtype in ('c', 'd', 'p'), false),
       case when octet_length(p.prosrc) > $1::int then p.prosrc ~* $re$\mprepare\M$re$ else false end
  from pg_proc p
  join pg_language l on l.oid = p.prolang
  join pg_namespace n on n.oid = p.pronamespace
  left join pg_type t on t.oid = p.proargtypes[0]
  left join (select f.prosrc, max(f.oid) as oid
               from pg_proc f
               join pg_language i on i.oid = f.prolang and i.lanname = 'internal'
              where f.oid < 16384
              group by f.prosrc) b on b.prosrc = p.prosrc and l.lanname = 'internal'
 where p.oid >= 16384
   and p.prokind <> 'a'
   and n.nspname !~ '^pg_temp_'
union all
select p.oid, n.nspname, p.proname, 'aggregate', '', '', p.pronargs <= 1, false
  from pg_proc p
  join pg_namespace n on n.oid = p.pronamespace
 where p.oid >= 16384
   and p.prokind = 'a'
