-- One row: what the code in this database could leave in a session.
--   0  nothing, as far as its text tells
--   1  settings, advisory locks, temporary tables, channels listened to, open
--      cursors, the seed of random(); or code that reads what others have left:
--      currval and lastval
--   2  prepared statements, too
-- Text that is put together when it runs (EXECUTE, DO, query_to_xml) and code
-- that creates code could do anything; comments and constants count as code.
-- Whoever wants to hide something knows how names and constants can be
-- written: what is unusual counts as something. Members of extensions and C are
-- trusted, other languages are not.
with routine as (
  select lower(coalesce(p.prosrc, '')) as source, l.lanname as language,
         -- With such a path every new table is a temporary one.
         exists (select from unnest(p.proconfig) c where c ~* $re$^search_path=[\s"]*pg_temp$re$) as settles
    from pg_proc p
    join pg_language l on l.oid = p.prolang and l.lanname not in ('c', 'internal')
   where p.oid >= 16384
     and not exists (select from pg_depend d
                      where d.classid = 'pg_proc'::regclass and d.objid = p.oid and d.deptype = 'e')
),
-- What is kept parsed: the bodies of SQL routines (from 14 on), defaults,
-- views and rules, triggers, policies, checks.
parsed (tree) as (
  select concat(to_jsonb(p) ->> 'prosqlbody', p.proargdefaults) from pg_proc p where p.oid >= 16384
  union all select concat(r.ev_action, r.ev_qual) from pg_rewrite r where r.oid >= 16384
  union all select t.tgqual::text from pg_trigger t where t.tgqual is not null
  union all select concat(p.polqual, p.polwithcheck) from pg_policy p
  union all select d.adbin::text from pg_attrdef d
  union all select c.conbin::text from pg_constraint c where c.contype = 'c' and c.oid >= 16384
),
dangerous (id) as (
  select p.oid
    from pg_proc p
   where p.pronamespace = 'pg_catalog'::regnamespace
     and (p.proname in ('set_config', 'currval', 'lastval', 'setseed', 'ts_stat') or p.proname ~ '^(pg_(try_)?advisory_lock|query_to_xml)'
          or p.proname = 'ts_rewrite' and p.pronargs = 2)
      or p.proname = 'set_limit' -- of pg_trgm: a setting
),
-- pg_settings can be updated, also by way of a view.
nodes (pattern) as (
  select ':funcid (' || string_agg(id::text, '|') || $re$)\M|:relid $re$ || 'pg_settings'::regclass::oid || $re$\M$re$ from dangerous
),
bare as ( -- without comments, which may stand before a statement
  select *, regexp_replace(regexp_replace(source, $re$--[^\n\r]*$re$, ' ', 'g'), $re$/\*.*?\*/$re$, ' ', 'g') as code
    from routine
),
found (anything, statements) as (
  select language not in ('sql', 'plpgsql') or settles
         or source ~ $re$\m(execute|temp|temporary|listen|hold|currval|lastval|setseed|set_limit|prepare)\M|pg_temp|pg_(try_)?advisory_lock|pg_settings|query_to_xml|ts_stat|ts_rewrite|u&["']$re$
         or source ~ $re$\mdo\M\s*(language\M|e?'|\$|/|-)$re$
         or source ~ $re$\m(create|alter)\M(\s*[/-]|\s+(or|function|procedure|routine|materialized|view|recursive|rule|constraint|trigger|aggregate|operator|cast|policy|domain|unlogged|table|schema|extension|type|event|foreign|role|user)\M)$re$
         or source || ';' || code ~ $re$(^|;|\*/|>>|--[^\n\r]*[\n\r]|\m(begin|then|else|loop)\M)\s*set(\s+(?!(local|constraints|transaction)\M)|["/-])$re$
         or language = 'sql' and regexp_replace(source, $re$\m(insert|merge)\s+into\M$re$, ' ', 'g') ~ $re$\minto\M$re$
         -- Each call must be one whose last argument says that the setting is the
         -- transaction's.
         or (select count(*) from regexp_matches(source, 'set_config', 'g')) <> (select count(*) from regexp_matches(source,
              $re$\mset_config\s*\(\s*'[^'\\]*'(?:::text)?\s*,(?:\((?:\$\d+|'[^'\\]*'|"[^"]*"|-(?!-)|/(?!\*)|[^()'"\\$/-])*\)|\$\d+|'[^'\\]*'|"[^"]*"|-(?!-)|/(?!\*)|[^(),'"\\$/-])*,\s*true\s*\)$re$, 'g')),
         source ~ $re$\mprepare\M$re$
    from bare
  union all select tree ~ pattern, false from parsed, nodes
  union all select true, false from dangerous d, pg_operator o where o.oid >= 16384 and o.oprcode = d.id
  union all select true, false from dangerous d, pg_cast c where c.oid >= 16384 and c.castfunc = d.id
  union all
  select true, false
    from dangerous d, pg_aggregate a
   where a.aggfnoid::oid >= 16384
     and d.id in (a.aggtransfn, a.aggfinalfn, a.aggcombinefn, a.aggserialfn, a.aggdeserialfn, a.aggmtransfn, a.aggminvtransfn, a.aggmfinalfn)
)
select case when bool_or(statements) then 2 when bool_or(anything) then 1 else 0 end
  from found
