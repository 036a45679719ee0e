package server

import (
	"fmt"
	"testing"
)

// TestForgedSettings: what a client leaves in the settings that the server uses itself,
// through a function that makes any setting, does not change later requests: not those on
// the same connection, and not those in the same transaction. pgrst.passed is left out: a
// client that forges it in a batch gets around preferences of its own.
func TestForgedSettings(t *testing.T) {
	oneByOne(t)
	w := startWriter(t, nestedSchema+`
create function api.forge(name text, value text, local boolean) returns boolean language sql as $$ select set_config(name, value, local) is null $$;
create table api.pair (id int primary key, name text);
insert into api.pair values (1, 'a');
grant all on api.pair to test_anon;`, map[string]string{"db-tx-end": "rollback-allow-override"})
	const nested = `[{"name":"c","project":[{"name":"p","task":[{"title":"t"}]},{"name":"q"}]},{"name":"d"}]`
	requests := []struct {
		name   string
		method string
		target string
		body   string
		head   []string
	}{
		{"nested", "POST", "/client?select=name,project(name,task(title))", nested, []string{full}},
		{"nested, not returned", "POST", "/client?select=name", nested, nil},
		{"a merge that inserts", "POST", "/pair", `[{"id":2,"name":"b"}]`, []string{full + ", resolution=merge-duplicates"}},
		{"a merge that updates", "POST", "/pair", `[{"id":1,"name":"b"}]`, []string{full + ", resolution=merge-duplicates"}},
		{"too many rows", "PATCH", "/pair?id=gt.0", `{"name":"x"}`, []string{"Prefer: handling=strict, max-affected=0"}},
	}
	alone, inBatch := map[string]string{}, map[string]string{}
	ask := func(i int) string {
		r := requests[i]
		got := w.ask(r.method, r.target, r.body, r.head...)
		return fmt.Sprint(got.status, " ", got.body)
	}
	batch := func(i int, name, value string) string {
		r := requests[i]
		got := w.askBatch([]string{
			batchPartOf(1, "POST", "/rpc/forge", fmt.Sprintf(`{"name":%q,"value":%q,"local":true}`, name, value)),
			batchPartOf(2, r.method, r.target, r.body, r.head...),
		})
		return fmt.Sprint(got.status, " ", got.body)
	}
	for i, r := range requests {
		alone[r.name], inBatch[r.name] = ask(i), batch(i, "pgrst.harmless", "1")
	}
	for _, name := range []string{"inserted", "rows", "total", "nested_body", "nested_row", "nested_0", "nested_1", "nested_2"} {
		for _, value := range []string{"1", "x"} {
			if r := w.ask("POST", "/rpc/forge", fmt.Sprintf(`{"name":"pgrst.%s","value":%q,"local":false}`, name, value), "Prefer: tx=commit"); r.status != 200 {
				t.Fatal(r)
			}
			for i, r := range requests {
				if got := ask(i); got != alone[r.name] {
					t.Errorf("%s=%s before %s: %s\nwant %s", name, value, r.name, got, alone[r.name])
				}
				if got := batch(i, "pgrst."+name, value); got != inBatch[r.name] {
					t.Errorf("%s=%s in a batch with %s: %s\nwant %s", name, value, r.name, got, inBatch[r.name])
				}
			}
		}
	}
}
