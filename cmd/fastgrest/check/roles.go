package check

// roleRules are about the role that the server connects as, the authenticator, and the roles that requests have.
var roleRules = []rule{
	{name: "authenticator-superuser", level: Error, why: "A token may select every role of the cluster, superusers included.",
		sql: `
select pg_catalog.format('The server connects as the superuser %I.', me.rolname),
       case when me.oid = 10 then '-- make a role for the server with: fastgrest init sql'
            else pg_catalog.format('ALTER ROLE %I NOSUPERUSER;', me.rolname) end
  from me where me.rolsuper`},
	{name: "authenticator-attributes", level: Warning, why: "A function that runs as this role can do more than any request may.",
		sql: `
select pg_catalog.format('The role %I of the server has %s.', me.rolname, a.name), pg_catalog.format('ALTER ROLE %I NO%s;', me.rolname, a.name)
  from me cross join lateral (values ('BYPASSRLS', me.rolbypassrls), ('CREATEROLE', me.rolcreaterole), ('CREATEDB', me.rolcreatedb), ('REPLICATION', me.rolreplication)) a(name, has)
 where a.has and not me.rolsuper`},
	{name: "authenticator-inherit", level: Warning, before: 160000, why: "Before the role of a request is set, and in db-pre-config, the privileges of all these roles apply.",
		sql: `
select pg_catalog.format('The role %I of the server inherits the privileges of its roles.', me.rolname), pg_catalog.format('ALTER ROLE %I NOINHERIT;', me.rolname)
  from me where me.rolinherit and not me.rolsuper and exists (select from pg_catalog.pg_auth_members m where m.member = me.oid)`},
	// From 16 on each membership says for itself whether it is inherited.
	{name: "authenticator-inherit", level: Warning, from: 160000, why: "Before the role of a request is set, and in db-pre-config, the privileges of this role apply.",
		sql: `
select pg_catalog.format('The role %I of the server inherits the privileges of %I.', me.rolname, r.rolname),
       pg_catalog.format('GRANT %I TO %I WITH INHERIT FALSE GRANTED BY %I;', r.rolname, me.rolname, g.rolname)
  from me join pg_catalog.pg_auth_members m on m.member = me.oid
  join pg_catalog.pg_roles r on r.oid = m.roleid join pg_catalog.pg_roles g on g.oid = m.grantor
 where m.inherit_option and not me.rolsuper`},
	{name: "anon-missing", level: Error, why: "Requests without a token fail.",
		sql: `
select pg_catalog.format('The role %I of db-anon-role does not exist.', $5::pg_catalog.text),
       pg_catalog.format(E'CREATE ROLE %1$I NOLOGIN; GRANT %1$I TO %2$I;\nALTER ROLE %1$I SET statement_timeout = ''5s'';', $5::pg_catalog.text, me.rolname)
  from me where $5 <> '' and not exists (select from anon)`},
	{name: "anon-unreachable", level: Error, why: "Requests without a token fail.",
		sql: `
select pg_catalog.format('The server''s role %I may not switch to %I (db-anon-role).', me.rolname, anon.rolname),
       pg_catalog.format('GRANT %I TO %I', anon.rolname, me.rolname)
         || case when pg_catalog.current_setting('server_version_num')::pg_catalog.int4 >= 160000 then ' WITH SET TRUE;' else ';' end
  from me, anon where anon.oid <> me.oid and not exists (select from reachable where reachable.oid = anon.oid)`},
	{name: "anon-authenticator", level: Warning, why: "SQL that a function runs for a client can switch to every role of a token.",
		sql: `
select pg_catalog.format('db-anon-role is %I, the role that the server connects as.', me.rolname),
       pg_catalog.format(E'CREATE ROLE web_anon NOLOGIN; GRANT web_anon TO %I;\n-- and in the configuration: db-anon-role = "web_anon"', me.rolname)
  from me, anon where anon.oid = me.oid`},
	{name: "role-superuser", level: Warning, why: "A token with this role may do everything in the whole cluster.",
		sql: `
select pg_catalog.format('Requests may run as the superuser %I.', r.rolname), pg_catalog.format('REVOKE %I FROM %I;', r.rolname, v.rolname)
  from reachable r join pg_catalog.pg_roles v on v.oid = r.via where r.rolsuper`},
	{name: "role-createrole", level: Warning, why: "A token with this role may make roles and, before PostgreSQL 16, become nearly all of them.",
		sql: `
select pg_catalog.format('Requests may run as %I, which has CREATEROLE.', r.rolname), pg_catalog.format('ALTER ROLE %I NOCREATEROLE;', r.rolname)
  from reachable r where r.rolcreaterole and not r.rolsuper`},
	{name: "role-bypassrls", level: Advice, why: "Row security does not apply to a token with this role.",
		sql: `
select pg_catalog.format('Requests may run as %I, which has BYPASSRLS.', r.rolname),
       pg_catalog.format(E'-- unless this is meant, as for a service role:\nALTER ROLE %I NOBYPASSRLS;', r.rolname)
  from reachable r where r.rolbypassrls and not r.rolsuper`},
	{name: "role-predefined", level: Warning, why: "A token with this role reaches data or files that are granted to no role of the API.",
		sql: `
select pg_catalog.format('Requests may run as %I.', r.rolname), pg_catalog.format('REVOKE %I FROM %I;', r.rolname, v.rolname)
  from reachable r join pg_catalog.pg_roles v on v.oid = r.via
 where r.rolname in ('pg_read_all_data', 'pg_write_all_data', 'pg_read_server_files', 'pg_write_server_files', 'pg_execute_server_program')`},
	{name: "role-setting-ignored", level: Warning, before: 150000, why: "The server applies the settings of a role itself, and its own role may not set this one.",
		sql: `
select pg_catalog.format('The setting %s of the role %I has no effect.', pg_catalog.split_part(item, '=', 1), r.rolname),
       pg_catalog.format('ALTER ROLE %I RESET %s;', r.rolname, pg_catalog.split_part(item, '=', 1))
  from reachable r cross join lateral pg_catalog.unnest(r.rolconfig) item
  join pg_catalog.pg_settings p on p.name = pg_catalog.split_part(item, '=', 1)
 where p.context <> 'user' and not (select me.rolsuper from me)`},
	{name: "role-setting-ignored", level: Warning, from: 150000, why: "The server applies the settings of a role itself, and its own role may not set this one.",
		sql: `
select pg_catalog.format('The setting %s of the role %I has no effect.', p.name, r.rolname),
       case when p.context = 'superuser'
            then pg_catalog.format('GRANT SET ON PARAMETER %s TO %I;', p.name, me.rolname)
            else pg_catalog.format('ALTER ROLE %I RESET %s;', r.rolname, p.name) end
  from me, reachable r cross join lateral pg_catalog.unnest(r.rolconfig) item
  join pg_catalog.pg_settings p on p.name = pg_catalog.split_part(item, '=', 1)
 where p.context <> 'user' and not pg_catalog.has_parameter_privilege(p.name, 'SET')`},
	{name: "role-timeout-missing", level: Warning, why: "One expensive request without a token can keep a connection busy without a time limit.",
		sql: `
select pg_catalog.format('The role %I has no statement_timeout.', anon.rolname), pg_catalog.format('ALTER ROLE %I SET statement_timeout = ''5s'';', anon.rolname)
  from anon, given
 where given.timeout = 0
   and not exists (select from pg_catalog.unnest(anon.rolconfig) item
                    where item like 'statement_timeout=%' and item !~ '^statement_timeout=0[a-z]*$')`},
}
