package server

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"
)

// relations of all kinds, each with columns id and body, and a row with id 1
// and one with id 2 where rows can be.
var countSchema = transactionSchema + `
create table api.plain (id int, body text);
create table api.part (id int, body text) partition by list (id);
create table api.part_low partition of api.part for values in (1, 2, 3);
create table api.part_high partition of api.part for values in (4, 5, 6);
create function public.skip() returns trigger language plpgsql as $$ begin return null; end $$;
create function public.skip_even() returns trigger language plpgsql as $$
begin if coalesce(new.id, old.id) % 2 = 0 then return null; end if; return coalesce(new, old); end $$;
create table api.skipped (id int, body text);
create trigger skip before insert or update or delete on api.skipped for each row execute function public.skip_even();
create table api.heir () inherits (api.plain);
create table api.base (id int, body text);
insert into api.base values (1, 'a'), (2, 'b');
create view api.simple as select * from api.base;
create view api.checked as select * from api.base where id < 10 with check option;
create view api.computed as select id, upper(body) as body from api.base;
create view api.grouped as select id, max(body) as body from api.base group by id;

create view api.instead as select id, upper(body) as body from api.base;
create function public.instead() returns trigger language plpgsql as $$
begin
  if tg_op = 'INSERT' then insert into api.base values (new.id, new.body); return new; end if;
  if tg_op = 'UPDATE' then update api.base set body = new.body where id = old.id; return new; end if;
  delete from api.base where id = old.id; return old;
end $$;
create trigger instead instead of insert or update or delete on api.instead for each row execute function public.instead();
create view api.instead_nothing as select id, upper(body) as body from api.base;
create trigger instead instead of insert or update or delete on api.instead_nothing for each row execute function public.skip();
create view api.instead_some as select id, upper(body) as body from api.base;
create trigger instead instead of insert or update or delete on api.instead_some for each row execute function public.skip_even();

create view api.ruled as select id, upper(body) as body from api.base;
create rule i as on insert to api.ruled do instead insert into api.base values (new.id, new.body);
create rule u as on update to api.ruled do instead update api.base set body = new.body where id = old.id;
create rule d as on delete to api.ruled do instead delete from api.base where id = old.id;
create view api.ruled_returning as select id, upper(body) as body from api.base;
create rule i as on insert to api.ruled_returning do instead insert into api.base values (new.id, new.body) returning id, body;
create rule u as on update to api.ruled_returning do instead update api.base set body = new.body where id = old.id returning id, body;
create rule d as on delete to api.ruled_returning do instead delete from api.base where id = old.id returning id, body;
create view api.ruled_otherwise as select id, upper(body) as body from api.base;
create rule i as on insert to api.ruled_otherwise do instead update api.base set body = new.body where id = new.id returning id, body;
create rule d as on delete to api.ruled_otherwise do instead update api.base set body = null where id = old.id returning id, body;
create table api.ruled_away (id int, body text);
create rule i as on insert to api.ruled_away do instead nothing;
create rule u as on update to api.ruled_away do instead nothing;
create rule d as on delete to api.ruled_away do instead nothing;
create table api.ruled_also (id int, body text);
create rule i as on insert to api.ruled_also do also insert into api.base values (new.id, new.body);
create rule u as on update to api.ruled_also do also insert into api.base values (new.id, new.body);
create rule d as on delete to api.ruled_also do also insert into api.base values (old.id, old.body);
create table api.ruled_notify (id int, body text);
create rule i as on insert to api.ruled_notify do also notify something;
create table api.ruled_sometimes (id int, body text);
create rule i as on insert to api.ruled_sometimes where new.id > 100 do instead nothing;
create rule u as on update to api.ruled_sometimes where new.id > 100 do instead nothing;
create view api.over_ruled as select * from api.ruled_away;
create view api.over_ruled_also as select * from api.ruled_also;
create view api.over_over_ruled as select * from api.over_ruled;
create table api.ruled_off (id int, body text);
create rule i as on insert to api.ruled_off do instead nothing;
alter table api.ruled_off disable rule i;

create table api.guarded (id int, body text);
alter table api.guarded enable row level security;
create policy i on api.guarded for insert with check (id < 10);
create table api.blind (id int, body text);
grant usage on schema public to test_anon;
grant all on all tables in schema api to test_anon, test_serial;
revoke select on api.blind from test_anon;
`

// TestWrittenRows compares the number of rows that a write reports, or its error,
// with those of the same write as the source of a query, with RETURNING, which is
// how PostgREST counts. The short form must not be visible to clients.
func TestWrittenRows(t *testing.T) {
	w := startWriter(t, countSchemaFilled(), map[string]string{"db-tx-end": "rollback"})
	w.foreignTable()
	if err := w.loadCatalog(t.Context()); err != nil {
		t.Fatal(err)
	}
	relations := strings.Fields(w.sql(`select string_agg(relname, ' ' order by relname) from pg_class
		where relnamespace = 'api'::regnamespace and relkind in ('r', 'v', 'p', 'f') and not relispartition
		and relname not in ('note', 'thing', 'parent', 'child', 'made', 'quiet')`))
	if len(relations) < 25 {
		t.Fatal(relations)
	}
	different := 0
	for _, relation := range relations {
		for _, test := range []struct{ method, query, body, source string }{
			{"POST", "", `{"id":3,"body":"x"}`, `insert into api.%s(id, body) values (3, 'x')`},
			{"POST", "", `[{"id":4,"body":"x"},{"id":5,"body":"y"},{"id":6,"body":"z"}]`, `insert into api.%s(id, body) values (4, 'x'), (5, 'y'), (6, 'z')`},
			{"POST", "", `{"id":300,"body":"x"}`, `insert into api.%s(id, body) values (300, 'x')`},
			{"POST", "", `[]`, `insert into api.%s select from json_array_elements('[]')`},
			{"PATCH", "?id=eq.1", `{"body":"x"}`, `update api.%s set body = 'x' where id = 1`},
			{"PATCH", "?id=in.(1,2)", `{"body":"x"}`, `update api.%s set body = 'x' where id in (1, 2)`},
			{"PATCH", "?id=eq.1", `{"id":4}`, `update api.%s set id = 4 where id = 1`},
			{"PATCH", "?id=eq.99", `{"body":"x"}`, `update api.%s set body = 'x' where id = 99`},
			{"DELETE", "?id=eq.1", "", `delete from api.%s where id = 1`},
			{"DELETE", "", "", `delete from api.%s`},
			{"DELETE", "?id=eq.99", "", `delete from api.%s where id = 99`},
		} {
			want := w.counted(fmt.Sprintf(test.source, relation))
			for _, prefer := range []string{"count=exact", "count=exact, return=minimal"} {
				r := w.ask(test.method, "/"+relation+test.query, test.body, "Prefer: "+prefer)
				got := r.code
				if r.status < 300 {
					_, got, _ = strings.Cut(string(r.header.Peek("Content-Range")), "/")
				}
				if got != want {
					different++
					t.Errorf("%s %s%s %s: %s (%v), want %s", test.method, relation, test.query, test.body, got, r, want)
				}
			}
		}
	}
	t.Logf("%d relations, %d differences", len(relations), different)
}

// countSchemaFilled has the rows; rules and triggers would be in the way.
func countSchemaFilled() string {
	sql := countSchema
	for _, table := range []string{"plain", "part_low", "skipped", "ruled_away", "ruled_also", "ruled_notify", "ruled_sometimes", "ruled_off", "guarded", "blind"} {
		sql += "set session_replication_role = replica; insert into api." + table + " values (1, 'a'), (2, 'b');\n"
	}
	return sql
}

// counted is the number of rows, or the SQLSTATE.
func (w *writer) counted(source string) string {
	w.tb.Helper()
	ctx := context.Background()
	results, err := w.db.Exec(ctx, "begin; set local role test_anon; with source as ("+source+" returning 1) select count(*) from source").ReadAll()
	if _, rollback := w.db.Exec(ctx, "rollback").ReadAll(); rollback != nil {
		w.tb.Fatal(rollback)
	}
	var said *pgconn.PgError
	if errors.As(err, &said) {
		return said.Code
	}
	if err != nil {
		w.tb.Fatal(err)
	}
	return string(results[len(results)-1].Rows[0][0])
}

// foreignTable makes api.far, which lies in this very database.
func (w *writer) foreignTable() {
	w.tb.Helper()
	uri, err := url.Parse(w.uri)
	if err != nil {
		w.tb.Fatal(err)
	}
	q := uri.Query()
	w.sql(fmt.Sprintf(`create extension if not exists postgres_fdw;
		create server here foreign data wrapper postgres_fdw options (host '%s', port '%s', dbname '%s');
		create user mapping for public server here options (user '%s', password_required 'false');
		create table public.near (id int, body text);
		insert into public.near values (1, 'a'), (2, 'b');
		create foreign table api.far (id int, body text) server here options (schema_name 'public', table_name 'near');
		grant all on api.far to test_anon`, q.Get("host"), q.Get("port"), strings.TrimPrefix(uri.Path, "/"), q.Get("user")))
}
