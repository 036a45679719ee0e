package check

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/fastgrest/fastgrest/server/config"
)

// checkHooks looks at the functions that settings name.
func (s *session) checkHooks(ctx context.Context) ([]Finding, error) {
	c := s.config
	path := slices.Concat(c.DBSchemas, c.DBExtraSearchPath)
	if !c.DBPreRequest.IsZero() && c.DBPreRequest.Schema != "" {
		path = []string{c.DBPreRequest.Schema}
	}
	before, err := s.checkHook(ctx, "db-pre-request", c.DBPreRequest, path, "Every request calls it first, and fails.")
	if err != nil {
		return nil, err
	}
	root, err := s.checkHook(ctx, "db-root-spec", c.DBRootSpec, c.DBSchemas[:1], "Requests for / fail.")
	return append(before, root...), err
}

// hook is a function that fits a setting.
type hook struct {
	shown, schema string   // quoted
	without       []string // roles of requests that may not call it, quoted
	noUsage       []string // roles of requests that may not use its schema, quoted
}

// checkHook checks that a function exists in one of the schemas, and that roles of requests may call it.
func (s *session) checkHook(ctx context.Context, setting string, name config.QualifiedName, path []string, why string) ([]Finding, error) {
	if name.IsZero() {
		return nil, nil
	}
	var found []hook
	err := s.query(ctx, `
with reachable as (
  select r.oid, pg_catalog.quote_ident(r.rolname) as name
    from pg_catalog.json_array_elements_text($3::pg_catalog.json) t(oid) join pg_catalog.pg_roles r on r.oid = t.oid::pg_catalog.oid
), path as (
  select t.name, t.place from pg_catalog.json_array_elements_text($2::pg_catalog.json) with ordinality t(name, place)
)
select p.oid::pg_catalog.regprocedure, pg_catalog.quote_ident(n.nspname),
       (select pg_catalog.json_agg(r.name order by r.name) from reachable r where not pg_catalog.has_function_privilege(r.oid, p.oid, 'EXECUTE')),
       (select pg_catalog.json_agg(r.name order by r.name) from reachable r where not pg_catalog.has_schema_privilege(r.oid, n.oid, 'USAGE'))
  from pg_catalog.pg_proc p join pg_catalog.pg_namespace n on n.oid = p.pronamespace join path on path.name = n.nspname
 where p.proname = $1::pg_catalog.text and p.prokind = 'f'
   and (p.pronargs = p.pronargdefaults or $4::pg_catalog.text = 'db-root-spec' and p.pronargs - p.pronargdefaults = 1)
 order by path.place, p.pronargs limit 1`,
		[]string{name.Name, array(path), array(s.facts.reachable), setting}, func(columns [][]byte) error {
			h := hook{shown: string(columns[0]), schema: string(columns[1])}
			err := errors.Join(listOf(columns[2], &h.without), listOf(columns[3], &h.noUsage))
			found = append(found, h)
			return err
		})
	if err != nil {
		return nil, err
	}
	if len(found) == 0 {
		return []Finding{{Error, setting + "-missing", fmt.Sprintf("There is no function %s without parameters (%s).", name, setting), why,
			"# correct or remove " + setting}}, nil
	}
	var list []Finding
	h := found[0]
	for _, role := range h.noUsage {
		list = append(list, Finding{Error, setting + "-denied", fmt.Sprintf("The role %s may not use the schema %s of %s (%s).", role, h.schema, h.shown, setting), why,
			fmt.Sprintf("GRANT USAGE ON SCHEMA %s TO %s;", h.schema, role)})
	}
	for _, role := range h.without {
		list = append(list, Finding{Error, setting + "-denied", fmt.Sprintf("The role %s may not call %s (%s).", role, h.shown, setting), why,
			fmt.Sprintf("GRANT EXECUTE ON FUNCTION %s TO %s;", h.shown, role)})
	}
	return list, nil
}

// listOf reads a JSON array of strings; null is an empty one.
func listOf(column []byte, list *[]string) error {
	if column == nil {
		return nil
	}
	return json.Unmarshal(column, list)
}
