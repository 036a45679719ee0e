package server

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/fastgrest/fastgrest/server/faulttest"
)

// TestSettingsOfViews: a view, a policy and a comparison may make settings. Those for the
// response count, and those of the request are made again for the next part.
func TestSettingsOfViews(t *testing.T) {
	w := startWriter(t, transactionSchema+`
create table api.up (id int primary key);
create table api.down (id int primary key, up_id int references api.up);
insert into api.up values (1);
create view api.sticky as select id, up_id, current_user::text as who, set_config('role', 'w_german', true) as role,
  current_setting('request.method') as method, set_config('request.method', 'LOST', true) as made, set_config('response.status', '299', true) as status from api.down;
create view api.outer as select * from api.sticky;
create table api.locked (id int primary key references api.up, at text default current_user);
insert into api.locked values (1);
alter table api.locked enable row level security;
create policy p on api.locked using (set_config('role', 'w_german', true) is not null and set_config('request.method', 'LOST', true) is not null and set_config('response.status', '299', true) is not null);
create policy q on api.locked for insert with check (true);
insert into api.down values (1, 1);
create function public.cmp(int, int) returns int immutable language plpgsql as $$ begin perform set_config('response.status', '299', true); return btint4cmp($1, $2); end $$;
create operator class public.ops for type int using btree as operator 1 <, operator 2 <=, operator 3 =, operator 4 >=, operator 5 >, function 1 public.cmp(int, int);
create type public.span as range (subtype = int, subtype_opclass = public.ops);
create table api.spans (a public.span);
grant all on all tables in schema api to test_anon, w_german;
`, nil)
	span := `{"a":"[1,2]"}`
	if r := w.ask("POST", "/spans", span); r.status != 299 {
		t.Errorf("operator class of a range: %v", r)
	}
	if r := w.askBatch([]string{batchPartOf(1, "POST", "/spans", span), batchPartOf(2, "POST", "/spans", span)}); strings.Count(r.body, `"status":299`) != 2 {
		t.Errorf("operator class of a range, in a batch: %v", r)
	}
	for _, target := range []string{"/sticky", "/outer", "/up?select=sticky(*)", "/up?select=outer(*)"} {
		part := batchPartOf(1, "GET", target, "")
		r := w.askBatch([]string{part, strings.Replace(part, `"1"`, `"2"`, 1)})
		r.body = strings.ReplaceAll(r.body, `": "`, `":"`)
		if r.status != 200 || strings.Count(r.body, `"who":"test_anon"`) != 2 || strings.Count(r.body, `"method":"GET"`) != 2 || strings.Count(r.body, `"status":299`) != 2 {
			t.Errorf("%s twice: %v", target, r)
		}
		if r := w.ask("GET", target, ""); r.status != 299 {
			t.Errorf("%s: %v", target, r)
		}
	}
	locked := batchPartOf(1, "GET", "/locked", "")
	insert := batchPartOf(3, "POST", "/locked", `{"id":2}`)
	w.sql("insert into api.up values (2), (3)")
	if r := w.askBatch([]string{locked, strings.Replace(locked, `"1"`, `"2"`, 1), insert, strings.NewReplacer(`"3"`, `"4"`, `{"id":2}`, `{"id":3}`).Replace(insert)}); r.status != 200 {
		t.Error(r)
	}
	if r := w.ask("PATCH", "/up?id=eq.1&select=id,locked(*)", `{"id":1}`, full); r.status != 299 || w.count("api.locked where at = 'test_anon'") != 2 {
		t.Error(r)
	}
	for _, target := range []string{"/up?id=eq.1&select=id,sticky(*)", "/up?id=eq.1&select=id,outer(*)"} {
		if r := w.ask("PATCH", target, `{"id":1}`, full); r.status != 299 {
			t.Errorf("PATCH %s: %v", target, r)
		}
		part := batchPartOf(1, "PATCH", target, `{"id":1}`, full)
		r := w.askBatch([]string{part, strings.Replace(part, `"1"`, `"2"`, 1)})
		r.body = strings.ReplaceAll(r.body, `": "`, `":"`)
		if strings.Count(r.body, `"who":"test_anon"`) != 2 || strings.Count(r.body, `"method":"PATCH"`) != 2 || strings.Count(r.body, `"status":299`) < 2 {
			t.Errorf("PATCH %s twice: %v", target, r)
		}
	}
}

// TestSettingsBetweenParts: the parts before a part do not change the settings that it finds.
func TestSettingsBetweenParts(t *testing.T) {
	w := startWriter(t, transactionSchema+`
create schema other;
create view api.shows as select current_user::text as who, current_setting('search_path') as path, current_setting('timezone') as zone, current_setting('datestyle') as style,
  current_setting('request.method', true) as method, current_setting('request.path', true) as target, current_setting('request.headers', true) as headers,
  current_setting('request.cookies', true) as cookies, current_setting('request.jwt.claims', true) as claims, current_setting('transaction_read_only') as locked;
create view other.shows as select * from api.shows;
create table other.quiet (id int unique deferrable initially deferred, body text);
create table api.seen (n int, path text default current_setting('search_path'), who text default current_user, target text default current_setting('request.headers', true));
create function api.changes() returns trigger language plpgsql as $$ begin
  perform set_config('role', 'w_german', true), set_config('search_path', 'other', true), set_config('request.headers', '{}', true),
    set_config('request.method', 'LOST', true), set_config('request.path', 'LOST', true), set_config('request.jwt.claims', '{}', true), set_config('request.cookies', '{}', true);
  return new; end $$;
create table api.changing (id int);
create trigger t after insert on api.changing for each row execute function api.changes();
create function api.change() returns void language plpgsql set search_path = 'public' as $$ begin
  perform set_config('role', 'w_german', true), set_config('request.headers', '{}', true); end $$;
create function api.zoned() returns text stable language sql set timezone = 'Asia/Tokyo' as $$ select current_setting('timezone') $$;
grant usage on schema other to test_anon, w_german;
grant all on all tables in schema api, other to test_anon, w_german;
`, map[string]string{"db-schemas": "api,other"})
	row := `{"body":"x"}`
	kinds := []func(id int, head ...string) string{
		func(id int, head ...string) string { return batchPartOf(id, "GET", "/shows", "", head...) },
		func(id int, head ...string) string { return batchPartOf(id, "POST", "/quiet", row, head...) },
		func(id int, head ...string) string {
			return batchPartOf(id, "POST", "/quiet?select=*", row, append(head, full)...)
		},
		func(id int, head ...string) string { return batchPartOf(id, "PATCH", "/quiet", row, head...) },
	}
	only := []func(id int, head ...string) string{
		func(id int, head ...string) string {
			return batchPartOf(id, "POST", "/seen", `{"n":1}`, append(head, full)...)
		},
		func(id int, head ...string) string {
			return batchPartOf(id, "POST", "/seen", `{"n":1}`, append(head, full)...)
		},
		func(id int, head ...string) string { return batchPartOf(id, "POST", "/changing", `{"id":1}`, head...) },
		func(id int, head ...string) string { return batchPartOf(id, "POST", "/rpc/change", "", head...) },
		func(id int, head ...string) string { return batchPartOf(id, "POST", "/rpc/zoned", "", head...) },
		func(id int, head ...string) string { return batchPartOf(id, "GET", "/rpc/zoned", "", head...) },
		func(id int, head ...string) string { return batchPartOf(id, "GET", "/thing?select=id", "", head...) },
	}
	heads := [][]string{nil, nil, nil, {"X-A: 1"}, {"Cookie: a=1"}, {"Prefer: timezone=Asia/Tokyo"}, {"Prefer: timezone=Europe/Rome"}, {"Prefer: count=exact"}}
	type responses struct {
		Responses []struct {
			Status int
			Body   json.RawMessage
		}
	}
	random := rand.New(rand.NewPCG(1, 15))
	for range 25 {
		w.sql("truncate api.quiet, other.quiet, api.seen, api.changing")
		var parts []string
		for id := range 2 + random.IntN(7) {
			head := slices.Clone(heads[random.IntN(len(heads))])
			k := random.IntN(len(kinds) + len(only))
			if k < len(kinds) {
				if random.IntN(3) == 0 {
					head = append(head, "Accept-Profile: other", "Content-Profile: other")
				}
				parts = append(parts, kinds[k](id, head...))
			} else {
				parts = append(parts, only[k-len(kinds)](id, head...))
			}
		}
		var got responses
		head := []string{"X-Of: batch"}
		if random.IntN(4) == 0 {
			head = append(head, "Prefer: isolation=serializable")
		}
		r := w.askBatch(parts, head...)
		if err := json.Unmarshal([]byte(r.body), &got); err != nil || r.status != 200 {
			t.Fatalf("%v: %v", parts, r)
		}
		for i, part := range parts {
			if strings.Contains(part, `"PATCH"`) || strings.Contains(part, "/thing") {
				continue
			}
			var want responses
			r := w.askBatch([]string{part}, head...)
			if err := json.Unmarshal([]byte(r.body), &want); err != nil || r.status != 200 {
				t.Fatalf("%v: %v", part, r)
			}
			one, all := string(want.Responses[0].Body), string(got.Responses[i].Body)
			// An atomic batch that writes is no read-only transaction.
			one = strings.Replace(one, `"locked":"on"`, `"locked":"off"`, 1)
			all = strings.Replace(all, `"locked":"on"`, `"locked":"off"`, 1)
			if one != all {
				t.Errorf("part %d of %s\nfinds %s,\nalone %s", i, strings.Join(parts, ",\n"), all, one)
			}
		}
	}
}

// TestPlainBatches: batches without a transaction block happen as a whole or not at all.
func TestPlainBatches(t *testing.T) {
	const schema = `
create table api.one (id int generated always as identity primary key, a int);
create table api.two (id int unique deferrable initially deferred, a text);
create table api.up (id int primary key);
create table api.down (up_id int references api.up deferrable initially deferred);
grant all on all tables in schema api to test_anon;
`
	w := startWriter(t, transactionSchema+schema, nil)
	var parts []string
	for i := range 6 {
		table, body := "/one", `{"a":1}`
		if i%2 == 1 {
			table, body = "/two?select=*", fmt.Sprintf(`{"a":"%d"}`, i)
		}
		parts = append(parts, batchPartOf(i, "POST", table, body, full))
	}
	rows := func() int { return w.count("api.one") + w.count("api.two") }
	empty := func() { w.sql("truncate api.one, api.two, api.down, api.up") }
	for i, change := range []string{
		"select 1", "alter table api.two alter a type varchar", "alter table api.two add b int", "alter table api.two drop b",
		"alter table api.one alter a type bigint", "drop table api.two; create table api.two (a text); grant all on api.two to test_anon",
	} {
		for range 2 {
			empty()
			w.sql(change)
			change = "select 1"
			r := w.askBatch(parts)
			if n := rows(); r.status == 200 && n != 6 || r.status != 200 && n != 0 || strings.Contains(r.body, unknownOutcome) {
				t.Errorf("change %d: %d rows after %v", i, n, r)
			}
		}
	}
	for name, late := range map[string][]string{
		"foreign key at the end": {batchPartOf(7, "POST", "/down", `{"up_id":9}`)},
		"error in the middle":    {batchPartOf(7, "POST", "/one", `{"a":"x"}`), batchPartOf(8, "POST", "/one", `{"a":1}`)},
		"no such table":          {batchPartOf(7, "POST", "/none", `{}`), batchPartOf(8, "POST", "/one", `{"a":1}`)},
	} {
		empty()
		r := w.askBatch(append(parts[:6:6], late...))
		if n := rows(); r.status < 400 || n != 0 || strings.Contains(r.body, unknownOutcome) {
			t.Errorf("%s: %d rows after %v", name, n, r)
		}
	}
	for d := range faulttest.Direction(2) {
		for messages := 0; ; messages += 9 {
			empty()
			w.ask("GET", "/thing", "")
			wait := w.proxy.Arm(faulttest.Cut{Direction: d, Messages: messages, Bytes: 1})
			r := w.askBatch(parts)
			if r.status == 200 {
				if n := rows(); n != 6 {
					t.Errorf("%v, %d messages: %d rows after %v", d, messages, n, r)
				}
				wait(0)
				break
			}
			if !wait(time.Minute) {
				t.Fatalf("%v: no cut after %d messages", d, messages)
			}
			n, unknown := rows(), strings.Contains(r.body, unknownOutcome)
			if n != 0 && n != 6 || n == 6 && !unknown {
				t.Errorf("cut %v after %d messages: %d rows after %v", d, messages, n, r)
			}
		}
	}
}
