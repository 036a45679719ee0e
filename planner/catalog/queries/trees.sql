-- One row per call, in what PostgreSQL keeps parsed, of one of its own functions
-- whose oids are $1: kind and oid of what calls it, as in uses.sql, and the oid of
-- the function. It is 0 for what a rule does that is no query, and for what reads
-- pg_settings, which can be updated.
with parsed (kind, oid, tree) as (
  select 'f', p.oid, to_jsonb(p) ->> 'prosqlbody' from pg_proc p where p.oid >= 16384 and p.prosrc = ''
  union all
  select 'f', p.oid, p.proargdefaults::text from pg_proc p where p.oid >= 16384 and p.proargdefaults is not null
  union all
  select case r.ev_type when '1' then 'r' else 'w' end, r.ev_class, concat(r.ev_action, r.ev_qual) from pg_rewrite r where r.oid >= 16384
  union all
  select 'w', t.tgrelid, t.tgqual::text from pg_trigger t where t.tgqual is not null
  union all
  select 'r', p.polrelid, concat(p.polqual, p.polwithcheck) from pg_policy p
  union all
  select case a.attgenerated when '' then 'w' else 'r' end, d.adrelid, d.adbin::text
    from pg_attrdef d
    join pg_attribute a on a.attrelid = d.adrelid and a.attnum = d.adnum
  union all
  select case when c.contypid = 0 then 'p' else 't' end, case when c.contypid = 0 then c.conrelid else c.contypid end, c.conbin::text
    from pg_constraint c
   where c.contype = 'c' and c.oid >= 16384
  union all
  select 'p', i.indrelid, concat(i.indexprs, i.indpred) from pg_index i where i.indexprs is not null or i.indpred is not null
  union all
  select 'p', p.partrelid, p.partexprs::text from pg_partitioned_table p where p.partexprs is not null
  union all
  select 't', t.oid, t.typdefaultbin::text from pg_type t where t.typdefaultbin is not null
)
select distinct t.kind, t.oid, h.oid
  from parsed t
 cross join lateral unnest(string_to_array(
    case when strpos(t.tree, ':utilityStmt {') > 0 or strpos(t.tree, ':relid ' || 'pg_settings'::regclass::oid || ' ') > 0 then '0:funcid ' else '' end
    || replace(replace(t.tree, ':aggfnoid ', ':funcid '), ':winfnoid ', ':funcid '), ':funcid ')) c (call)
  join unnest(array_append($1::text[], '0')) h (oid) on h.oid = split_part(left(c.call, 11), ' ', 1)
