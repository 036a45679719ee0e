package server

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/fastgrest/fastgrest/server/config"
)

// The schema FuzzDDL begins with. It changes the columns of t, u and the composite type, and the
// order of columns of v and f.
const ddlSchema = `
	drop schema if exists api cascade;
	create schema api;
	grant usage on schema api to test_anon;
	alter default privileges in schema api grant all on tables to test_anon;
	create type api.pair as (x int, y text);
	create type api.mood as enum ('fine', 'so so');
	create table api.t (id int primary key, a text default 'a0', b text default 'b0', c int default 1, d int default 2, p api.pair default (1, 'y0'), m api.mood);
	create table api.plain (id int primary key, a text default 'a0', b text default 'b0', c int default 1, d int default 2);
	create table api.u (id int primary key, t_id int references api.t, a text, b text, c int, d int);
	create table api.source (id int, a text, b text, c int, d int);
	insert into api.t select i, 'a' || i, 'b' || i, i, -i, (i, 'y' || i)::api.pair, 'fine'::api.mood from generate_series(1, 3) i;
	insert into api.plain select i, 'a' || i, 'b' || i, i, -i from generate_series(1, 3) i;
	insert into api.u select i, 1 + i % 3, 'a' || i, 'b' || i, i, -i from generate_series(1, 6) i;
	insert into api.source select i, 'a' || i, 'b' || i, i, -i from generate_series(1, 3) i;
	create function api.many() returns setof api.t stable language sql as 'select * from api.t order by id';
	create function api.us(api.t) returns setof api.u stable language sql as 'select * from api.u where t_id = $1.id order by id';
	create function api.one() returns api.t volatile language sql as 'select * from api.t order by id limit 1';`

// ddlFuzz is a database that changes without its servers being notified.
type ddlFuzz struct {
	*writer
	servers map[string]*writer
	columns map[string][]string // of tables, those that may change
	order   []string            // of the columns of view and function
	number  int                 // of names given
	log     []string            // what was done so far
}

// FuzzDDL changes the database between requests without reloading the schema cache. Each response
// must equal PostgreSQL's result for SQL written by hand.
func FuzzDDL(f *testing.F) {
	// Each change by itself, seen by connections that know all statements, and by new ones.
	known, fresh := []byte{100}, []byte{100}
	for change := range byte(len(ddlChanges)) {
		known = append(known, change, change, 100)
		fresh = append(fresh, change, change+1, 101, 100)
	}
	f.Add(known)
	f.Add(fresh)
	f.Add([]byte{100, 2, 0, 2, 1, 3, 0, 101, 100, 0, 0, 1, 2, 100})
	d := &ddlFuzz{writer: startWriter(f, ddlSchema+ddlViews([]string{"a", "b", "c", "d"}),
		map[string]string{login: "test_login", "db-anon-role": "test_anon", direct: "yes"})}
	d.servers = map[string]*writer{"prepared": d.writer}
	flags := maps.Clone(d.options.Source.Flags)
	flags["db-prepared-statements"] = "false"
	unprepared, err := newServer(Options{Source: config.LoadOptions{Flags: flags}, Version: "test", Stdout: &bytes.Buffer{}, Stderr: &bytes.Buffer{}})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(unprepared.close)
	d.servers["unprepared"] = &writer{Server: unprepared, tb: f, db: d.db}
	f.Fuzz(func(t *testing.T, program []byte) {
		d.run(t, program[:min(len(program), 60)])
	})
}

func (d *ddlFuzz) run(t *testing.T, program []byte) {
	d.tb, d.number, d.log = t, 0, nil
	d.order = []string{"a", "b", "c", "d"}
	d.columns = map[string][]string{"t": {"a", "b", "c", "d", "p", "m"}, "plain": {"a", "b", "c", "d"}, "u": {"a", "b", "c", "d"}}
	d.sql("rollback;" + ddlSchema + ddlViews(d.order))
	for _, s := range d.servers {
		s.tb = t
		if err := s.loadCatalog(context.Background()); err != nil {
			t.Fatal(err)
		}
	}
	next := func() byte {
		if len(program) == 0 {
			return 0
		}
		b := program[0]
		program = program[1:]
		return b
	}
	for len(program) > 0 {
		switch op := next(); {
		case op < 100:
			d.change(t, int(op)%len(ddlChanges), int(next()))
		case op%2 == 0:
			for name, s := range d.servers {
				d.requests(t, name, s)
			}
		default:
			d.log = append(d.log, "new connections")
			for _, s := range d.servers {
				s.pool.Flush()
			}
		}
	}
}

// ddlViews has columns of view and function in that order.
func ddlViews(order []string) string {
	types := map[string]string{"a": "text", "b": "text", "c": "int", "d": "int"}
	var table []string
	for _, c := range order {
		table = append(table, c+" "+types[c])
	}
	list := strings.Join(order, ", ")
	return `
	drop view if exists api.v; create view api.v as select id, ` + list + ` from api.source;
	drop function if exists api.f(); create function api.f() returns table(` + strings.Join(table, ", ") + `) stable language sql as 'select ` + list + ` from api.source order by id';
	drop function if exists api.g(); create function api.g() returns table(` + strings.Join(table, ", ") + `) volatile language sql as 'select ` + list + ` from api.source order by id';`
}

// ddlTables are changed in turn.
var ddlTables = []string{"t", "plain", "u"}

// ddlChanges make SQL that changes a table, or something else. An empty text: there is nothing to change.
var ddlChanges = []func(d *ddlFuzz, table string, place int) string{
	func(d *ddlFuzz, table string, place int) string { // add a column
		types := []string{"int default 7", "text default 'new'", "api.pair default jsonb_populate_record(null::api.pair, '{\"x\": 7}')", "numeric default 7.50", "json default '{\"a\": 1}'", "api.mood default 'so so'", "timestamptz default '2024-01-02 03:04:05+00'"}
		name := d.name()
		d.columns[table] = append(d.columns[table], name)
		return "add " + name + " " + types[place%len(types)]
	},
	func(d *ddlFuzz, table string, place int) string { // drop a column
		columns := d.columns[table]
		if len(columns) == 0 {
			return ""
		}
		place %= len(columns)
		d.columns[table] = slices.Delete(slices.Clone(columns), place, place+1)
		return "drop " + columns[place]
	},
	func(d *ddlFuzz, table string, place int) string { // rename a column
		columns := d.columns[table]
		if len(columns) == 0 {
			return ""
		}
		old, name := columns[place%len(columns)], d.name()
		columns[place%len(columns)] = name
		return "rename " + old + " to " + name
	},
	func(d *ddlFuzz, table string, place int) string { // swap the names of two columns
		columns := d.columns[table]
		if len(columns) < 2 {
			return ""
		}
		i := place % (len(columns) - 1)
		one, other := columns[i], columns[i+1]
		columns[i], columns[i+1] = other, one
		return "rename " + one + " to swapped; alter table api." + table + " rename " + other + " to " + one + "; alter table api." + table + " rename swapped to " + other
	},
	func(d *ddlFuzz, table string, place int) string { // change the type of a column
		columns := d.columns[table]
		if len(columns) == 0 {
			return ""
		}
		c := columns[place%len(columns)]
		to := []string{"text using " + c + "::text", "api.pair using jsonb_populate_record(null::api.pair, jsonb_build_object('x', 1, 'y', " + c + "::text))", "varchar using " + c + "::text", "int using length(" + c + "::text)"}[place%4]
		return "alter " + c + " drop default; alter table api." + table + " alter " + c + " type " + to
	},
}

// name makes one that no column had.
func (d *ddlFuzz) name() string {
	d.number++
	return fmt.Sprintf("n%d", d.number)
}

func (d *ddlFuzz) change(t *testing.T, which, place int) {
	table := ddlTables[place%len(ddlTables)]
	sql := ddlChanges[which](d, table, place/len(ddlTables))
	switch {
	case sql == "":
		return
	case which == 0 && place%2 == 0: // and something that is not a table
		d.order = append(d.order[1:], d.order[0])
		sql += ";" + ddlViews(d.order)
	case which == 2 && place%2 == 0:
		d.order[0], d.order[1] = d.order[1], d.order[0]
		sql += ";" + ddlViews(d.order)
	case which == 3 && place%4 == 0:
		sql += fmt.Sprintf("; alter type api.pair add attribute more%d int", d.number)
		d.number++
	}
	sql = "alter table api." + table + " " + sql
	d.log = append(d.log, sql)
	d.sql("begin; " + sql + "; commit")
}

// requests sends each kind of request twice: the second finds what the first prepared.
func (d *ddlFuzz) requests(t *testing.T, server string, s *writer) {
	type request struct {
		method, target, body string
		head                 []string
		want                 string // SQL
	}
	rows := func(from string) string {
		return "select coalesce(json_agg(x order by x.id), '[]') from " + from + " x"
	}
	embed := "(select t.*, (select coalesce(json_agg(u order by u.id), '[]') from api.u where u.t_id = t.id) as u from api.t)"
	list := []request{
		{"GET", "/t?order=id", "", nil, rows("api.t")},
		{"GET", "/plain?order=id", "", nil, rows("api.plain")},
		{"GET", "/plain?order=id", "", []string{"Prefer: count=exact"}, rows("api.plain")},
		{"GET", "/t?order=id&limit=2", "", []string{"Prefer: count=exact"}, rows("(select * from api.t order by id limit 2)")},
		{"GET", "/plain?id=eq.2", "", []string{object}, "select row_to_json(x) from api.plain x where id = 2"},
		{"GET", "/t?select=*,u(*)&order=id&u.order=id", "", nil, rows(embed)},
		{"GET", "/u?select=*,t(*)&order=id", "", nil, rows("(select u.*, (select row_to_json(t) from api.t where t.id = u.t_id) as t from api.u)")},
		{"GET", "/t?select=*,us(*)&order=id", "", nil, rows(strings.ReplaceAll(embed, "as u", "as us"))},
		{"GET", "/v?order=id", "", nil, rows("api.v")},
		{"GET", "/rpc/f", "", nil, "select json_agg(x) from api.f() x"},
		{"POST", "/rpc/g", "{}", nil, "select json_agg(x) from api.g() x"},
		{"GET", "/rpc/many", "", nil, "select json_agg(x) from api.many() x"},
		{"POST", "/rpc/one", "{}", nil, "select row_to_json(x) from api.one() x"},
		{"PATCH", "/plain?id=eq.2", `{"id":2}`, []string{full}, rows("(select * from api.plain where id = 2)")},
		{"PATCH", "/t?id=eq.2", `{"id":2}`, []string{full}, rows("(select * from api.t where id = 2)")},
		{"PATCH", "/t?id=eq.2&select=*,u(*)&u.order=id", `{"id":2}`, []string{full}, rows("(select * from " + embed + " t where id = 2)")},
		{"GET", "/t?order=id", "", []string{"Accept: text/csv"}, ddlCSV("t")},
		{"GET", "/v?order=id", "", []string{"Accept: text/csv"}, ddlCSV("v")},
		{"PATCH", "/plain?id=eq.2", `{"id":2}`, []string{full, "Accept: text/csv"}, ddlCSV("(select * from api.plain where id = 2)")},
	}
	for _, table := range []string{"plain", "t"} {
		// The row has the same values in the end as while it was there.
		inserted := d.sql(fmt.Sprintf("begin; insert into api.%[1]s (id) values (9); select json_agg(x) from api.%[1]s x where id = 9; rollback", table))
		list = append(list,
			request{"POST", "/" + table, `{"id":9}`, []string{full}, ddlConstant(inserted)},
			request{"DELETE", "/" + table + "?id=eq.9", "", []string{full}, ddlConstant(inserted)},
		)
	}
	for i := range 2 {
		for _, r := range list {
			want := d.sql("set timezone = 'UTC'; " + r.want)
			got := s.ask(r.method, r.target, r.body, append(r.head, "Prefer: timezone=UTC")...)
			if got.status != 200 && got.status != 201 && got.status != 206 || normalJSON(got.body) != normalJSON(want) {
				t.Fatalf("%s %s %v on %s, time %d, after\n\t%s\ngot  %d %s\nwant %s", r.method, r.target, r.head, server, i+1, strings.Join(d.log, "\n\t"), got.status, got.body, want)
			}
		}
	}
}

func ddlConstant(text string) string { return "select '" + strings.ReplaceAll(text, "'", "''") + "'" }

func ddlCSV(from string) string {
	if !strings.HasPrefix(from, "(") {
		from = "api." + from
	}
	return `select (select string_agg(k, ',') from json_object_keys((select row_to_json(x) from ` + from + ` x limit 1)) k) || E'\n' ||
		string_agg(substr(x::text, 2, length(x::text) - 2), E'\n' order by x.id) from ` + from + ` x`
}
