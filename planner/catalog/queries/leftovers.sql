-- One row: what the code in this database could leave in a session.
--   0  nothing, as far as its text tells
--   1  settings, advisory locks, temporary tables, channels listened to, open
--      cursors, values of sequences
--   2  prepared statements, too
-- Text that is put together when it runs (EXECUTE) could do anything; comments
-- and constants count as code. Members of extensions and C are trusted, other
-- languages are not.
with routine as (
  select lower(coalesce(p.prosrc, '')) as source,
         l.lanname not in ('sql', 'plpgsql') as foreign_language
    from pg_proc p
    join pg_language l on l.oid = p.prolang and l.lanname not in ('c', 'internal')
   where p.oid >= 16384
     and not exists (select from pg_depend d
                      where d.classid = 'pg_proc'::regclass and d.objid = p.oid and d.deptype = 'e')
),
-- What is kept parsed: the bodies of SQL routines (from 14 on), defaults,
-- views, policies, checks.
parsed (tree) as (
  select concat(to_jsonb(p) ->> 'prosqlbody', p.proargdefaults) from pg_proc p where p.oid >= 16384
  union all select r.ev_action::text from pg_rewrite r where r.oid >= 16384
  union all select concat(p.polqual, p.polwithcheck) from pg_policy p
  union all select d.adbin::text from pg_attrdef d
  union all select c.conbin::text from pg_constraint c where c.contype = 'c' and c.oid >= 16384
),
functions (pattern) as (
  select ':funcid (' || string_agg(oid::text, '|') || ')\M'
    from pg_proc
   where pronamespace = 'pg_catalog'::regnamespace
     and (proname in ('set_config', 'lastval') or proname ~ '^pg_(try_)?advisory_lock')
),
bare as ( -- without comments, which may stand before a statement
  select *, regexp_replace(regexp_replace(source, '--[^\n]*', ' ', 'g'), '/\*.*?\*/', ' ', 'g') as code
    from routine
),
found (anything, statements) as (
  select foreign_language
         or source ~ '\m(execute|temp|temporary|pg_temp|listen|hold|lastval|prepare)\M|pg_(try_)?advisory_lock'
         or source || ';' || code ~ '(^|;|\m(begin|then|else|loop)\M)\s*set\s+(?!(local|constraints|transaction)\M)'
         -- Take away the calls whose last argument says that the setting is the transaction's.
         or regexp_replace(source,
              '\mset_config\s*\(\s*''[^'']*''(::text)?\s*,(\([^()]*\)|[^(),])*,\s*true\s*\)', ' ', 'g') ~ 'set_config',
         source ~ '\mprepare\M'
    from bare
  union all
  select tree ~ pattern, false from parsed, functions
)
select case when bool_or(statements) then 2 when bool_or(anything) then 1 else 0 end
  from found
