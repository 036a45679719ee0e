-- One row per implicit cast between a domain and json or text, in either
-- direction, by a function that the session user may execute. Columns: source
-- type, target type, function, schema of the function.
select c.castsource::regtype, c.casttarget::regtype, c.castfunc::regproc, n.nspname
  from pg_cast c
  join pg_type s on s.oid = c.castsource
  join pg_type t on t.oid = c.casttarget
  join pg_proc p on p.oid = c.castfunc
  join pg_namespace n on n.oid = p.pronamespace
 where c.castcontext = 'i'
   and c.castmethod = 'f'
   and ((s.typtype = 'd' and t.oid in ('json'::regtype, 'text'::regtype))
     or (t.typtype = 'd' and s.oid in ('json'::regtype, 'text'::regtype)))
   and has_function_privilege(p.oid, 'execute')
 order by 1, 2
