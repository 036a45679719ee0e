-- What a read of a relation reads and runs. Columns: the relation, a kind, and
-- for r and i another relation.
--
--  r  a relation that its view definition, policies or generated columns name
--  i  a relation that inherits from it or is a partition of it
--  x  code that is not built in and may run: a function, an operator, or a
--     type whose checks may run one
--  t  another type that is not built in
--
-- One kind is about writes, and is here because it propagates in the same way:
--
--  w  a rule rewrites writes to the relation
--
-- pg_depend has no entries for pinned system objects. So the objects found here
-- are those that the database's owners added.
with reader (relid, classid, objid, objsubid) as (
  select r.ev_class, 'pg_rewrite'::regclass, r.oid, 0
    from pg_rewrite r
    join pg_class v on v.oid = r.ev_class and v.relkind = 'v'
   where r.ev_type = '1'
  union all
  select p.polrelid, 'pg_policy'::regclass, p.oid, 0
    from pg_policy p
    join pg_class c on c.oid = p.polrelid and c.relrowsecurity
  union all
  -- PostgreSQL 14 stores the dependencies of a generation expression on the
  -- column, later versions on its default.
  select g.attrelid, x.classid, x.objid, x.objsubid
    from pg_attribute g
    join pg_attrdef d on d.adrelid = g.attrelid and d.adnum = g.attnum
   cross join lateral (values ('pg_attrdef'::regclass, d.oid, 0),
                              ('pg_class'::regclass, g.attrelid, g.attnum::int)) as x (classid, objid, objsubid)
   where g.attgenerated <> ''
),
used as (
  select distinct s.relid, d.refclassid, d.refobjid
    from reader s
    join pg_depend d on d.classid = s.classid and d.objid = s.objid and d.objsubid = s.objsubid
   where d.refclassid in ('pg_class'::regclass, 'pg_proc'::regclass, 'pg_operator'::regclass, 'pg_type'::regclass)
     and d.refobjid <> s.relid
)
select u.relid, 'r', u.refobjid
  from used u
 where u.refclassid = 'pg_class'::regclass
union all
select i.inhparent, 'i', i.inhrelid
  from pg_inherits i
union all
select distinct u.relid, 'x', 0::oid
  from used u
  left join pg_proc p on u.refclassid = 'pg_proc'::regclass and p.oid = u.refobjid
  left join pg_operator o on u.refclassid = 'pg_operator'::regclass and o.oid = u.refobjid
 where (p.oid >= 16384 or p.pronamespace <> 'pg_catalog'::regnamespace
     or o.oid >= 16384 or o.oprnamespace <> 'pg_catalog'::regnamespace)
union all
select distinct u.relid,
       case when coalesce(e.typtype, t.typtype) in ('d', 'c') then 'x' else 't' end,
       0::oid
  from used u
  join pg_type t on u.refclassid = 'pg_type'::regclass and t.oid = u.refobjid
  left join pg_type e on e.oid = t.typelem and t.typlen = -1
 where t.oid >= 16384
union all
select distinct r.ev_class, 'w', 0::oid
  from pg_rewrite r
 where r.ev_type <> '1' and r.ev_enabled <> 'D'
