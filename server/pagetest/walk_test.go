package pagetest

import (
	"fmt"
	"math/rand/v2"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// kinds has a column of each kind that can be ordered by, with NULLs and equal values. The
// database prints values in forms that do not say everything, or that PostgreSQL does not read.
const kinds = `
create schema api;
create type api.colour as enum ('red', 'green', 'blue');
create type api.pair as (a int, b text);
create domain api.small as int check (value < 1000);
create collation api.nocase (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
create table api.client (id int primary key, name text);
insert into api.client select i, nullif('client ' || i % 7, 'client 3') from generate_series(1, 40) i;
create table api.kind (
  id int primary key, client_id int references api.client, must int not null, label text not null,
  i int, l bigint, n numeric, f float8, r real, t text, v varchar(9), c char(5), nm name, nocase text collate api.nocase, b boolean,
  day date, ts timestamp, tz timestamptz, clock timetz, iv interval, u uuid, by bytea, e api.colour, small api.small,
  list int[], words text[], j jsonb, rg int4range, net inet, cid cidr, pair api.pair, bits varbit);
insert into api.kind select i, nullif(i % 41, 0), i % 13, chr(65 + i % 5) || chr(97 + i % 3),
  nullif(i % 11, 3), nullif(i % 5, 1) * 3000000000, nullif(i % 17, 0) / 3.0, case i % 9 when 0 then 'NaN' when 1 then '-Infinity' when 2 then null when 3 then '-0' when 4 then 0 else 1 / (i % 9)::float8 end,
  nullif(i % 7, 0) / 7.0, (array['é', 'e', 'E', '', ' ', null, 'a b', '"', 'zz\'])[1 + i % 9], nullif('v' || i % 4, 'v2'), nullif('c' || i % 4, 'c2'), nullif('n' || i % 4, 'n2'),
  (array['a', 'A', 'b', null, 'B'])[1 + i % 5], (array[true, false, null])[1 + i % 3],
  case i % 6 when 0 then 'infinity'::date when 1 then null else date '2024-01-01' + i % 6 end,
  timestamp '2024-01-01 00:00:00.000001' + nullif(i % 6, 2) * interval '1 microsecond',
  timestamptz '2024-10-27 00:30:00+00' + nullif(i % 6, 2) * interval '30 minutes', ('12:00:00.' || i % 5 || '+0' || nullif(i % 3, 1))::timetz,
  nullif(i % 8, 5) * interval '1 month 3 days 0.000001 seconds', lpad(nullif(i % 10, 7)::text, 32, '0')::uuid, decode(lpad(to_hex(nullif(i % 10, 7)), 4, '0'), 'hex'),
  (array['red', 'green', null, 'blue']::api.colour[])[1 + i % 4], nullif(i % 4, 2),
  case i % 5 when 0 then null when 1 then '{}' else array[i % 5, null] end, array['x' || i % 3, nullif('y' || i % 2, 'y1')],
  case i % 6 when 0 then null when 1 then 'null' else jsonb_build_object('k', i % 6, 'w', nullif('w' || i % 4, 'w1')) end,
  case i % 5 when 0 then null when 1 then 'empty' else int4range(i % 5, i % 5 + 3) end, ('10.0.0.' || nullif(i % 6, 4))::inet, ('10.' || nullif(i % 6, 4) || '.0.0/16')::cidr,
  case i % 4 when 0 then null when 1 then row(null, null)::api.pair else row(i % 4, 'x')::api.pair end, nullif(i % 9, 2)::bit(6)::varbit
  from generate_series(1, 600) i;
create function api.computed(api.kind) returns int immutable language sql as 'select nullif($1.id % 4, 1)';
grant usage on schema api to test_anon;
grant select on all tables in schema api to test_anon;
do $$ begin
  execute format('alter database %I set extra_float_digits = -10', current_database());
  execute format('alter database %I set datestyle = ''SQL, DMY'' ', current_database());
  execute format('alter database %I set intervalstyle = ''sql_standard'' ', current_database());
  execute format('alter database %I set bytea_output = ''escape'' ', current_database());
end $$;
analyze;
`

// fields can be ordered by: as the client writes them, and in SQL.
var fields = [][2]string{
	{"id", "k.id"}, {"must", "k.must"}, {"label", "k.label"}, {"i", "k.i"}, {"l", "k.l"}, {"n", "k.n"}, {"f", "k.f"}, {"r", "k.r"}, {"t", "k.t"}, {"v", "k.v"},
	{"c", "k.c"}, {"nm", "k.nm"}, {"nocase", "k.nocase"}, {"b", "k.b"}, {"day", "k.day"}, {"ts", "k.ts"}, {"tz", "k.tz"}, {"clock", "k.clock"}, {"iv", "k.iv"},
	{"u", "k.u"}, {"by", "k.by"}, {"e", "k.e"}, {"small", "k.small"}, {"list", "k.list"}, {"words", "k.words"}, {"j", "k.j"}, {"j->k", "k.j->'k'"}, {"j->>w", "k.j->>'w'"},
	{"rg", "k.rg"}, {"net", "k.net"}, {"cid", "k.cid"}, {"pair", "k.pair"}, {"bits", "k.bits"}, {"computed", "api.computed(k)"}, {"client(name)", "c.name"},
}

// TestWalk: the pages of a walk are the rows of one statement, whatever orders them.
func TestWalk(t *testing.T) {
	t.Parallel()
	s, db := start(t, kinds, "db-max-rows", "100", "db-pool", "4")
	walks := 60
	if long {
		walks = 5000
	}
	random := rand.New(rand.NewPCG(uint64(walks), 7))
	check := func(order, sql string, dir string, limit int) {
		t.Helper()
		filter := 1 + random.IntN(600)
		target := "/kind?select=" + url.QueryEscape("id,client!left(name)") + "&id=lte." + strconv.Itoa(filter) + "&order=" + url.QueryEscape(order)
		if limit > 0 {
			target += "&limit=" + strconv.Itoa(limit)
		} else {
			limit = 100
		}
		want := db.Value(fmt.Sprintf("select string_agg(id::text, ' ' order by n) from (select k.id, row_number() over (order by %s, k.id %s) n from api.kind k left join api.client c on c.id = client_id where k.id <= %d) _", sql, dir, filter))
		pages := walk(t, s, target)
		for i, page := range pages {
			if i < len(pages)-1 && len(page) != limit || len(page) > limit || len(page) == 0 {
				t.Fatalf("%s: page %d of %d has %d rows", target, i, len(pages), len(page))
			}
		}
		if got := strings.Trim(fmt.Sprint(slices.Concat(pages...)), "[]"); got != want {
			t.Fatalf("%s\ngot  %s\nwant %s", target, got, want)
		}
	}
	term := func(f [2]string) (client, sql, dir string) {
		dir = []string{"", "asc", "desc"}[random.IntN(3)]
		nulls := random.IntN(3)
		client, sql = f[0], f[1]+" "+dir
		if dir != "" {
			client += "." + dir
		}
		return client + []string{"", ".nullsfirst", ".nullslast"}[nulls], sql + []string{"", " nulls first", " nulls last"}[nulls], dir
	}
	for _, f := range fields {
		client, sql, dir := term(f)
		check(client, sql, dir, 1+random.IntN(60))
	}
	for range walks {
		var clients, sqls []string
		var last string
		for range 1 + random.IntN(3) {
			client, sql, dir := term(fields[random.IntN(len(fields))])
			clients, sqls, last = append(clients, client), append(sqls, sql), dir
		}
		check(strings.Join(clients, ","), strings.Join(sqls, ", "), last, random.IntN(90))
	}
}
