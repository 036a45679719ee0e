package server

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/fastgrest/fastgrest/pgwire/pgtest"
	"github.com/fastgrest/fastgrest/server/life"
)

const staleSchema = `
	create schema api;
	grant usage on schema api to test_anon;
	alter default privileges in schema api grant all on tables to test_anon;
	alter default privileges in schema api grant all on sequences to test_anon;
	create type api.pair as (x int, y text);
	create sequence api.runs;
	create table api.h (id int primary key, nm text, p api.pair default (1, 'a'), run int default nextval('api.runs'));
	insert into api.h (id, nm) values (1, 'one');
	create function api.fails() returns setof api.h volatile language plpgsql as $$ begin
		perform nextval('api.runs');
		raise exception 'no such column' using errcode = '42703';
	end $$;
	alter sequence api.runs restart 1;`

func startStale(t *testing.T, flags ...string) *writer {
	all := map[string]string{login: "test_login", "db-anon-role": "test_anon", direct: "yes"}
	for i := 0; i < len(flags); i += 2 {
		all[flags[i]] = flags[i+1]
	}
	return startWriter(t, staleSchema, all)
}

// runs is how often the default of a column was computed, which no rollback takes back.
func (w *writer) runs() string {
	return w.sql("select case when is_called then last_value else 0 end from api.runs")
}

// TestColumnsThatPostgreSQLConverts: a statement that has PostgreSQL convert columns to JSON names
// all columns. After a change of the table the answer has the columns of today, and the schema
// cache is reloaded.
func TestColumnsThatPostgreSQLConverts(t *testing.T) {
	for _, prepared := range []string{"true", "false"} {
		w := startStale(t, "db-prepared-statements", prepared)
		w.life.Suspicion.Delay = time.Millisecond
		check := func(what string) {
			t.Helper()
			for range 2 {
				r := w.ask("GET", "/h", "")
				if want := w.sql("select json_agg(h) from api.h"); r.status != 200 || normalJSON(r.body) != normalJSON(want) {
					t.Errorf("%s: %v\nwant 200 %s", what, r, want)
				}
				r = w.ask("PATCH", "/h?id=eq.1", `{"id":1}`, full)
				if want := w.sql("select json_agg(h) from api.h"); r.status != 200 || normalJSON(r.body) != normalJSON(want) {
					t.Errorf("%s: PATCH: %v\nwant 200 %s", what, r, want)
				}
			}
		}
		check("as read")
		if w.life.Waiting() != 0 || w.life.Suspicion.Pending() {
			t.Error("a reload was asked for without a reason")
		}
		for _, change := range []string{
			"alter table api.h rename nm to name",
			"alter table api.h add more int default 5",
			"alter table api.h drop name",
			"alter table api.h alter more drop default, alter more type api.pair using (1, more::text)::api.pair",
			"alter table api.h add p2 api.pair",
		} {
			w.sql(change)
			check(change)
			if !pgtest.Until(time.Minute, func() bool { return w.life.Take() == life.ReloadCatalog }) {
				t.Errorf("%s: no reload was asked for", change)
			}
		}
		if !pgtest.Until(time.Minute, func() bool { return !w.life.Suspicion.Pending() }) {
			t.Fatal("a reload is pending for ever")
		}
		// A reload does not help against mistakes of the client.
		w.life.Suspicion.Delay = time.Hour
		for range 3 {
			if r := w.ask("GET", "/h?select=*,nothing", ""); r.status != 400 || r.code != "42703" {
				t.Errorf("%v", r)
			}
		}
		if w.life.Suspicion.Pending() {
			t.Error("a client can ask for a reload")
		}
	}
}

// TestWriteRunsOnce: a write is run again after a change of its table only if it was refused before
// it had an effect. A write that fails by itself is not run again.
func TestWriteRunsOnce(t *testing.T) {
	for _, prepared := range []string{"true", "false"} {
		w := startStale(t, "db-prepared-statements", prepared)
		if r := w.ask("POST", "/h", `{"id":2}`, full); r.status != 201 || w.runs() != "1" {
			t.Fatalf("%v, run %s times", r, w.runs())
		}
		w.sql("alter table api.h rename nm to name")
		r := w.ask("POST", "/h", `{"id":3}`, full)
		if want := w.sql("select json_agg(h) from api.h where id = 3"); r.status != 201 || r.body != want || w.runs() != "2" {
			t.Errorf("%v, run %s times\nwant %s", r, w.runs(), want)
		}
		w.sql("alter table api.h rename name to nm")
		w.pool.Flush()
		r = w.ask("POST", "/h", `{"id":4}`, full)
		if want := w.sql("select json_agg(h) from api.h where id = 4"); r.status != 201 || r.body != want || w.runs() != "3" {
			t.Errorf("on a new connection: %v, run %s times\nwant %s", r, w.runs(), want)
		}
		for i := range 2 {
			if r := w.ask("POST", "/rpc/fails", "{}"); r.status != 400 || r.code != "42703" || w.runs() != string(rune('4'+i)) {
				t.Errorf("%v, run %s times", r, w.runs())
			}
		}
	}
}

// TestLongWrites: a write whose statement no connection keeps answers with the columns of today.
func TestLongWrites(t *testing.T) {
	w := startStale(t)
	long := "/h?id=in.(1," + strings.Repeat("2,", 10) + "3)&or=(" + strings.Repeat("nm.eq.one,", 5000) + "id.eq.1)"
	for _, change := range []string{"select 1", "alter table api.h rename p to q; alter table api.h rename nm to p; alter table api.h rename q to nm; alter table api.h rename p to q; alter table api.h rename nm to p; alter table api.h rename q to nm", "alter table api.h add more int"} {
		w.sql(change)
		for range 2 {
			r := w.ask("PATCH", long, `{"id":1}`, full)
			if want := w.sql("select json_agg(h) from api.h where id = 1"); r.status != 200 || normalJSON(r.body) != normalJSON(want) {
				t.Fatalf("%d %s\nwant %s", r.status, r.body, want)
			}
		}
	}
}

// normalJSON prints JSON with sorted keys; other text as it is.
func normalJSON(text string) string {
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	var v any
	if d.Decode(&v) != nil || d.More() {
		return text
	}
	out, _ := json.Marshal(v)
	return string(out)
}
