package check

// tableRules are about tables in exposed schemas.
var tableRules = []rule{
	{name: "table-anon-write", level: Warning, why: "Everybody can change every row, because the table has no row security.",
		sql: anonTables("INSERT, UPDATE, DELETE", "Requests without a token may write to the table %s.",
			`ALTER TABLE %1$s ENABLE ROW LEVEL SECURITY;\n-- then a policy for each kind of write that is meant, for example:\n-- CREATE POLICY own ON %1$s TO %2$I USING (...) WITH CHECK (...);`)},
	{name: "table-anon-read", level: Advice, why: "Everybody can read every row, because the table has no row security.",
		sql: anonTables("SELECT", "Requests without a token may read all of the table %s.",
			`ALTER TABLE %1$s ENABLE ROW LEVEL SECURITY;\n-- with these policies nothing changes for the roles of requests:\nCREATE POLICY everyone_reads ON %1$s FOR SELECT TO %3$s USING (true);%4$s`)},
	{name: "sequence-usage", level: Warning, why: "An insert without a value for the column fails.",
		sql: `
select pg_catalog.format('The role %I may insert into %s, and not use the sequence of its column %I.', r.rolname, relation.shown, a.attname),
       pg_catalog.format('GRANT USAGE ON SEQUENCE %s TO %I;', q.oid::pg_catalog.regclass, r.rolname)
  from relation
  join pg_catalog.pg_attrdef ad on ad.adrelid = relation.oid
  join pg_catalog.pg_attribute a on a.attrelid = ad.adrelid and a.attnum = ad.adnum
  join pg_catalog.pg_depend d on d.classid = 'pg_catalog.pg_attrdef'::pg_catalog.regclass and d.objid = ad.oid
                             and d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass
  join pg_catalog.pg_class q on q.oid = d.refobjid
  cross join reachable r
 where pg_catalog.has_table_privilege(r.oid, relation.oid, 'INSERT')
   and case when q.relkind = 'S' then not pg_catalog.has_sequence_privilege(r.oid, q.oid, 'USAGE, UPDATE') end`},
	{name: "key-missing", level: Advice, why: "PUT, upsert and the Location of a new row need a primary key.",
		sql: `
select pg_catalog.format('The table %s has no primary key, and clients may write to it.', relation.shown),
       coalesce((select pg_catalog.format('ALTER TABLE %s ADD PRIMARY KEY (%s);', relation.shown, columns.list)
                   from pg_catalog.pg_index i cross join lateral (
                     select pg_catalog.string_agg(pg_catalog.quote_ident(a.attname), ', ' order by k.n) as list, pg_catalog.bool_and(a.attnotnull) as filled
                       from pg_catalog.unnest(i.indkey) with ordinality k(attnum, n)
                       left join pg_catalog.pg_attribute a on a.attrelid = i.indrelid and a.attnum = k.attnum
                      where k.n <= i.indnkeyatts) columns
                  where i.indrelid = relation.oid and i.indisunique and i.indisvalid and i.indpred is null and i.indexprs is null and columns.filled
                  order by i.indnkeyatts, i.indexrelid limit 1),
         pg_catalog.format('ALTER TABLE %s ADD COLUMN id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY; -- or of columns that are unique', relation.shown))
  from relation
 where relation.kind in ('r', 'p')
   and not exists (select from pg_catalog.pg_index i where i.indrelid = relation.oid and i.indisprimary)
   and exists (select from reachable r where pg_catalog.has_table_privilege(r.oid, relation.oid, 'INSERT')
                                          or pg_catalog.has_any_column_privilege(r.oid, relation.oid, 'INSERT'))`},
}

// anonTables finds tables without row security on which the anonymous role has one of the privileges. found has one
// argument, the table. do has the table, the role, all roles of requests that may read the table, and a policy for the
// others that may write to it. Without these policies the other roles would lose all rows.
func anonTables(privileges, found, do string) string {
	return `
select pg_catalog.format('` + found + `', relation.shown), pg_catalog.format(E'` + do + `', relation.shown, anon.rolname,
         (select pg_catalog.string_agg(pg_catalog.quote_ident(r.rolname), ', ' order by r.rolname)
            from (select reachable.oid, reachable.rolname from reachable where not reachable.rolsuper union select anon.oid, anon.rolname) r
           where r.oid = anon.oid or pg_catalog.has_any_column_privilege(r.oid, relation.oid, 'SELECT')),
         (select pg_catalog.format(E'\nCREATE POLICY others_write ON %s TO %s USING (true) WITH CHECK (true);', relation.shown,
                   pg_catalog.string_agg(pg_catalog.quote_ident(r.rolname), ', ' order by r.rolname))
            from reachable r
           where r.oid <> anon.oid and not r.rolsuper and (pg_catalog.has_table_privilege(r.oid, relation.oid, 'INSERT, UPDATE, DELETE')
                                                        or pg_catalog.has_any_column_privilege(r.oid, relation.oid, 'INSERT, UPDATE'))
          having pg_catalog.count(*) > 0))
  from relation, anon
 where relation.kind in ('r', 'p') and not relation.secured and not anon.rolsuper
   and pg_catalog.has_schema_privilege(anon.oid, (select c.relnamespace from pg_catalog.pg_class c where c.oid = relation.oid), 'USAGE')
   and (pg_catalog.has_table_privilege(anon.oid, relation.oid, '` + privileges + `')
     or pg_catalog.has_any_column_privilege(anon.oid, relation.oid, '` + columnPrivileges[privileges] + `'))`
}

// columnPrivileges are those of the privileges of a table that can be granted on columns.
var columnPrivileges = map[string]string{"INSERT, UPDATE, DELETE": "INSERT, UPDATE", "SELECT": "SELECT"}
