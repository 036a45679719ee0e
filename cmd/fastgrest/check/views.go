package check

// viewRules are about views in exposed schemas over tables with row security.
var viewRules = []rule{
	{name: "view-bypasses-rls", level: Warning, why: "A view reads with the rights of its owner, to whom the row security of this table does not apply.",
		from: 150000, sql: bypassingViews(invoker, grants)},
	{name: "view-bypasses-rls", level: Warning, why: "A view reads with the rights of its owner, to whom the row security of this table does not apply.",
		before: 150000, sql: bypassingViews(`-- make another role the owner, to whom row security applies, or revoke:\nREVOKE SELECT ON %1$s FROM PUBLIC, %2$s;`,
			"select pg_catalog.string_agg(pg_catalog.quote_ident(r.rolname), ', ' order by r.rolname) from reachable r where "+readsView)},
	{name: "view-owner-rls", level: Advice, from: 150000, why: "A view reads with the rights of its owner: the policies for the owner apply, not those for the role of the request.",
		sql: `
select distinct pg_catalog.format('The view %s reads the table %s, which has row security, as its owner %I.', v.shown, t.oid::pg_catalog.regclass, o.rolname),
       pg_catalog.format(E'` + invoker + `', v.shown, (` + grants + `))
` + securedViews + `
   and not ` + bypasses},
}

// invoker has the view, and the grants.
const invoker = `%2$sALTER VIEW %1$s SET (security_invoker = true);`

// readsView: the role r may read the view v.
const readsView = `pg_catalog.has_any_column_privilege(r.oid, v.oid, 'SELECT')`

// grants is SQL for the privileges that the readers of the view v lack on what it reads. It needs those on the
// columns in its query, and on all columns where a whole row is used (an attribute number of 0 in the tree).
const grants = `
  select E'-- the view then reads with the rights of the role of the request:\n' || pg_catalog.string_agg(pg_catalog.format(
           E'GRANT SELECT%s ON %s TO %I;\n', ' (' || columns.list || ')', source.oid::pg_catalog.regclass, r.rolname), ''
           order by source.oid::pg_catalog.regclass::pg_catalog.text, r.rolname)
    from (select d.refobjid as oid, pg_catalog.array_agg(distinct d.refobjsubid) filter (where d.refobjsubid <> 0) as numbers,
                 pg_catalog.bool_or(w.ev_action::pg_catalog.text like '%:varattno 0 %') as entire
            from pg_catalog.pg_rewrite w
            join pg_catalog.pg_depend d on d.classid = 'pg_catalog.pg_rewrite'::pg_catalog.regclass and d.objid = w.oid
                                       and d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass and d.refobjid <> w.ev_class
           where w.ev_class = v.oid group by d.refobjid) source
   cross join lateral (
         select pg_catalog.string_agg(pg_catalog.quote_ident(a.attname), ', ' order by a.attnum) as list
           from pg_catalog.pg_attribute a where a.attrelid = source.oid and a.attnum = any (source.numbers) and not source.entire) columns
    join reachable r on ` + readsView + ` and not r.rolsuper
   where case when columns.list is null then not pg_catalog.has_table_privilege(r.oid, source.oid, 'SELECT')
              else exists (select from pg_catalog.unnest(source.numbers) n where not pg_catalog.has_column_privilege(r.oid, source.oid, n::pg_catalog.int2, 'SELECT')) end
  having pg_catalog.count(*) > 0`

// securedViews joins views v that clients may read, their owners o and tables t with row security that they read as
// the owner.
const securedViews = `
  from relation v join below on below.top = v.oid join pg_catalog.pg_class t on t.oid = below.oid join pg_catalog.pg_roles o on o.oid = v.owner
 where v.kind = 'v' and t.relkind in ('r', 'p') and t.relrowsecurity
   and not coalesce(v.options && array['security_invoker=true', 'security_invoker=on', 'security_invoker=1', 'security_invoker=yes'], false)
   and exists (select from reachable r where ` + readsView + ` and r.oid <> o.oid)`

// bypasses: row security of t does not apply to o.
const bypasses = `(o.rolsuper or o.rolbypassrls or not t.relforcerowsecurity and pg_catalog.pg_has_role(o.oid, t.relowner, 'USAGE'))`

// bypassingViews finds views that read behind row security. do has the view, and the result of the query more.
func bypassingViews(do, more string) string {
	return `
select distinct pg_catalog.format('The view %s reads the table %s as its owner %I.', v.shown, t.oid::pg_catalog.regclass, o.rolname),
       pg_catalog.format(E'` + do + `', v.shown, (` + more + `))
` + securedViews + `
   and ` + bypasses
}
