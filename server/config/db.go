package config

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"strings"
)

// Querier runs a statement with text parameters and hands every row to each,
// columns in text format, nil for null, valid only during the call. All that
// one call does must be one transaction.
type Querier func(ctx context.Context, sql string, args []string, each func(columns [][]byte) error) error

// databasePrefix begins the names of our settings inside the database.
const databasePrefix = "pgrst."

// These statements are parsed under the session's own search_path, with the
// rights of the role we connect as. A user who may create objects in a schema of
// that path could have an operator there that fits its operands better than
// PostgreSQL's. So all names have their schema, those of operators too. Syntax
// whose operator cannot have a schema (CASE x WHEN y, IN) is not used.

// storedSettings gives what ALTER ROLE ... SET stored for the role we connect
// as: everywhere (rank 1), and for this database (rank 2). What is stored for
// the database alone does not count.
const storedSettings = `
select case when s.setdatabase operator(pg_catalog.=) 0::pg_catalog.oid then 1 else 2 end as rank,
       pg_catalog.split_part(item, '=', 1) as name,
       pg_catalog.substr(item, pg_catalog.strpos(item, '=') operator(pg_catalog.+) 1) as value
from pg_catalog.pg_db_role_setting s
cross join lateral pg_catalog.unnest(s.setconfig) as item
where s.setrole operator(pg_catalog.=) (select r.oid from pg_catalog.pg_roles r where r.rolname operator(pg_catalog.=) current_user)
  and (s.setdatabase operator(pg_catalog.=) 0::pg_catalog.oid
       or s.setdatabase operator(pg_catalog.=) (select d.oid from pg_catalog.pg_database d where d.datname operator(pg_catalog.=) pg_catalog.current_database()))`

// configuredSettings gives what the pre-config function set (rank 0). The
// function is called before any setting is read because a joined row needs a
// row from each side, and the settings are read from joined rows.
func configuredSettings(function QualifiedName) string {
	return `
select 0 as rank, name, pg_catalog.current_setting(name, true) as value
from ` + quoteName(function) + `() as called
cross join pg_catalog.unnest($1::pg_catalog.text[]) as name`
}

// ReadDatabase reads the settings kept in the database, for
// LoadOptions.Database. The zero name calls no function. The function runs
// with the rights of the role we connect as.
func ReadDatabase(ctx context.Context, query Querier, preConfig QualifiedName) (map[string]string, error) {
	sql := storedSettings
	if !preConfig.IsZero() {
		sql = configuredSettings(preConfig) + "\nunion all" + sql
	}
	sql = "with found as (" + sql + `
)
select name, value from found
where name operator(pg_catalog.=) any ($1::pg_catalog.text[]) and value is not null
order by rank`
	found := map[string]string{}
	err := query(ctx, sql, []string{databaseNames()}, func(columns [][]byte) error {
		// By rising rank: the strongest comes last.
		found[strings.TrimPrefix(string(columns[0]), databasePrefix)] = validText(string(columns[1]))
		return nil
	})
	if err != nil {
		return nil, err
	}
	return found, nil
}

// databaseNames is the array literal of all names that may be set in the
// database. None needs quoting.
func databaseNames() string {
	var names []string
	for i := range settings {
		if settings[i].inDatabase {
			names = append(names, databasePrefix+databaseName(settings[i].key))
		}
	}
	return "{" + strings.Join(names, ",") + "}"
}

// roleSettings gives the settings of the roles we are a direct member of, as
// far as we may set them. Before version 15 only settings of context user
// can be set; from then on the right to set others can be granted.
func roleSettings(version int) string {
	mayToo := ""
	if version >= 150000 {
		mayToo = " or pg_catalog.has_parameter_privilege(p.name, 'set')"
	}
	return `
select r.rolname, pg_catalog.split_part(item, '=', 1), pg_catalog.substr(item, pg_catalog.strpos(item, '=') operator(pg_catalog.+) 1)
from pg_catalog.pg_auth_members m
join pg_catalog.pg_roles r on r.oid operator(pg_catalog.=) m.roleid
cross join lateral pg_catalog.unnest(r.rolconfig) as item
join pg_catalog.pg_settings p on p.name operator(pg_catalog.=) pg_catalog.split_part(item, '=', 1)
where m.member operator(pg_catalog.=) (select me.oid from pg_catalog.pg_roles me where me.rolname operator(pg_catalog.=) current_user)
  and (p.context operator(pg_catalog.=) 'user'` + mayToo + `)`
}

const isolationSetting = "default_transaction_isolation"

// ReadRoles reads the settings of the roles requests may run as, for
// LoadOptions. The isolation level is kept apart: it must be known before a
// transaction begins, while the others are set inside.
func ReadRoles(ctx context.Context, query Querier) (map[string][]Setting, map[string]Isolation, error) {
	version := 0
	err := query(ctx, "select pg_catalog.current_setting('server_version_num')", nil, func(columns [][]byte) error {
		n, err := strconv.Atoi(string(columns[0]))
		version = n
		return err
	})
	if err != nil {
		return nil, nil, err
	}
	list := map[string][]Setting{}
	isolation := map[string]Isolation{}
	err = query(ctx, roleSettings(version), nil, func(columns [][]byte) error {
		role, name, v := string(columns[0]), string(columns[1]), string(columns[2])
		if name == isolationSetting {
			isolation[role] = parseIsolation(v)
			return nil
		}
		list[role] = append(list[role], Setting{Name: name, Value: v})
		return nil
	})
	if err != nil {
		return nil, nil, err
	}
	for _, role := range list {
		slices.SortFunc(role, func(a, b Setting) int { return cmp.Compare(a.Name, b.Name) })
	}
	return list, isolation, nil
}

// CheckRole reports whether a role exists, and whether the role we connect as may
// become it.
func CheckRole(ctx context.Context, query Querier, role string) (exists, member bool, err error) {
	// From version 16 on a membership may come without the right to become the role.
	const sql = `
select pg_catalog.pg_has_role(session_user, r.oid,
         case when pg_catalog.current_setting('server_version_num')::pg_catalog.int4 operator(pg_catalog.>=) 160000 then 'SET' else 'MEMBER' end)
from pg_catalog.pg_roles r
where r.rolname operator(pg_catalog.=) $1::pg_catalog.name`
	err = query(ctx, sql, []string{role}, func(columns [][]byte) error {
		exists, member = true, string(columns[0]) == "t"
		return nil
	})
	return exists, member, err
}

// parseIsolation reads a level; read uncommitted is read committed to
// PostgreSQL.
func parseIsolation(level string) Isolation {
	switch strings.ToLower(level) {
	case "repeatable read":
		return RepeatableRead
	case "serializable":
		return Serializable
	default:
		return ReadCommitted
	}
}

func quoteName(q QualifiedName) string {
	name := quoteIdent(q.Name)
	if q.Schema != "" {
		name = quoteIdent(q.Schema) + "." + name
	}
	return name
}

func quoteIdent(s string) string { return `"` + strings.ReplaceAll(s, `"`, `""`) + `"` }
