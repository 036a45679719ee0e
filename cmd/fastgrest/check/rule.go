package check

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// rule is a check that is one query. Each row is a finding: what was found, and what to do.
type rule struct {
	name  string
	level Level
	why   string
	sql   string
	// from and before are the versions of PostgreSQL that the rule is about, 0 for no bound.
	from, before int
}

// groups are all rules, in the order of the report.
var groups = [][]rule{roleRules, schemaRules, limitRules, tableRules, viewRules, functionRules, keyRules}

// prelude defines what the queries of rules read from. $1 exposed schemas, $2 extra search path, $3 and $4 reachable
// roles and the members through which they are reached, $5 the anonymous role, $6 db-pool, $7 the statement_timeout of
// sessions in milliseconds. Lists are JSON. A query that does not use a part does not pay for it.
const prelude = `
with recursive given as (
  select array(select pg_catalog.json_array_elements_text($1::pg_catalog.json)) as schemas,
         array(select pg_catalog.json_array_elements_text($2::pg_catalog.json)) as extra,
         $6::pg_catalog.text::pg_catalog.int4 as pool, $7::pg_catalog.text::pg_catalog.int4 as timeout
), me as (
  select r.* from pg_catalog.pg_roles r where r.rolname = current_user
), exposed as (
  select n.oid, n.nspname as name from pg_catalog.pg_namespace n where n.nspname = any (array(select pg_catalog.unnest(given.schemas) from given))
), extra as (
  select n.oid, n.nspname as name from pg_catalog.pg_namespace n where n.nspname = any (array(select pg_catalog.unnest(given.extra) from given))
), reachable as (
  select r.*, u.via from rows from (pg_catalog.json_array_elements_text($3::pg_catalog.json), pg_catalog.json_array_elements_text($4::pg_catalog.json)) t(oid, via)
    cross join lateral (select t.oid::pg_catalog.oid, t.via::pg_catalog.oid) u
    join pg_catalog.pg_roles r on r.oid = u.oid
), anon as (
  select r.* from pg_catalog.pg_roles r where r.rolname = $5::pg_catalog.text
), relation as ( -- tables and views that clients see
  select c.oid, c.relname as name, c.relkind as kind, c.relowner as owner, c.relrowsecurity as secured, c.reloptions as options,
         c.relacl, c.oid::pg_catalog.regclass as shown
    from pg_catalog.pg_class c join exposed on exposed.oid = c.relnamespace
   where c.relkind in ('r', 'p', 'v', 'm', 'f') and not c.relispartition and not ` + ofExtension + `
), below(top, oid) as ( -- relations under views that clients see, and these views
  select oid, oid from relation where kind in ('v', 'm')
  union
  select below.top, d.refobjid
    from below
    join pg_catalog.pg_rewrite w on w.ev_class = below.oid
    join pg_catalog.pg_depend d on d.classid = 'pg_catalog.pg_rewrite'::pg_catalog.regclass and d.objid = w.oid
                               and d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass and d.refobjid <> below.oid
), served as ( -- tables whose rows clients see
  select oid from relation where kind in ('r', 'p')
  union
  select c.oid from below join pg_catalog.pg_class c using (oid) where c.relkind in ('r', 'p')
), routine as ( -- functions that clients can call
  select p.*, p.oid::pg_catalog.regprocedure as shown
    from pg_catalog.pg_proc p join exposed on exposed.oid = p.pronamespace
   where p.prokind in ('f', 'p') and p.prorettype not in ('pg_catalog.trigger'::pg_catalog.regtype, 'pg_catalog.event_trigger'::pg_catalog.regtype)
     and not exists (select from pg_catalog.pg_depend d
                      where d.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass and d.objid = p.oid and d.deptype = 'e')
)`

// ofExtension: the class c belongs to an extension.
const ofExtension = `exists (select from pg_catalog.pg_depend d
      where d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass and d.objid = c.oid and d.deptype = 'e')`

// checkRules runs all rules.
func (s *session) checkRules(ctx context.Context) ([]Finding, error) {
	var list []Finding
	for _, r := range slices.Concat(groups...) {
		if r.from != 0 && s.version < r.from || r.before != 0 && s.version >= r.before {
			continue
		}
		found, err := s.run(ctx, r)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", r.name, err)
		}
		list = append(list, found...)
	}
	return list, nil
}

func (s *session) run(ctx context.Context, r rule) (list []Finding, err error) {
	err = s.rows(ctx, r.sql, func(columns [][]byte) error {
		list = append(list, Finding{r.level, r.name, string(columns[0]), r.why, string(columns[1])})
		return nil
	})
	slices.SortFunc(list, func(a, b Finding) int { return strings.Compare(a.Found, b.Found) })
	return list, err
}

// rows runs a query behind the prelude.
func (s *session) rows(ctx context.Context, sql string, each func(columns [][]byte) error) error {
	c := s.config
	return s.query(ctx, prelude+sql, []string{array(c.DBSchemas), array(c.DBExtraSearchPath), array(s.facts.reachable), array(s.facts.via),
		c.DBAnonRole, strconv.Itoa(c.DBPool), strconv.Itoa(s.timeout)}, each)
}
