package server

import (
	"strings"
	"testing"
	"time"

	"github.com/fastgrest/fastgrest/pgwire/pgtest"
)

var unansweredSchema = pgtest.Role("unanswered_patient", "statement_timeout = '20min'") + `
create schema api;
create table api.film (id int primary key, title text);
insert into api.film select i, 'film ' || i from generate_series(1, 20) i;
create function api.nap(seconds float8) returns text language sql stable as $$ select pg_sleep(seconds); select 'rested' $$;
create function api.long_nap(seconds float8) returns text language sql stable set statement_timeout = '30min' as $$ select pg_sleep(seconds); select 'rested' $$;
grant usage on schema api to test_anon, unanswered_patient;
grant all on api.film to test_anon;
`

// TestNoResponse: a response of the database that is lost on the way ends as a 504, and the connection
// is replaced.
func TestNoResponse(t *testing.T) {
	t.Parallel()
	start := func(t *testing.T) *writer {
		return startWriter(t, unansweredSchema, map[string]string{login: "test_login", "db-anon-role": "test_anon"})
	}
	for _, test := range []struct {
		name, method, target, body string
		times                      int // the second time its plan is known
		doubt                      bool
	}{
		{"read", "GET", "/film?id=eq.1", "", 2, false},
		{"write", "PATCH", "/film?id=eq.1", `{"title":"x"}`, 1, true},
		{"held commit", "PUT", "/film?id=eq.30", `{"id":30,"title":"x"}`, 1, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel() // each waits until its cancel request has had no effect
			w := start(t)
			for range test.times {
				w.pool.SetFlightTimeout(0)
				if r := w.ask(test.method, test.target, test.body); r.status >= 300 {
					t.Fatal(r)
				}
				closed := w.pool.Stats().Closed
				w.proxy.Forget()
				w.pool.SetFlightTimeout(100 * time.Millisecond)
				r := w.ask(test.method, test.target, test.body)
				if r.status != 504 || r.code != "PGRSTX09" || strings.Contains(r.body, inDoubt) != test.doubt {
					t.Errorf("lost: %v", r)
				}
				w.pool.SetFlightTimeout(time.Minute)
				if r := w.ask(test.method, test.target, test.body); r.status >= 300 {
					t.Errorf("afterwards: %v", r)
				}
				if s := w.pool.Stats(); s.InUse != 0 || s.Closed == closed {
					t.Errorf("%+v", s)
				}
			}
		})
	}
	t.Run("catalog", func(t *testing.T) {
		t.Parallel()
		w := start(t)
		if r := w.ask("GET", "/film?id=eq.1", ""); r.status != 200 { // on the connection that the catalog is read on
			t.Fatal(r)
		}
		w.proxy.Forget()
		w.pool.SetFlightTimeout(100 * time.Millisecond)
		if err := w.loadCatalog(t.Context()); err == nil {
			t.Error("loaded without an answer")
		}
		w.pool.SetFlightTimeout(time.Minute)
		if err := w.loadCatalog(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

// TestOverdueStatements: what the server really is still doing is cancelled.
func TestOverdueStatements(t *testing.T) {
	t.Parallel()
	w := startWriter(t, unansweredSchema, map[string]string{login: "test_login", direct: "yes", "db-anon-role": "test_anon", "db-pool": "2"})
	w.reloadConfig(t.Context()) // settings of roles
	if err := w.loadCatalog(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.pool.SetFlightTimeout(200 * time.Millisecond)
	if r := w.ask("GET", "/rpc/nap?seconds=600", ""); r.status != 504 || r.code != "PGRSTX09" {
		t.Errorf("a nap too long: %v", r)
	}
	if !pgtest.Until(time.Minute, func() bool {
		return w.sql("select count(*) from pg_stat_activity where state = 'active' and wait_event = 'PgSleep' and datname = current_database()") == "0"
	}) {
		t.Error("the server is still at it")
	}
	for name, ask := range map[string]func() *reply{
		"role":     func() *reply { return w.ask("GET", "/rpc/nap?seconds=0.6", "", w.as("unanswered_patient")) },
		"function": func() *reply { return w.ask("GET", "/rpc/long_nap?seconds=0.6", "") },
	} {
		if r := ask(); r.body != `"rested"` {
			t.Errorf("a statement_timeout of the %s that is longer: %v", name, r)
		}
	}
}
