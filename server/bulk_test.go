package server

import (
	"fmt"
	"strings"
	"testing"
)

const bulkSchema = `
create schema api;
grant usage on schema api to test_anon;
create table api.item (id int primary key, code text not null, price int, page text);
insert into api.item select i, 'c' || i, 0, repeat('x', 700) from generate_series(1, 20000) i;
create unique index item_code on api.item (code);
create table api.seen (what text);
create function api.saw() returns trigger language plpgsql security definer as $$ begin insert into api.seen values (tg_op); return null; end $$;
create trigger saw after update on api.item for each statement execute function api.saw();
grant all on api.item to test_anon;
analyze api.item;
`

// TestBulkUpdate: an index finds the rows, and a fault in one of many objects leaves
// nothing behind, not even what triggers write.
func TestBulkUpdate(t *testing.T) {
	oneByOne(t)
	s := startWriter(t, bulkSchema, map[string]string{"db-plan-enabled": "true", direct: direct})
	send := func(target, body string, headers ...string) (int, string) {
		t.Helper()
		all := map[string]string{"Prefer": "params=multiple-objects", "Content-Type": "application/json"}
		for i := 0; i < len(headers); i += 2 {
			all[headers[i]] = headers[i+1]
		}
		ctx := newRequestCtx()
		requestReader(t, ctx, rawRequest("PATCH", target, body, all))()
		s.handle(ctx)
		return ctx.Response.StatusCode(), string(ctx.Response.Body())
	}
	for target, index := range map[string]string{
		"/item":                                "item_pkey",
		"/item?columns=id,price":               "item_pkey",
		"/item?on_conflict=code&columns=price": "item_code",
		"/item?on_conflict=!item_code&columns=price&price=eq.0": "item_code",
	} {
		_, plan := send(target, `[{"id":1,"code":"c1","price":1},{"id":2,"code":"c2","price":2}]`, "Accept", "application/vnd.pgrst.plan+text")
		if !strings.Contains(plan, "Index Scan using "+index) || strings.Contains(plan, "Seq Scan on item") {
			t.Errorf("%s:\n%s", target, plan)
		}
	}

	var objects []string
	for i := range 1000 {
		objects = append(objects, fmt.Sprintf(`{"id":%d,"price":%d}`, i+1, i+1))
	}
	const target = "/item?columns=id,price"
	for fault, want := range map[string]int{`{"price":1}`: 400, `{"id":77,"price":1}`: 409, `{"id":78,"price":"x"}`: 400} {
		if status, text := send(target, "["+strings.Join(objects, ",")+","+fault+"]"); status != want {
			t.Errorf("%s: %d %s", fault, status, text)
		}
	}
	if got := s.sql("select sum(price) || ' ' || (select count(*) from api.seen) from api.item"); got != "0 0" {
		t.Errorf("after faults there is %s", got)
	}
	if status, text := send(target, "["+strings.Join(objects, ",")+"]"); status != 204 {
		t.Errorf("%d %s", status, text)
	}
	if got := s.sql("select sum(price) || ' ' || (select count(*) from api.seen) from api.item"); got != "500500 1" {
		t.Errorf("after the update there is %s", got)
	}
}
