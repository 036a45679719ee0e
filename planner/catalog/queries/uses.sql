-- What uses what, each in two columns, kind and oid:
--   f  calling a function
--   o  applying an operator
--   c  the columns of a relation
--   r  reading a relation
--   p  planning a statement that reads a relation
--   w  writing to a relation
--   t  having values of a type; the oid 0 stands for PostgreSQL's own types
-- Pinned system objects leave no trace in pg_depend, so what is found there is
-- what the database has in addition.
with dependent (kind, oid, classid, objid, objsubid, reads) as (
  select x.kind, r.ev_class, 'pg_rewrite'::regclass, r.oid, 0, x.kind
    from pg_rewrite r
   cross join lateral (values ('r'), ('w')) x (kind)
   where r.oid >= 16384
     and r.ev_enabled <> 'D'
     and (x.kind = 'w' or r.ev_type = '1')
  union all
  select 'r', p.polrelid, 'pg_policy'::regclass, p.oid, 0, 'r'
    from pg_policy p
    join pg_class c on c.oid = p.polrelid and c.relrowsecurity
  union all
  select 'w', d.adrelid, 'pg_attrdef'::regclass, d.oid, 0, 'r'
    from pg_attrdef d
  union all
  -- PostgreSQL 14 hangs what an expression uses on the column, later ones on
  -- its default.
  select k.kind, g.attrelid, x.classid, x.objid, x.objsubid, 'r'
    from pg_attribute g
    join pg_attrdef d on d.adrelid = g.attrelid and d.adnum = g.attnum
   cross join (values ('r'), ('w')) k (kind)
   cross join lateral (values ('pg_attrdef'::regclass, d.oid, 0),
                              ('pg_class'::regclass, g.attrelid, g.attnum::int)) as x (classid, objid, objsubid)
   where g.attgenerated <> ''
  union all
  select case when k.contypid = 0 then 'p' else 't' end, case when k.contypid = 0 then k.conrelid else k.contypid end, 'pg_constraint'::regclass, k.oid, 0, 'r'
    from pg_constraint k
   where k.contype = 'c'
  union all
  select 'w', t.tgrelid, 'pg_trigger'::regclass, t.oid, 0, 'r'
    from pg_trigger t
   where t.tgqual is not null
  union all
  select 'p', i.indrelid, 'pg_class'::regclass, i.indexrelid, 0, 'r'
    from pg_index i
   where i.indexprs is not null or i.indpred is not null
  union all
  select 'p', p.partrelid, 'pg_class'::regclass, p.partrelid, 0, 'r'
    from pg_partitioned_table p
  union all
  select 'p', s.stxrelid, 'pg_statistic_ext'::regclass, s.oid, 0, 'r'
    from pg_statistic_ext s
   where s.stxexprs is not null
  union all
  select 'f', p.oid, 'pg_proc'::regclass, p.oid, 0, case p.provolatile when 'v' then 'w' else 'r' end
    from pg_proc p
   where p.oid >= 16384
  union all
  select 't', t.oid, 'pg_type'::regclass, t.oid, 0, 'r'
    from pg_type t
   where t.oid >= 16384
     and t.typrelid = 0
     and t.typelem = 0
),
typed (relid) as (select distinct attrelid from pg_attribute where atttypid >= 16384 and attnum > 0),
-- Relations that may have code of their owners in what the planner and indexes run.
coded (relid) as (
  select relid from typed
  union all
  select indrelid from pg_index where indexprs is not null or indpred is not null or 16384 <= any (indclass::oid[])
  union all
  select partrelid from pg_partitioned_table
  union all
  select stxrelid from pg_statistic_ext where stxexprs is not null
  union all
  select conrelid from pg_constraint where contype = 'c'
),
-- Types for which the database has operators, casts or operator classes of its own.
operated (typid) as (
  select unnest(array[oprleft, oprright]) from pg_operator where oid >= 16384
  union all
  select unnest(array[castsource, casttarget]) from pg_cast where oid >= 16384
  union all
  select unnest(array[amproclefttype, amprocrighttype]) from pg_amproc where oid >= 16384
)
select distinct x.kind, x.oid,
       case d.refclassid when 'pg_proc'::regclass then 'f' when 'pg_operator'::regclass then 'o'
                         when 'pg_type'::regclass then 't' else x.reads end,
       d.refobjid
  from dependent x
  join pg_depend d on d.classid = x.classid and d.objid = x.objid and d.objsubid = x.objsubid
 where d.refclassid in ('pg_class'::regclass, 'pg_proc'::regclass, 'pg_operator'::regclass, 'pg_type'::regclass)
   and d.refobjid <> x.oid
union all
select distinct 'c', a.attrelid, 't', a.atttypid
  from pg_attribute a
  join pg_class c on c.oid = a.attrelid and c.relkind in ('r', 'p', 'v', 'm', 'f', 'c')
 where a.atttypid >= 16384
   and a.attnum > 0
union all
select 't', t.oid, 'c', t.typrelid
  from pg_type t
  join typed r on r.relid = t.typrelid
union all
select 't', t.oid, 't', t.typelem
  from pg_type t
  join pg_type e on e.oid = t.typelem
 where t.typelem >= 16384
   and (e.typrelid = 0 or e.typrelid in (select relid from typed) or e.oid in (select typid from operated))
union all
select 't', x.oid, 'o', o.oid
  from pg_operator o
 cross join lateral (
    select o.oprleft where o.oprleft >= 16384
    union select o.oprright where o.oprright >= 16384
    union select 0::oid where greatest(o.oprleft, o.oprright) < 16384) x (oid)
 where o.oid >= 16384
union all
select 'o', o.oid, 'f', f.oid
  from pg_operator o
 cross join lateral (values (o.oprcode::oid), (o.oprrest::oid), (o.oprjoin::oid)) f (oid)
 where o.oid >= 16384
union all
select 't', x.oid, 'f', c.castfunc
  from pg_cast c
 cross join lateral (
    select c.castsource where c.castsource >= 16384
    union select c.casttarget where c.casttarget >= 16384
    union select 0::oid where greatest(c.castsource, c.casttarget) < 16384) x (oid)
 where c.oid >= 16384
union all
select 't', x.oid, 'f', a.amproc::oid
  from pg_amproc a
 cross join lateral (values (a.amproclefttype), (a.amprocrighttype)) x (oid)
 where a.oid >= 16384
   and x.oid >= 16384
union all
-- Operator classes. Those that are the default for a type of PostgreSQL's own may run
-- wherever values of the type are compared.
select distinct x.kind, x.oid, 'f', a.amproc::oid
  from (select 'c', i.indrelid, unnest(i.indclass::oid[]) from pg_index i
        union all select 'c', p.partrelid, unnest(p.partclass::oid[]) from pg_partitioned_table p
        union all select 't', r.rngtypid, r.rngsubopc from pg_range r
        union all select 't', 0::oid, o.oid
          from pg_opclass o
          join pg_am m on m.oid = o.opcmethod and m.amname in ('btree', 'hash')
         where o.opcdefault and o.opcintype < 16384) x (kind, oid, opclass)
  join pg_opclass o on o.oid = x.opclass
  join pg_amproc a on a.amprocfamily = o.opcfamily
 where x.opclass >= 16384
union all
select 'f', a.aggfnoid::oid, 'f', f.oid
  from pg_aggregate a
 cross join lateral (values (a.aggtransfn::oid), (a.aggfinalfn::oid), (a.aggcombinefn::oid), (a.aggserialfn::oid),
    (a.aggdeserialfn::oid), (a.aggmtransfn::oid), (a.aggminvtransfn::oid), (a.aggmfinalfn::oid)) f (oid)
 where a.aggfnoid::oid >= 16384
   and f.oid <> 0
union all
select distinct 'w', t.tgrelid, 'f', t.tgfoid
  from pg_trigger t
 where t.tgfoid >= 16384 -- internal ones, too: those of partitions in PostgreSQL 14
   and t.tgenabled <> 'D'
union all
-- A foreign key that changes the rows that refer to what is written.
select distinct 'w', k.confrelid, 'w', k.conrelid
  from pg_constraint k
 where k.contype = 'f'
   and (k.confdeltype in ('c', 'n', 'd') or k.confupdtype in ('c', 'n', 'd'))
union all
-- The checks of a foreign key plan statements that read the other table.
select distinct 'w', x.relid, y.kind, x.reached
  from pg_constraint k
 cross join lateral (values (k.conrelid, k.confrelid), (k.confrelid, k.conrelid)) x (relid, reached)
 cross join (values ('c'), ('p')) y (kind)
 where k.contype = 'f'
   and x.reached in (select relid from coded)
union all
select x.kind, x.relid, x.kind, x.reached
  from pg_inherits i
 cross join lateral (values ('r', i.inhparent, i.inhrelid), ('w', i.inhparent, i.inhrelid), ('w', i.inhrelid, i.inhparent)) x (kind, relid, reached)
union all
select distinct 'w', a.attrelid, 'f', 'nextval(regclass)'::regprocedure::oid
  from pg_attribute a
 where a.attidentity <> ''
