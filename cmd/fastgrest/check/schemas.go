package check

// schemaRules are about db-schemas and db-extra-search-path.
var schemaRules = []rule{
	{name: "schema-missing", level: Error, why: "Requests for this schema fail, and so does loading the schema cache.",
		sql: `
select pg_catalog.format('The schema %I of db-schemas does not exist.', s.name), pg_catalog.format('CREATE SCHEMA %I;', s.name) || coalesce((select pg_catalog.format(' GRANT USAGE ON SCHEMA %I TO %I;', s.name, anon.rolname) from anon), '')
  from given, pg_catalog.unnest(given.schemas) s(name) where not exists (select from exposed where exposed.name = s.name)`},
	{name: "search-path-missing", level: Advice, why: "The name has no effect.",
		sql: `
select pg_catalog.format('The schema %I of db-extra-search-path does not exist.', s.name), pg_catalog.format('CREATE SCHEMA %I; -- or remove it from db-extra-search-path', s.name)
  from given, pg_catalog.unnest(given.extra) s(name) where not exists (select from extra where extra.name = s.name)`},
	{name: "schema-usage", level: Error, why: "Every request for this schema gets an error.",
		sql: `
select pg_catalog.format('No role of a request has USAGE on the schema %I.', e.name),
       pg_catalog.format('GRANT USAGE ON SCHEMA %I TO %I;', e.name, coalesce((select anon.rolname from anon), (select pg_catalog.min(r.rolname) from reachable r)))
  from exposed e
 where not exists (select from reachable r where pg_catalog.has_schema_privilege(r.oid, e.oid, 'USAGE'))
   and not exists (select from anon where pg_catalog.has_schema_privilege(anon.oid, e.oid, 'USAGE'))
   and exists (select from reachable)`},
	{name: "schema-create", level: Warning, why: "A role that creates objects there can replace a function that others call.",
		sql: `
select pg_catalog.format('%s may create objects in the schema %I.', grantee.shown, s.name),
       pg_catalog.format('REVOKE CREATE ON SCHEMA %I FROM %s;', s.name, grantee.name)
  from (select * from exposed union select * from extra) s
  join pg_catalog.pg_namespace n on n.oid = s.oid
  cross join lateral pg_catalog.aclexplode(n.nspacl) acl
  cross join lateral (
    select 'Every role' as shown, 'PUBLIC' as name where acl.grantee = 0
    union all
    select pg_catalog.format('The role %I', r.rolname), pg_catalog.quote_ident(r.rolname) from anon r where r.oid = acl.grantee
  ) grantee
 where acl.privilege_type = 'CREATE'`},
	{name: "extension-exposed", level: Advice, why: "Clients can call the functions of the extension.",
		sql: `
select pg_catalog.format('The extension %I is in the exposed schema %I.', x.extname, e.name),
       pg_catalog.format(E'CREATE SCHEMA IF NOT EXISTS extensions; GRANT USAGE ON SCHEMA extensions TO PUBLIC;\nALTER EXTENSION %I SET SCHEMA extensions;\n-- and in the configuration: db-extra-search-path = "%s"',
         x.extname, pg_catalog.array_to_string(given.extra || 'extensions'::pg_catalog.text, ', '))
  from given, pg_catalog.pg_extension x join exposed e on e.oid = x.extnamespace
 where x.extrelocatable and exists (select from pg_catalog.pg_depend d
        where d.refclassid = 'pg_catalog.pg_extension'::pg_catalog.regclass and d.refobjid = x.oid and d.deptype = 'e'
          and d.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass)`},
	{name: "roles-missing", level: Error, why: "Every request fails, with and without a token.",
		sql: `
select pg_catalog.format('The role %I of the server may not switch to any role.', me.rolname),
       pg_catalog.format('CREATE ROLE web_anon NOLOGIN; GRANT web_anon TO %I;', me.rolname)
  from me where not me.rolsuper and $5 = '' and not exists (select from reachable)`},
}
