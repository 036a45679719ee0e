-- One row per system catalog that the other queries read: the number of its
-- rows, and a sum over the transactions that wrote them. Every CREATE, ALTER
-- and DROP changes one of the two. The sum uses xmin as text. The age of xmin
-- would change by itself; the text does not, because freezing a row keeps its
-- xmin.
--
-- Objects that change often and that the other queries do not need are left
-- out: temporary tables; toast tables and the rows of indexes, which VACUUM
-- FULL and REINDEX replace. Statistics and file names in pg_class are left out, too.
-- That is why the sum over pg_class uses values instead of xmin.
--
-- There are joins instead of a common subquery: from the real sizes of the
-- catalogs, PostgreSQL then plans one sequential scan of each, which is the
-- cheapest here.
select 'class', count(*), sum(hashtext(concat(oid, ' ', relname, relnamespace, relkind, relrowsecurity, relispartition, relowner, reloptions)))
  from pg_class
 where relkind in ('r', 'p', 'v', 'm', 'f') and relpersistence <> 't' and oid >= 16384
union all
select 'attribute', count(*), sum(hashtext(a.xmin::text))
  from pg_attribute a
  join pg_class c on c.oid = a.attrelid
 where c.relkind in ('r', 'p', 'v', 'm', 'f') and c.relpersistence <> 't' and c.oid >= 16384
   and a.attnum > 0 and not a.attisdropped
union all
select 'attrdef', count(*), sum(hashtext(d.xmin::text))
  from pg_attrdef d
  join pg_class c on c.oid = d.adrelid and c.relpersistence <> 't'
union all
select 'constraint', count(*), sum(hashtext(k.xmin::text))
  from pg_constraint k
  left join pg_class c on c.oid = k.conrelid
 where c.relpersistence is distinct from 't'
union all
select 'rewrite', count(*), sum(hashtext(r.xmin::text))
  from pg_rewrite r
  join pg_class c on c.oid = r.ev_class and c.relpersistence <> 't'
union all
select 'policy', count(*), sum(hashtext(xmin::text)) from pg_policy
union all
select 'trigger', count(*), sum(hashtext(t.xmin::text))
  from pg_trigger t
  join pg_class c on c.oid = t.tgrelid and c.relpersistence <> 't'
 where not t.tgisinternal
union all
-- Only indexes that run code of the database, and unique ones. REINDEX CONCURRENTLY
-- makes an index that is not valid until it replaces the other one.
select 'index', count(*), sum(hashtext(concat(i.indrelid, ' ', i.indexprs, i.indpred, i.indclass, ' ',
                                              case when i.indisunique and i.indisvalid then concat(i.indkey, ' ', i.indnkeyatts, ' ', x.relname) end)))
  from pg_index i
  join pg_class x on x.oid = i.indexrelid
  join pg_class c on c.oid = i.indrelid and c.relpersistence <> 't'
 where i.indexrelid >= 16384
   and (i.indexprs is not null or i.indpred is not null or 16384 <= any (i.indclass::oid[])
     or i.indisunique and i.indisvalid)
union all
select 'operator', count(*), sum(hashtext(xmin::text)) from pg_operator where oid >= 16384
union all
select 'amproc', count(*), sum(hashtext(xmin::text)) from pg_amproc where oid >= 16384
union all
select 'inherits', count(*), sum(hashtext(xmin::text)) from pg_inherits
union all
select 'proc', count(*), sum(hashtext(xmin::text)) from pg_proc where oid >= 16384
union all
select 'type', count(*), sum(hashtext(xmin::text)) from pg_type where oid >= 16384 and typrelid = 0 and typelem = 0
union all
select 'enum', count(*), sum(hashtext(xmin::text)) from pg_enum
union all
select 'cast', count(*), sum(hashtext(xmin::text)) from pg_cast
union all
select 'namespace', count(*), sum(hashtext(xmin::text))
  from pg_namespace
 where nspname !~ '^pg_(toast_)?temp_'
union all
select 'description', count(*), sum(hashtext(xmin::text)) from pg_description
union all
select 'setting', count(*), sum(hashtext(xmin::text)) from pg_db_role_setting
union all
select 'member', count(*), sum(hashtext(xmin::text)) from pg_auth_members
union all
select 'role', count(*), sum(hashtext(concat(oid, ' ', rolname, rolsuper, rolinherit))) from pg_roles
