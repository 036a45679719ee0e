package server

import (
	"context"
	"fmt"
	"strings"
	"testing"
)

// TestStaleStatements: statements that no longer fit the database are
// prepared anew, and no write happens twice or half for it.
func TestStaleStatements(t *testing.T) {
	w := startWriter(t, transactionSchema, nil)
	insert := func(head ...string) {
		t.Helper()
		before := w.count("api.thing")
		if r := w.ask("POST", "/thing", fmt.Sprintf(`{"id":%d,"body":"1"}`, 100+before), head...); r.status != 201 {
			t.Errorf("%v: %v", head, r)
		}
		if n := w.count("api.thing"); n != before+1 {
			t.Errorf("%v: %d more rows", head, n-before)
		}
	}
	all := func() {
		t.Helper()
		insert()
		insert(full)
		insert(full, object)
		insert(full, w.as("test_serial"))
	}
	all()
	for _, change := range []string{
		"alter table api.thing alter id type bigint",
		"alter table api.thing alter body type varchar(10)",
		"alter table api.thing add more timestamptz default now()",
		"alter table api.thing alter more type date",
	} {
		w.sql(change)
		all()
		all()
	}
	for _, change := range []string{
		"alter table api.thing alter id type int",
		"alter table api.thing alter body type text",
		"alter table api.thing drop more",
	} {
		w.sql(change)
		// On a new connection the server does not say that something changed.
		w.sql("select pg_terminate_backend(pid, 5000) from pg_stat_activity where application_name like 'fastgrest%' and datname = current_database()")
		w.ask("GET", "/thing?limit=0", "")
		all()
	}
	// A user's function deallocates our prepared statements, at the worst time.
	w.sql(`create function public.deallocate() returns trigger language plpgsql as $$ begin deallocate all; return new; end $$;
	       create trigger deallocate before insert on api.thing for each row execute function public.deallocate()`)
	all()
	all()
	// A missing statement that is not ours is no reason to retry.
	w.sql(`create sequence public.tries; grant all on sequence public.tries to test_anon;
	       create function public.missing() returns trigger language plpgsql as $$ begin perform nextval('public.tries'); execute 'execute nothing_there'; return new; end $$;
	       create trigger missing before insert on api.thing for each row execute function public.missing()`)
	if r := w.ask("POST", "/thing", `{"id":1000}`); r.code != "26000" {
		t.Errorf("%v", r)
	}
	if tries := w.sql("select last_value from public.tries"); tries != "1" {
		t.Errorf("tried %s times", tries)
	}
}

// TestDateStyle: we cannot encode dates that are not in ISO style, and would notice
// only after the commit. PostgreSQL therefore makes the body in that case.
func TestDateStyle(t *testing.T) {
	w := startWriter(t, transactionSchema, nil)
	const body = `{"id":1,"at":"2024-02-03T04:05:06Z","day":"2024-02-03"}`
	const want = `[{"id":1,"at":"2024-02-03T04:05:06+00:00","day":"2024-02-03"}]`
	for _, role := range []string{"test_anon", "w_german", "test_anon"} {
		before := w.count("api.made")
		r := w.ask("POST", "/made", body, full, "Prefer: timezone=UTC", w.as(role))
		if squeezed := strings.NewReplacer(" ", "", "\n", "").Replace(r.body); r.status != 201 || squeezed != want {
			t.Errorf("%s: %v", role, r)
		}
		if n := w.count("api.made") - before; n != 1 {
			t.Errorf("%s: %d rows", role, n)
		}
	}
	// We cannot foresee user code that changes the style during the request if no role
	// is known to have another style. The client gets an accurate error, once.
	w.sql("alter role w_german reset datestyle")
	if err := w.loadCatalog(context.Background()); err != nil {
		t.Fatal(err)
	}
	w.sql(`create function public.style() returns trigger language plpgsql as $$ begin perform set_config('datestyle', 'SQL', true); return new; end $$;
	       create trigger style before insert on api.made for each row execute function public.style()`)
	r := w.ask("POST", "/made?columns=id,at", body, full, "Prefer: timezone=UTC")
	if r.status != 500 || !strings.Contains(r.body, inDoubt) {
		t.Errorf("%v", r)
	}
	r = w.ask("POST", "/made?columns=id,at", body, full, "Prefer: timezone=UTC")
	if r.status != 201 || !strings.Contains(r.body, `"2024-02-03T04:05:06+00:00"`) {
		t.Errorf("%v", r)
	}
}
