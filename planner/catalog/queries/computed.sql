-- One row per function that takes a row of one relation and returns rows of one
-- relation. Columns: schema and name of the function, of its argument and of
-- its result; whether it returns at most one row; the oid of the result's
-- relation.
select n.nspname, p.proname, an.nspname, ac.relname, rn.nspname, rc.relname,
       not p.proretset or p.prorows = 1, rc.oid
  from pg_proc p
  join pg_namespace n on n.oid = p.pronamespace
  join pg_class ac on ac.reltype = p.proargtypes[0] and ac.relkind in ('r', 'p', 'v', 'm', 'f')
  join pg_namespace an on an.oid = ac.relnamespace
  join pg_class rc on rc.reltype = p.prorettype and rc.relkind in ('r', 'p', 'v', 'm', 'f')
  join pg_namespace rn on rn.oid = rc.relnamespace
 where p.pronargs = 1
