package check

// limitRules compare db-pool with the limits of PostgreSQL. The server opens db-pool connections and one to listen.
var limitRules = []rule{
	{name: "pool-max-connections", level: Error, why: "Under load the server cannot open its connections, and requests fail.",
		sql: `
select pg_catalog.format('db-pool is %s, and PostgreSQL has %s connections for ordinary roles.', given.pool, free.n),
       pg_catalog.format('db-pool = %s', greatest(1, free.n - 1))
  from given, me, lateral (
    select pg_catalog.sum(case s.name when 'max_connections' then 1 else -1 end * s.setting::pg_catalog.int4)::pg_catalog.int4 as n
      from pg_catalog.pg_settings s where s.name in ('max_connections', 'superuser_reserved_connections', 'reserved_connections')
  ) free
 where given.pool + 1 > free.n`},
	{name: "pool-connection-limit", level: Error, why: "Under load the server cannot open its connections, and requests fail.",
		sql: `
select pg_catalog.format('db-pool is %s, and the role %I may have %s connections.', given.pool, me.rolname, me.rolconnlimit),
       pg_catalog.format('ALTER ROLE %I CONNECTION LIMIT %s;', me.rolname, given.pool + 1)
  from given, me where me.rolconnlimit >= 0 and given.pool + 1 > me.rolconnlimit and not me.rolsuper
union all
select pg_catalog.format('db-pool is %s, and the database %I may have %s connections.', given.pool, d.datname, d.datconnlimit),
       pg_catalog.format('ALTER DATABASE %I CONNECTION LIMIT %s;', d.datname, given.pool + 1)
  from given, me, pg_catalog.pg_database d
 where d.datname = pg_catalog.current_database() and d.datconnlimit >= 0 and given.pool + 1 > d.datconnlimit and not me.rolsuper`},
}
