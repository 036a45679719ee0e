package check

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// policy is a row of pg_policy on a table whose rows clients see.
type policy struct {
	table, name  string   // quoted
	using, check string   // expressions, "" for none
	public       bool     // it is for PUBLIC
	roles        string   // roles of requests with a privilege on the table, quoted and separated by commas
	calls        []string // functions of the database that it calls, quoted, except IMMUTABLE ones
	volatile     []string // those of them that are VOLATILE
}

const policyQuery = `
select t.oid::pg_catalog.regclass, pg_catalog.quote_ident(p.polname),
       pg_catalog.pg_get_expr(p.polqual, p.polrelid), pg_catalog.pg_get_expr(p.polwithcheck, p.polrelid),
       p.polroles = array[0::pg_catalog.oid],
       (select pg_catalog.string_agg(pg_catalog.quote_ident(r.rolname), ', ' order by r.rolname)
          from reachable r where not r.rolbypassrls and not r.rolsuper and r.rolname !~ '^pg_'
           and pg_catalog.has_table_privilege(r.oid, t.oid, 'SELECT, INSERT, UPDATE, DELETE')),
       (` + policyCalls + ` and f.provolatile <> 'i'), (` + policyCalls + ` and f.provolatile = 'v')
  from served join pg_catalog.pg_class t using (oid) join pg_catalog.pg_policy p on p.polrelid = t.oid
 order by t.oid::pg_catalog.regclass::pg_catalog.text, p.polname`

const policyCalls = `select pg_catalog.json_agg(pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(f.proname))
               from pg_catalog.pg_depend d join pg_catalog.pg_proc f on f.oid = d.refobjid join pg_catalog.pg_namespace n on n.oid = f.pronamespace
              where d.classid = 'pg_catalog.pg_policy'::pg_catalog.regclass and d.objid = p.oid
                and d.refclassid = 'pg_catalog.pg_proc'::pg_catalog.regclass`

// checkPolicies looks at the policies of row security.
func (s *session) checkPolicies(ctx context.Context) ([]Finding, error) {
	var policies []policy
	err := s.rows(ctx, policyQuery, func(columns [][]byte) error {
		p := policy{table: string(columns[0]), name: string(columns[1]), using: string(columns[2]), check: string(columns[3]),
			public: string(columns[4]) == "t", roles: string(columns[5])}
		err := errors.Join(listOf(columns[6], &p.calls), listOf(columns[7], &p.volatile))
		policies = append(policies, p)
		return err
	})
	if err != nil {
		return nil, err
	}
	var perRow, public []Finding
	for i := range policies {
		p := &policies[i]
		perRow = append(perRow, p.perRow()...)
		if p.public && p.roles != "" {
			public = append(public, Finding{Advice, "policy-public", fmt.Sprintf("The policy %s on %s is for PUBLIC.", p.name, p.table),
				"It applies to every role, also to those that are made later, and PostgreSQL evaluates it for each of them.",
				fmt.Sprintf("ALTER POLICY %s ON %s TO %s; -- or to fewer roles", p.name, p.table, p.roles)})
		}
	}
	return append(perRow, public...), nil
}

// perRow finds calls that PostgreSQL makes for each row, although their result is the same for all rows.
func (p *policy) perRow() []Finding {
	do, calls, unless := "", "", ""
	for _, part := range [][2]string{{"USING", p.using}, {"WITH CHECK", p.check}} {
		rewritten, found := hoistCalls(part[1], p.calls)
		if found == "" {
			continue
		}
		do += fmt.Sprintf(" %s (%s)", part[0], rewritten)
		if calls == "" {
			calls = found
		}
		if slices.ContainsFunc(p.volatile, func(name string) bool { return strings.Contains(rewritten, "SELECT "+name+"(") }) {
			unless = "-- if the VOLATILE function returns the same for all rows:\n"
		}
	}
	if do == "" {
		return nil
	}
	return []Finding{{Warning, "policy-per-row", fmt.Sprintf("The policy %s on %s calls %s for each row.", p.name, p.table, calls),
		"In a subquery, (SELECT ...), PostgreSQL calls the function once for the whole statement.",
		unless + fmt.Sprintf("ALTER POLICY %s ON %s%s;", p.name, p.table, do)}}
}
