package check

// keyRules are about foreign keys.
var keyRules = []rule{
	{name: "foreign-key-index", level: Warning, why: "An embed from the referenced table, and each delete there, reads the whole referencing table.",
		sql: `
select pg_catalog.format('No index of %s begins with the columns of the foreign key %I (%s).', k.conrelid::pg_catalog.regclass, k.conname, columns.list),
       pg_catalog.format('CREATE INDEX %sON %s (%s);', case c.relkind when 'p' then '' else 'CONCURRENTLY ' end, k.conrelid::pg_catalog.regclass, columns.list)
  from served
  join pg_catalog.pg_constraint k on k.conrelid = served.oid and k.contype = 'f' and k.conparentid = 0
  join pg_catalog.pg_class c on c.oid = k.conrelid
  cross join lateral (
    select pg_catalog.string_agg(pg_catalog.quote_ident(a.attname), ', ' order by f.n) as list
      from pg_catalog.unnest(k.conkey) with ordinality f(attnum, n) join pg_catalog.pg_attribute a on a.attrelid = k.conrelid and a.attnum = f.attnum
  ) columns
 where not exists (
   select from pg_catalog.pg_index i
    where i.indrelid = k.conrelid and i.indisvalid and i.indpred is null
      and (i.indkey::pg_catalog.int2[])[0:pg_catalog.cardinality(k.conkey) - 1] @> k.conkey
      and i.indnkeyatts >= pg_catalog.cardinality(k.conkey))`},
}
