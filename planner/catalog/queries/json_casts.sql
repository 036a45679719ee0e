-- One row: whether any type has a cast to json or jsonb, which to_json and
-- similar functions would run. Functions in C are trusted.
select exists (
  select
    from pg_cast c
    join pg_proc p on p.oid = c.castfunc and p.oid >= 16384
    join pg_language l on l.oid = p.prolang and l.lanname not in ('c', 'internal')
    join pg_type t on t.oid = c.castsource and t.typtype <> 'd'
   where c.casttarget in ('json'::regtype, 'jsonb'::regtype))
