-- One row per name of a function of PostgreSQL's own in pg_catalog: the name,
-- and the oids of those that are not immutable. What is immutable does nothing
-- but compute.
select proname,
       json_agg(oid::text) filter (where provolatile <> 'i' or lanname not in ('internal', 'sql', 'c'))
  from (select p.proname, p.oid, p.provolatile, l.lanname
          from pg_proc p
          join pg_language l on l.oid = p.prolang
         where p.oid < 16384
           and p.pronamespace = 'pg_catalog'::regnamespace) f
 group by proname
