package check

// functionRules are about functions that clients can call.
var functionRules = []rule{
	{name: "definer-search-path", level: Warning, why: "A caller can put objects of their own into the search path, and the function uses them with the rights of its owner.",
		sql: `
select pg_catalog.format('The function %s is SECURITY DEFINER and has no search_path of its own.', p.shown),
       pg_catalog.format('ALTER ROUTINE %s SET search_path = %s, pg_temp;', p.shown,
         (select pg_catalog.string_agg(pg_catalog.quote_ident(path.name), ', ' order by path.n)
            from (select n.nspname as name, 0 as n from pg_catalog.pg_namespace n where n.oid = p.pronamespace
                  union all
                  select s.name, s.n from pg_catalog.unnest(given.extra) with ordinality s(name, n)
                   where s.name <> (select n.nspname from pg_catalog.pg_namespace n where n.oid = p.pronamespace)) path))
  from given, routine p
 where p.prosecdef and not exists (select from pg_catalog.unnest(p.proconfig) item where item like 'search_path=%')
   and p.prosqlbody is null`},
	{name: "function-public-definer", level: Warning, why: "Every role may call it, the anonymous one included, and it runs with the rights of its owner.",
		sql: publicFunctions("p.prosecdef", "The function %s is SECURITY DEFINER, and PUBLIC may call it.")},
	{name: "function-public", level: Advice, why: "PostgreSQL lets PUBLIC call every new function, so every client can call it, or select it as a computed field.",
		sql: publicFunctions("not p.prosecdef", "PUBLIC may call the function %s.")},
}

// publicFunctions finds functions with EXECUTE for PUBLIC, in schemas that a role of a request may use. With the GRANT
// nothing changes for the roles of requests.
func publicFunctions(which, found string) string {
	return `
select pg_catalog.format('` + found + `', p.shown),
       pg_catalog.format(E'%2$sREVOKE EXECUTE ON ROUTINE %1$s FROM PUBLIC;', p.shown,
         (select pg_catalog.format(E'-- leave out roles that need not call it:\nGRANT EXECUTE ON ROUTINE %s TO %s;\n', p.shown,
                   pg_catalog.string_agg(pg_catalog.quote_ident(r.rolname), ', ' order by r.rolname))
            from (select reachable.oid, reachable.rolname, reachable.rolsuper from reachable union select anon.oid, anon.rolname, anon.rolsuper from anon) r
           where r.oid <> p.proowner and not r.rolsuper and r.rolname not like 'pg\_%'
             and pg_catalog.has_schema_privilege(r.oid, p.pronamespace, 'USAGE')
          having pg_catalog.count(*) > 0))
  from routine p
 where ` + which + `
   and exists (select from pg_catalog.aclexplode(coalesce(p.proacl, pg_catalog.acldefault('f', p.proowner))) acl
                where acl.grantee = 0 and acl.privilege_type = 'EXECUTE')
   and exists (select from (select oid from reachable union select oid from anon) r where pg_catalog.has_schema_privilege(r.oid, p.pronamespace, 'USAGE'))`
}
