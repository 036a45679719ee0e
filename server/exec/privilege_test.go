package exec

import (
	"context"
	"errors"
	"testing"

	"github.com/fastgrest/fastgrest/pgwire"
	"github.com/fastgrest/fastgrest/pgwire/pgtest"
	"github.com/fastgrest/fastgrest/planner"
	"github.com/fastgrest/fastgrest/planner/festival"
	"github.com/fastgrest/fastgrest/planner/sqlgen"
)

// PostgreSQL checks who may execute a function that it has written into a plan
// when it makes the plan, and not again when another role runs it. So a role
// without the privilege must not get a statement that one with it has used.
func TestInlinedFunctionsKeepTheirPrivileges(t *testing.T) {
	ctx := context.Background()
	cluster := pgtest.Start(t)
	db := cluster.NewDB(t)
	cluster.Exec(t, db, `
		create role privilege_some; create role privilege_none;
		create schema api; create schema extras;
		create table api.item (id int primary key, price int);
		insert into api.item values (1, 21);
		create function api.cost(api.item) returns int immutable language sql as 'select $1.price * 2';
		create view api.cheap as select id, api.cost(item) as cost from api.item;
		revoke execute on all functions in schema api from public;
		grant usage on schema api to privilege_some, privilege_none;
		grant select on all tables in schema api to privilege_some, privilege_none;
		grant execute on all functions in schema api to privilege_some;`)
	t.Cleanup(func() {
		cluster.Exec(t, db, "drop schema api cascade; drop role privilege_some, privilege_none")
	})
	cat, err := festival.Load(cluster.URI(db, pgtest.Superuser))
	if err != nil {
		t.Fatal(err)
	}
	cfg, err := pgwire.ParseConfig(cluster.URI(db, pgtest.Superuser))
	if err != nil {
		t.Fatal(err)
	}
	conn, err := pgwire.Connect(ctx, cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := conn.Exec(ctx, "set plan_cache_mode = force_generic_plan"); err != nil {
		t.Fatal(err)
	}
	settings := pgwire.NewStmt(sqlgen.SettingsStatement(sqlgen.Settings{ReadOnly: true, SearchPath: []string{"api"}}).SQL)
	p := planner.New(cat, defaults)
	for target, operand := range map[string]string{"/item?select=id,cost&id=eq.1": "1", "/item?select=id&cost=eq.42": "42", "/item?select=id&order=cost": "", "/cheap?select=cost": ""} {
		plan := mustPlan(t, p, target)
		ask := func(role string, s *pgwire.Stmt, d *pgwire.Description) error {
			var f pgwire.Flight
			f.Reset()
			f.Add(settings, nil)
			for _, arg := range []string{role, "{}", "GET", "/", "{}", "{}"} {
				f.Arg([]byte(arg))
			}
			if d != nil {
				f.Describe(s, d)
			} else {
				f.Add(s, nil)
				if operand != "" {
					f.Arg([]byte(operand))
				}
			}
			return conn.Run(ctx, &f)
		}
		var d pgwire.Description
		if err := ask("privilege_some", plan.toDescribe(), &d); err != nil {
			t.Fatal(target, err)
		}
		pre := plan.Prepare(cat, d.Fields, false)
		for range 3 {
			if err := ask("privilege_some", pre.For([]byte("privilege_some"), true).Main, nil); err != nil {
				t.Fatal(target, err)
			}
		}
		var refused *pgwire.Error
		if err := ask("privilege_none", pre.For([]byte("privilege_none"), true).Main, nil); !errors.As(err, &refused) || refused.Code != "42501" {
			t.Errorf("%s: a role without the privilege got %v", target, err)
		}
	}
}
