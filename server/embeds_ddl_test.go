package server

import (
	"context"
	"fmt"
	"strings"
	"testing"
)

const embedsSchema = `
	create schema api;
	grant usage on schema api to test_anon;
	create type api.mood as enum ('fine', 'so so');
	create domain api.short as text check (length(value) < 9);
	create table api.shop (id int primary key, name text);
	create table api.sale (
		id int primary key, shop_id int references api.shop, "total price" numeric(12,2), at timestamptz, paid boolean,
		mood api.mood, short api.short, tags text[], doc json, weight float8, "quo""te" int, count int, mode text, lag int);
	create domain api.price as numeric;
	insert into api.shop select i, 'shop ' || i from generate_series(1, 4) i;
	insert into api.sale values
		(1, 1, 12.50, '2024-02-03 04:05:06+00', true, 'fine', 'abc', '{a,b}', '{"b": 1, "a": [1.0e2]}', 1e20, 5),
		(2, 1, null, null, null, null, null, null, null, null, null),
		(3, 2, 'NaN', 'infinity', false, 'so so', 'ü"\', '{}', 'null', '-0', -5);
	grant select on all tables in schema api to test_anon;`

// PostgreSQL's results for an embed of all columns, and of some.
const (
	allOfThem  = `select json_agg(x order by x.id) from (select s.*, (select coalesce(json_agg(y order by y.id)::jsonb, '[]') from api.sale y where y.shop_id = s.id) as sale from api.shop s) x`
	someOfThem = `select json_agg(x order by x.id) from (select s.id, (select coalesce(json_agg(y order by y.id)::jsonb, '[]') from (select id, at, paid as "ok", mood, "total price" from api.sale y where y.shop_id = s.id) y) as sale from api.shop s) x`
)

// betweenRows is what PostgreSQL writes between the rows of a page. We omit it.
var betweenRows = strings.NewReplacer(", \n ", ",")

// startEmbeds returns a function that compares embeds with what PostgreSQL makes of them.
func startEmbeds(t *testing.T) (w *writer, check func(what string)) {
	t.Helper()
	w = startWriter(t, embedsSchema, map[string]string{login: "test_login", "db-anon-role": "test_anon", "db-pool": "2"})
	return w, func(what string) {
		t.Helper()
		for target, sql := range map[string]string{
			"/shop?select=*,sale(*)&order=id&sale.order=id":                                 allOfThem,
			"/shop?select=id,sale(id,at,ok:paid,mood,total%20price)&order=id&sale.order=id": someOfThem,
		} {
			for _, prefer := range []string{"count=none", "count=exact"} {
				for range 2 {
					r := w.ask("GET", target, "", "Prefer: timezone=UTC, "+prefer)
					got, want := betweenRows.Replace(r.body), betweenRows.Replace(w.sql("set timezone = 'UTC'; "+sql))
					if r.status/100 != 2 || got != want {
						t.Errorf("%s: %s (%s): %d\ngot  %s\nwant %s", what, target, prefer, r.status, got, want)
					}
				}
			}
		}
	}
}

// TestEmbedsOfChangedTables: embeds are right whatever has happened to their tables
// since the catalog was loaded.
func TestEmbedsOfChangedTables(t *testing.T) {
	w, check := startEmbeds(t)
	check("as read")
	for _, change := range []string{
		"alter table api.sale add more int default 7",
		"alter table api.sale rename weight to heft",
		"alter table api.sale rename heft to weight",
		"alter table api.sale alter id type bigint",
		"alter table api.sale drop more",
		"alter table api.sale drop doc, drop tags",
		"alter table api.sale add doc json",
		"alter table api.sale alter short type text",
		`alter table api.sale alter "total price" type float8`,
		"alter table api.sale alter at type text",
		`alter table api.sale rename "quo""te" to old; alter table api.sale rename shop_id to "quo""te"; alter table api.sale rename old to shop_id;
			update api.sale set shop_id = "quo""te" where shop_id is distinct from "quo""te"`,
	} {
		w.sql(change)
		check(change)
	}
	// The same found on connections that have nothing prepared.
	w.sql("alter table api.sale rename weight to heft; select pg_terminate_backend(pid, 5000) from pg_stat_activity where application_name like 'fastgrest%' and datname = current_database()")
	w.ask("GET", "/shop?limit=0", "")
	check("new connections")
	// A column that does not exist is the client's mistake and gets the usual error.
	for range 2 {
		if r := w.ask("GET", "/shop?select=id,sale(nothing)", ""); r.code != "42703" || r.status != 400 {
			t.Errorf("%v", r)
		}
	}
}

// TestEmbedsOfTablesChangedOnce: the same, with statements that were right before each change.
func TestEmbedsOfTablesChangedOnce(t *testing.T) {
	w, check := startEmbeds(t)
	for _, change := range []string{
		// A column that is no more there is a function of the row, if one has its name.
		"alter table api.sale rename count to quantity",
		"alter table api.sale rename mode to style",
		"alter table api.sale rename lag to lead",
		`alter table api.sale alter "total price" type float8`,
		`alter table api.sale alter "total price" type numeric`,
		`alter table api.sale alter "total price" type api.price`,
		"alter table api.sale alter at type timestamp",
		"alter table api.sale alter at type timestamptz",
		`alter table api.sale rename at to old; alter table api.sale rename "total price" to at; alter table api.sale rename old to "total price"`,
		"alter table api.sale alter paid type text",
	} {
		if err := w.loadCatalog(context.Background()); err != nil {
			t.Fatal(err)
		}
		check("before " + change)
		w.sql(change)
		check(change)
	}
}

// TestEmbedsWithLongNames: PostgreSQL cuts names at 63 bytes. The embed is the same.
func TestEmbedsWithLongNames(t *testing.T) {
	w, _ := startEmbeds(t)
	for _, name := range []string{strings.Repeat("x", 63), strings.Repeat("x", 64), strings.Repeat("ü", 32), strings.Repeat("x", 200)} {
		for _, more := range []string{"", ",sale(id)"} {
			r := w.ask("GET", "/shop?select="+name+":sale(id,paid)"+more+"&id=eq.1", "")
			if want := `:[{"id": 1, "paid": true}, {"id": 2, "paid": null}]`; r.status != 200 || !strings.Contains(r.body, want) {
				t.Errorf("%d bytes%s: %d %s, want %s", len(name), more, r.status, r.body, want)
			}
		}
	}
}

// TestEmbedsOfManyColumns: a statement that names all columns of all embeds would be too large.
func TestEmbedsOfManyColumns(t *testing.T) {
	w := startWriter(t, `
		create schema api;
		grant usage on schema api to test_anon;
		create table api.top (id int primary key);
		do $$ begin
			execute 'create table api.wide (id int primary key, top_id int references api.top, ' ||
				(select string_agg(format('%s_%s bool', repeat('x', 55), i), ', ') from generate_series(1, 700) i) || ')';
		end $$;
		insert into api.top values (1);
		grant select on all tables in schema api to test_anon;`, map[string]string{login: "test_login", "db-anon-role": "test_anon"})
	w.sql("do $$ begin execute format('alter database %I set jit = off', current_database()); end $$")
	w.pool.Flush()
	var embeds []string
	for i := range 100 {
		embeds = append(embeds, fmt.Sprintf("e%d:wide(*)", i))
	}
	for range 2 {
		if r := w.ask("GET", "/top?select="+strings.Join(embeds, ","), ""); r.status != 200 || strings.Count(r.body, ":[]") != 100 {
			t.Errorf("%.200s", r)
		}
	}
}
