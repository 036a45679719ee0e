package server

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

// ourNames are the names of tables and columns in the SQL that the server writes.
var ourNames = strings.Fields(`pgrst_item pgrst_source pgrst_body pgrst_call pgrst_source_count pgrst_rows pgrst_keys
	pgrst_defaults pgrst_scalar pgrst_request pgrst_record pgrst_page pgrst_key pgrst_value pgrst_ref_0 pgrst_nested_0
	pgrst_nested_1 pgrst_nested_2 pgrst_merged pgrst_filter_1 pgrst_row _postgrest_t total page body present number numbers k e n r _
	item value key row rows around same outer_n missing repeated 0 1`)

// TestOurNames: tables and columns may have the names that the server's SQL uses. Each
// request has the response of the same request to a table with other names.
func TestOurNames(t *testing.T) {
	oneByOne(t)
	const plain = "plain"
	const ours = "\xff" // stands for the name
	var sql strings.Builder
	sql.WriteString("create schema api; grant usage on schema api to test_anon;")
	for i, name := range append([]string{plain}, ourNames...) {
		sql.WriteString(strings.NewReplacer("#", fmt.Sprint(i), ours, name).Replace(`
create schema "s#";
create table "s#"."` + ours + `" (id int primary key, "` + ours + `" text, up_id int references "s#"."` + ours + `", size int);
create table "s#".far (id int primary key, "` + ours + `" text);
create table "s#".both (near_id int references "s#"."` + ours + `", far_id int references "s#".far, primary key (near_id, far_id));
insert into "s#"."` + ours + `" values (1, 'a', null, 1), (2, 'b', 1, 2), (3, 'b', 1, null), (4, null, 2, 4);
insert into "s#".far values (1, 'x'), (2, 'y');
insert into "s#".both values (1, 1), (1, 2), (2, 2);
create function "s#".f("` + ours + `" int) returns setof "s#"."` + ours + `" language sql stable as $$ select * from "s#"."` + ours + `" where id = $1 $$;
create schema "t#";
create table "t#".near (id int primary key, "` + ours + `" text);
create table "t#".far (id int primary key, "` + ours + `" text);
create table "t#"."` + ours + `" (near_id int references "t#".near, far_id int references "t#".far, primary key (near_id, far_id));
insert into "t#".near values (1, 'a'), (2, 'b');
insert into "t#".far values (1, 'x'), (2, 'y');
insert into "t#"."` + ours + `" values (1, 1), (1, 2), (2, 2);
grant usage on schema "s#", "t#" to test_anon; grant all on all tables in schema "s#", "t#" to test_anon;`))
	}
	schemas := "api"
	for i := range len(ourNames) + 1 {
		schemas += fmt.Sprintf(",s%d,t%d", i, i)
	}
	w := startWriter(t, sql.String(), map[string]string{"db-schemas": schemas, "db-tx-end": "rollback", "db-aggregates-enabled": "true", "db-distinct-enabled": "true", direct: direct})
	const rep = "Prefer: return=representation"
	requests := []struct {
		schema, method, target, content string
		head                            string
	}{
		{"s", "GET", "/~?order=id", "", ""},
		{"s", "GET", "/~?select=id,~&order=~.desc,id&limit=2&~=neq.z", "", "Prefer: count=exact"},
		{"s", "GET", "/~?select=id,~(id,~),up:up_id(id,~)&order=id&~.order=~,id", "", "Prefer: count=exact"},
		{"s", "GET", "/~?select=id,...up_id(up:~,up_size:size)&order=id", "", ""},
		{"s", "GET", "/~?select=id,...~(~,ids:id)&~.order=~,id&order=id", "", ""},
		{"s", "GET", "/~?select=id,...~(down:~)&~.order=size,id&order=id", "", ""},
		{"s", "GET", "/~?select=~,count(),size.sum()&order=~", "", "Prefer: count=exact"},
		{"s", "GET", "/~?select=~,...up_id(up:~,most:size.max(),least:size.min())&most.~=eq.a&order=~,up_id(up)&up_id.or=(most.gt.0,~.eq.b)", "", ""},
		{"s", "GET", "/~?select=id,...up_id(~,most:size.max(),least:size.min())&most.~=eq.a&order=id", "", ""},
		{"s", "GET", "/~?select=~&distinct=true&order=~", "", ""},
		{"s", "GET", "/~?select=id,~,far(id,~)&order=id&far.order=id&far=not.is.null", "", ""},
		{"s", "GET", "/~?select=id,~&order=id&limit=1", "", "Prefer: page=cursor"},
		{"s", "GET", "/~?order=id", "", "Accept: text/csv"},
		{"s", "GET", "/~?order=id", "", "Accept: application/x-ndjson"},
		{"s", "GET", "/~?id=eq.1", "", "Accept: application/vnd.pgrst.object+json"},
		{"s", "GET", "/rpc/f?~=2&select=id,~,~(id)", "", ""},
		{"s", "POST", "/rpc/f?select=id,~", `{"~":2}`, "Prefer: count=exact"},
		{"s", "POST", "/~", `[{"id":10,"~":"i","up_id":1},{"id":11,"~":"j","up_id":2}]`, rep},
		{"s", "POST", "/~?columns=id,~&select=id,~,~(id)", `[{"id":10,"~":"i"},{"id":11}]`, rep + ", missing=default"},
		{"s", "POST", "/~", `{"id":10,"~":"i"}`, "Prefer: return=headers-only"},
		{"s", "POST", "/~?select=id,~", `[{"id":1,"~":"i"},{"id":12,"~":"j"}]`, rep + ", resolution=merge-duplicates"},
		{"s", "POST", "/~?select=id,~", `[{"id":1,"~":"i"},{"id":12,"~":"j"}]`, rep + ", resolution=ignore-duplicates"},
		{"s", "PUT", "/~?id=eq.10", `{"id":10,"~":"i","up_id":1,"size":5}`, rep},
		{"s", "PATCH", "/~?~=eq.b&select=id,~,up:up_id(~)&order=id", `{"~":"new"}`, rep},
		{"s", "PATCH", "/~?~=eq.b", `{"~":"new"}`, ""},
		{"s", "PATCH", "/~?~=neq.z&columns=id,~&select=id,~&order=id", `[{"id":1,"~":"x"},{"id":2,"~":"y"}]`, rep + ", params=multiple-objects"},
		{"s", "PATCH", "/~?select=id,~&order=id", `[{"id":1,"~":"x"},{"id":2,"~":"y"}]`, rep + ", params=multiple-objects, missing=default"},
		{"s", "PATCH", "/~?~=neq.z&select=id,~&order=id", `{"~":"x"}`, rep + ", missing=default"},
		{"s", "DELETE", "/~?~=eq.b&id=gt.2&select=id,~,up:up_id(~)", "", rep},
		{"s", "POST", "/~?columns=id,~,up_id,far(id,~)&select=id,~,far(id,~)&far.order=id", `[{"id":10,"~":"i","far":[{"id":11,"~":"k"},{"id":9,"~":"l"}]},{"id":12,"~":"j","far":[{"id":7}]}]`, rep},
		{"s", "POST", "/~?columns=id,~,far(id,~)", `[{"id":10,"~":"i","far":[{"id":11,"~":"k"}]}]`, "Prefer: return=headers-only, missing=default"},
		{"s", "POST", "/~?columns=id,~,below:~(id,~)&select=id,~,below:~(id,~)", `[{"id":10,"~":"i","below":[{"id":11,"~":"k"}]}]`, rep},
		{"s", "POST", "/far?columns=id,~,both(near:~(id,~))&select=id,~,both(near:~(id,~))", `[{"id":10,"~":"i","both":[{"near":{"id":11,"~":"k"}}]}]`, rep},
		{"t", "GET", "/near?select=id,far(id,~)&order=id&far.order=id", "", "Prefer: count=exact"},
		{"t", "GET", "/near?select=id,~(near_id,...far(~))&order=id&~.order=far_id", "", ""},
		{"t", "GET", "/near?select=id,far!inner(id,~)&far.~=eq.x", "", "Prefer: count=exact"},
		{"t", "POST", "/near?columns=id,~,far(id,~)&select=id,~,far(id,~)", `[{"id":10,"~":"i","far":[{"id":11,"~":"k"},{"id":12,"~":"l"}]},{"id":13,"far":[{"id":14}]}]`, rep},
	}
	for _, r := range requests {
		ask := func(i int, name string) string {
			profile := fmt.Sprint("-Profile: ", r.schema, i)
			put := strings.NewReplacer("~", name)
			head := []string{"Accept" + profile, "Content" + profile}
			if r.head != "" {
				head = append(head, r.head)
			}
			got := w.ask(r.method, put.Replace(r.target), put.Replace(r.content), head...)
			return fmt.Sprint(got.status, " ", normalNames(got.body, name))
		}
		want := ask(0, plain)
		if want[0] != '2' {
			t.Errorf("%s %s: %s", r.method, r.target, want)
		}
		for i, name := range ourNames {
			if got := ask(i+1, name); got != want {
				t.Errorf("%s: %s %s %s\n got %s\nwant %s", name, r.method, r.target, r.head, got, want)
			}
		}
	}
}

// normalNames replaces the name of a column in a response: in JSON, in lines of JSON or in
// the first line of CSV.
func normalNames(body, name string) string {
	var rename func(v any) any
	rename = func(v any) any {
		switch v := v.(type) {
		case map[string]any:
			out := map[string]any{}
			for k, below := range v {
				if k == name {
					k = "plain"
				}
				out[k] = rename(below)
			}
			return out
		case []any:
			for i := range v {
				v[i] = rename(v[i])
			}
		}
		return v
	}
	lines := []string{body}
	if !json.Valid([]byte(body)) {
		lines = strings.Split(body, "\n")
	}
	for i, line := range lines {
		var v any
		if err := json.Unmarshal([]byte(line), &v); err != nil {
			if i == 0 {
				lines[i] = strings.ReplaceAll(","+line+",", ","+name+",", ",plain,")
			}
			continue
		}
		text, _ := json.Marshal(rename(v))
		lines[i] = string(text)
	}
	return strings.Join(lines, "\n")
}
