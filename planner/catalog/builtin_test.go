package catalog

import (
	"context"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/fastgrest/fastgrest/pgwire/pgtest"
	"github.com/fastgrest/fastgrest/planner/catalog/purity"
)

// TestBuiltinFunctionsAreListed: each function of pg_catalog of the running
// PostgreSQL is immutable or on one of the lists, so that somebody decides on the
// functions of a new version.
func TestBuiltinFunctionsAreListed(t *testing.T) {
	cluster := pgtest.Start(t)
	conn := connect(t, cluster.URI(cluster.NewDB(t), pgtest.Superuser))
	l := loader{ctx: context.Background(), query: pgtest.Querier(conn), cat: &Catalog{}, names: interner{}}
	text, err := os.ReadFile("purity/testdata/harmful.txt")
	if err != nil {
		t.Fatal(err)
	}
	comment := regexp.MustCompile(`(?m)^#.*$`)
	harmful := strings.Fields(comment.ReplaceAllString(string(text), ""))
	names := 0
	err = l.each("builtin_functions", nil, func(r row) {
		names++
		name := r.text(0)
		isHarmless := purity.Builtin(name, false)&^purity.Observes == 0
		isHarmful := slices.Contains(harmful, name)
		switch needed := len(r.list(1)) > 0; {
		case isHarmless && isHarmful:
			t.Errorf("%s is on both lists", name)
		case needed && !isHarmless && !isHarmful:
			t.Errorf("%s is on no list: decide whether it may leave something in a session, and whether it shows settings", name)
		}
	})
	if err != nil || names < 2000 {
		t.Fatal(names, err)
	}
}

// TestBuiltinsRunHarmlessFunctions: what PostgreSQL's own operators, casts, types,
// aggregates and views run is harmless and reads no
// setting of the request, so that only functions are looked at. The exceptions are
// the rules of pg_settings.
func TestBuiltinsRunHarmlessFunctions(t *testing.T) {
	cluster := pgtest.Start(t)
	conn := connect(t, cluster.URI(cluster.NewDB(t), pgtest.Superuser))
	harmful := map[string]bool{}
	l := loader{ctx: context.Background(), query: pgtest.Querier(conn), cat: &Catalog{}, names: interner{}}
	err := l.each("builtin_functions", nil, func(r row) {
		if purity.Builtin(r.text(0), len(r.list(1)) == 0) != 0 {
			for _, oid := range r.list(1) {
				harmful[oid] = true
			}
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	seen, bad := map[string]bool{}, map[string]bool{}
	err = pgtest.Querier(conn)(context.Background(), `
		select 'operator', o.oid::regoperator::text, f.oid
		  from pg_operator o cross join lateral (values (o.oprcode::oid), (o.oprrest::oid), (o.oprjoin::oid)) f (oid)
		union all
		select 'cast', c.castsource::regtype || ' to ' || c.casttarget::regtype, c.castfunc from pg_cast c
		union all
		select 'type', t.typname, f.oid
		  from pg_type t
		 cross join lateral (values (t.typinput::oid), (t.typoutput::oid), (t.typreceive::oid), (t.typsend::oid), (t.typmodin::oid), (t.typmodout::oid)) f (oid)
		union all
		select 'aggregate', a.aggfnoid::regprocedure::text, f.oid
		  from pg_aggregate a
		 cross join lateral (values (a.aggtransfn::oid), (a.aggfinalfn::oid), (a.aggcombinefn::oid), (a.aggserialfn::oid),
		    (a.aggdeserialfn::oid), (a.aggmtransfn::oid), (a.aggminvtransfn::oid), (a.aggmfinalfn::oid)) f (oid)
		union all
		select 'access method', a.amproc::text, a.amproc::oid from pg_amproc a
		union all
		select 'rule', r.ev_class::regclass || ' ' || r.rulename, m.match[1]::oid
		  from pg_rewrite r
		 cross join lateral regexp_matches(concat(r.ev_action, r.ev_qual), ':(?:funcid|opfuncid|aggfnoid|winfnoid) (\d+)', 'g') m (match)`,
		nil, func(c [][]byte) error {
			seen[string(c[0])] = true
			if name := string(c[1]); harmful[string(c[2])] && name != "pg_settings pg_settings_u" && name != "pg_settings _RETURN" && !bad[name] {
				bad[name] = true
				t.Errorf("%s %s runs function %s", c[0], name, c[2])
			}
			return nil
		})
	if err != nil || len(seen) != 6 {
		t.Fatal(seen, err)
	}
}

// TestBlindBuiltins calls each function of pg_catalog that is said to read no
// setting of the request, if no argument or the setting's name can be given to it.
// Its value is not in what they return.
func TestBlindBuiltins(t *testing.T) {
	const name, value = "request.headers", "seen-4711"
	cluster := pgtest.Start(t)
	conn := connect(t, cluster.URI(cluster.NewDB(t), pgtest.Superuser))
	query := pgtest.Querier(conn)
	ctx := context.Background()
	if _, err := conn.Exec(ctx, "set "+name+" = '"+value+"'").ReadAll(); err != nil {
		t.Fatal(err)
	}
	type function struct{ name, call string }
	var list []function
	err := query(ctx, `
		select proname, format('select coalesce(string_agg(x::text, %L), %L) from pg_catalog.%I(%s) x', ' ', '', proname,
		       array_to_string(array(select case t when 'boolean'::regtype then 'true' else quote_literal($1) || '::' || t::regtype end from unnest(proargtypes::oid[]) t), ', '))
		  from pg_proc p
		 where p.oid < 16384 and p.pronamespace = 'pg_catalog'::regnamespace and p.prokind = 'f' and p.provariadic = 0
		   and p.proargtypes::oid[] <@ array['text', 'name', 'boolean']::regtype[]::oid[]
		 order by p.oid`, []string{name}, func(c [][]byte) error {
		list = append(list, function{string(c[0]), string(c[1])})
		return nil
	})
	if err != nil || len(list) < 200 {
		t.Fatal(len(list), err)
	}
	seers := map[string]bool{}
	for _, f := range list {
		trace := purity.Builtin(f.name, false)
		if trace&^purity.Observes != 0 && trace&purity.Observes != 0 && f.name != "set_config" {
			continue // not harmless: it is not called, and counts as observing
		}
		result, err := conn.Exec(ctx, f.call).ReadAll()
		sees := err == nil && strings.Contains(string(result[0].Rows[0][0]), value)
		if sees && trace&purity.Observes == 0 {
			t.Errorf("%s shows the value of %s", f.call, name)
		}
		if sees {
			seers[f.name] = true
		}
	}
	if !seers["current_setting"] {
		t.Error("not even current_setting shows the value")
	}
}
