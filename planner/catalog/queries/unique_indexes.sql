-- One row per index in the exposed schemas $1 that ON CONFLICT can use and that
-- keys.sql does not tell: valid unique indexes without a constraint, and those of
-- exclusion constraints. Indexes of partitions are included. Columns: table, name,
-- whether it is of an exclusion constraint, numbers of its columns (NULL if there
-- are expressions), columns and expressions as SQL (NULL if there are only
-- columns), predicate as SQL.
--
-- With an outer join PostgreSQL reads the constraints once. With NOT EXISTS below
-- OR it takes the query for an expensive one, and compiles it.
select i.indrelid, x.relname, i.indisexclusion,
       case when i.indexprs is null then i.indkey[0:i.indnkeyatts - 1] end,
       case when i.indexprs is not null then
            (select string_agg('(' || pg_get_indexdef(i.indexrelid, p, false) || ')', ', ' order by p)
               from generate_series(1, i.indnkeyatts) p) end,
       pg_get_expr(i.indpred, i.indrelid)
  from pg_index i
  join pg_class x on x.oid = i.indexrelid
  join pg_namespace n on n.oid = x.relnamespace and n.nspname = any ($1::text[])
  left join pg_constraint k on k.conindid = i.indexrelid and k.contype = 'u'
 where i.indisvalid
   and i.indimmediate
   and (i.indisexclusion or i.indisunique and not i.indisprimary and k.oid is null)
