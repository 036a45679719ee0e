package catalog

import (
	"context"
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
	l := loader{ctx: context.Background(), query: querier(conn), cat: &Catalog{}, names: interner{}}
	names := 0
	err := l.each("builtin_functions", nil, func(r row) {
		names++
		harmless, harmful := purity.Listed(r.text(0))
		switch needed := len(r.list(1)) > 0; {
		case harmless && harmful:
			t.Errorf("%s is on both lists", r.text(0))
		case needed && !harmless && !harmful:
			t.Errorf("%s is on no list: decide whether it may leave something in a session", r.text(0))
		}
	})
	if err != nil || names < 2000 {
		t.Fatal(names, err)
	}
}

// TestBuiltinsRunHarmlessFunctions: what PostgreSQL's own operators, casts, types,
// aggregates and views run is harmless, so that only functions are looked at. The
// one exception is the rule that sets what is written to pg_settings.
func TestBuiltinsRunHarmlessFunctions(t *testing.T) {
	cluster := pgtest.Start(t)
	conn := connect(t, cluster.URI(cluster.NewDB(t), pgtest.Superuser))
	harmful := map[string]bool{}
	l := loader{ctx: context.Background(), query: querier(conn), cat: &Catalog{}, names: interner{}}
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
	err = querier(conn)(context.Background(), `
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
			if name := string(c[1]); harmful[string(c[2])] && name != "pg_settings pg_settings_u" && !bad[name] {
				bad[name] = true
				t.Errorf("%s %s runs function %s", c[0], name, c[2])
			}
			return nil
		})
	if err != nil || len(seen) != 6 {
		t.Fatal(seen, err)
	}
}
