package server

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
)

// TestNestedEffects looks at what nested inserts leave in the database, and at the heads of
// their responses.
func TestNestedEffects(t *testing.T) {
	oneByOne(t)
	w := startWriter(t, nestedSchema+`
alter table api.client add constraint client_name unique (name);
insert into api.client(name, country) values ('old', null);
create table public.seen (text text);
create function public.sees() returns trigger language plpgsql security definer as $$
begin insert into public.seen select new.name || ' in ' || c.name || ' by ' || session_user from api.client c where c.id = new.client_id; return null; end $$;
create trigger sees after insert on api.project for each row execute function public.sees();
grant insert (name), select (id) on api.client to w_inserter;
grant select (id) on api.project to w_inserter;
`, map[string]string{"db-tx-end": "commit-allow-override"})
	const empty = "truncate api.client, api.project, api.task, api.tag, api.project_tag, api.note, public.seen cascade; insert into api.client(name) values ('old')"
	tree := func() string {
		return w.sql(`select coalesce(string_agg(c.name || coalesce('(' || (select string_agg(p.name || coalesce('(' || (select string_agg(t.title, ',' order by t.id) from api.task t where t.project_id = p.id) || ')', ''), ',' order by p.id) from api.project p where p.client_id = c.id) || ')', ''), ' ' order by c.id), '') from api.client c`)
	}
	for _, test := range []struct {
		name, method, target, body string
		head                       []string
		status                     int
		tree                       string
		check                      func(t *testing.T, r *reply)
	}{
		{"nothing is returned", "POST", "/client", `{"name":"c","project":[{"name":"p","task":[{"title":"t"}]}]}`, []string{minimal}, 201, "old c(p(t))", func(t *testing.T, r *reply) {
			if r.body != "" || len(r.header.Peek("Location")) > 0 {
				t.Errorf("%v", r)
			}
		}},
		{"location", "POST", "/client", `{"name":"c","project":[{"name":"p"}]}`, []string{"Prefer: return=headers-only"}, 201, "old c(p)", func(t *testing.T, r *reply) {
			if got, want := string(r.header.Peek("Location")), "/client?id=eq."+w.sql("select id from api.client where name = 'c'"); got != want {
				t.Errorf("location %s, want %s", got, want)
			}
		}},
		{"several rows have no location", "POST", "/client", `[{"name":"c","project":[{"name":"p"}]},{"name":"d","project":[]}]`, []string{"Prefer: return=headers-only, count=exact"}, 201, "old c(p) d", func(t *testing.T, r *reply) {
			if got := string(r.header.Peek("Location")); got != "" {
				t.Errorf("location %s", got)
			}
			if got := string(r.header.Peek("Content-Range")); got != "*/2" {
				t.Errorf("Content-Range %s", got)
			}
		}},
		{"rolled back on request", "POST", "/client?select=name", `{"name":"c","project":[{"name":"p"}]}`, []string{full, "Prefer: tx=rollback"}, 201, "old", func(t *testing.T, r *reply) {
			if r.body != `[{"name":"c"}]` {
				t.Errorf("%v", r)
			}
		}},
		{"triggers see the row around", "POST", "/client", `{"name":"c","project":[{"name":"p"},{"name":"q"}]}`, []string{minimal}, 201, "old c(p,q)", func(t *testing.T, r *reply) {
			if got := w.sql("select string_agg(text, ', ') from public.seen"); got != "p in c by test_login, q in c by test_login" {
				t.Errorf("the trigger saw %s", got)
			}
		}},
		{"merged into a row", "POST", "/client?on_conflict=name&select=name,country,project(name)&columns=name,project(name),country", `[{"name":"old","project":[{"name":"p"}]},{"name":"new","project":[{"name":"q"}]}]`,
			[]string{full, "Prefer: resolution=merge-duplicates"}, 201, "old(p) new(q)", func(t *testing.T, r *reply) {
				if !equalJSON(r.body, `[{"name":"old","country":null,"project":[{"name":"p"}]},{"name":"new","country":null,"project":[{"name":"q"}]}]`) {
					t.Errorf("%v", r)
				}
			}},
		{"merged only", "POST", "/client?on_conflict=name", `[{"name":"old","project":[{"name":"p"}]}]`, []string{minimal, "Prefer: resolution=merge-duplicates"}, 200, "old(p)", nil},
		{"duplicates are left out with what is inside of them", "POST", "/client?on_conflict=name&select=name,project(name,tag(name))",
			`[{"name":"old","project":[{"name":"p","tag":[{"name":"x"}],"task":[{"title":"t"}]}]},{"name":"new","project":[{"name":"q","tag":[{"name":"y"}],"task":[{"title":"u"}]}]}]`,
			[]string{full, "Prefer: resolution=ignore-duplicates"}, 201, "old new(q(u))", func(t *testing.T, r *reply) {
				if !equalJSON(r.body, `[{"name":"new","project":[{"name":"q","tag":[{"name":"y"}]}]}]`) {
					t.Errorf("%v", r)
				}
				if tags := w.sql("select string_agg(name, ',') from api.tag"); tags != "y" {
					t.Errorf("tags %s", tags)
				}
			}},
		{"duplicates with a row that they refer to", "POST", "/client?on_conflict=name", `[{"name":"old","project":[{"name":"p","client":null}]}]`, []string{"Prefer: resolution=ignore-duplicates"}, 400, "old", nil},
		{"a later statement fails", "POST", "/client", `{"name":"c","project":[{"name":"p","task":[{"title":"t","id":"x"}]}]}`, nil, 400, "old", nil},
		{"a duplicate is an error", "POST", "/client", `[{"name":"c","project":[{"name":"p"}]},{"name":"old","project":[{"name":"p"}]}]`, nil, 409, "old", nil},
		{"a foreign key that a trigger or the body breaks", "POST", "/project", `{"name":"p","client":{"name":"c"},"task":[{"parent_id":-1}]}`, nil, 409, "old", nil},
		{"with only the privileges that it needs", "POST", "/client?columns=name,project(name)", `{"name":"c","project":[{"name":"p"}]}`, []string{w.as("w_inserter"), minimal}, 201, "old c(p)", nil},
		{"not one row is undone", "POST", "/client", `[{"name":"c","project":[{"name":"p"}]},{"name":"d","project":[]}]`, []string{object, full}, 406, "old", nil},
		{"lines of JSON are not nested", "POST", "/client", "{\"name\":\"c\",\"project\":[]}\n", []string{"Content-Type: application/x-ndjson"}, 400, "old", func(t *testing.T, r *reply) {
			if r.code != "PGRST204" {
				t.Errorf("%v", r)
			}
		}},
		{"a PUT is not nested", "PUT", "/client?id=eq.7", `{"id":7,"name":"c","project":[]}`, nil, 400, "old", nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			w.tb = t
			w.sql(empty)
			r := w.ask(test.method, test.target, test.body, test.head...)
			if r.status != test.status {
				t.Fatalf("%v, want status %d", r, test.status)
			}
			if got := tree(); got != test.tree {
				t.Errorf("the database has %s, want %s", got, test.tree)
			}
			if test.check != nil {
				test.check(t, r)
			}
		})
	}
}

// handInsert inserts rows of the schema hand one by one, as SQL by hand would.
func handInsert(w *writer, table string, row map[string]any, fixed map[string]string) string {
	columns, values := []string{}, []string{}
	add := func(name, value string) { columns, values = append(columns, name), append(values, value) }
	for name, value := range fixed {
		add(name, value)
	}
	for name, value := range row {
		if text, ok := value.(string); ok {
			add(name, "'"+strings.ReplaceAll(text, "'", "''")+"'")
		}
	}
	if c, ok := row["client"].(map[string]any); ok {
		add("client_id", handInsert(w, "client", c, nil))
	}
	if c, ok := row["land"].(map[string]any); ok {
		add("country", "'"+handInsert(w, "country", c, nil)+"'")
	}
	key := "id"
	if table == "country" {
		key = "code"
	}
	id := w.sql(fmt.Sprintf("insert into hand.%s(%s) values (%s) returning %s", table, strings.Join(columns, ","), strings.Join(values, ","), key))
	for member, column := range map[string]string{"project": "client_id", "task": map[bool]string{true: "project_id", false: "parent_id"}[table == "project"]} {
		for _, child := range list(row[member]) {
			handInsert(w, member, child, map[string]string{column: id})
		}
	}
	for _, tag := range list(row["tag"]) {
		w.sql("insert into hand.project_tag(project_id, tag_id) values (" + id + ", " + handInsert(w, "tag", tag, nil) + ")")
	}
	return id
}

func list(value any) (rows []map[string]any) {
	all, _ := value.([]map[string]any)
	return all
}

// nestedRandom makes random nested rows.
type nestedRandom struct {
	*rand.Rand
	names int
}

func (g *nestedRandom) name() string {
	g.names++
	return fmt.Sprintf("n%03d", g.names)
}

func (g *nestedRandom) rows(n int, row func() map[string]any) []map[string]any {
	rows := []map[string]any{}
	for range g.IntN(n + 1) {
		rows = append(rows, row())
	}
	return rows
}

func (g *nestedRandom) client(children bool) map[string]any {
	row := map[string]any{"name": g.name()}
	if g.IntN(2) == 0 {
		row["land"] = map[string]any{"code": g.name(), "name": g.name()}
	}
	if children {
		row["project"] = g.rows(3, func() map[string]any { return g.project(false) })
	}
	return row
}

func (g *nestedRandom) project(parent bool) map[string]any {
	row := map[string]any{"name": g.name()}
	if parent {
		row["client"] = g.client(false)
	}
	if g.IntN(3) > 0 {
		row["task"] = g.rows(3, func() map[string]any { return g.task(2) })
	}
	if g.IntN(3) > 0 {
		row["tag"] = g.rows(2, func() map[string]any { return map[string]any{"name": g.name()} })
	}
	return row
}

func (g *nestedRandom) task(depth int) map[string]any {
	row := map[string]any{"title": g.name()}
	if depth > 0 && g.IntN(2) == 0 {
		row["task"] = g.rows(2, func() map[string]any { return g.task(depth - 1) })
	}
	return row
}

// TestNestedByHand compares nested inserts with the same inserts one by one: what the
// database has afterwards, in which order keys were given, and what is returned.
func TestNestedByHand(t *testing.T) {
	oneByOne(t)
	w := startWriter(t, nestedSchema, nil)
	w.sql(`create schema hand;
create table hand.country (like api.country including all);
create table hand.client (like api.client including all);
create table hand.project (like api.project including all);
alter table hand.project alter id drop default, alter id add generated always as identity;
create table hand.task (like api.task including all);
create table hand.tag (like api.tag including all);
create table hand.project_tag (like api.project_tag including all)`)
	// The rows of each table by name, with the names of the rows around them, in the order of
	// their keys among those of the same row.
	dump := func(schema string) string {
		return w.sql(strings.ReplaceAll(`select concat(
 (select string_agg(concat(c.name, '<', l.name), ' ' order by c.name) from S.client c left join S.country l on l.code = c.country),
 (select string_agg(concat(p.name, '<', c.name, rank), ' ' order by p.name) from (select *, rank() over (partition by client_id order by id) from S.project) p join S.client c on c.id = p.client_id),
 (select string_agg(concat(t.title, '<', p.name, u.title, rank), ' ' order by t.title) from (select *, rank() over (partition by project_id, parent_id order by id) from S.task) t left join S.project p on p.id = t.project_id left join S.task u on u.id = t.parent_id),
 (select string_agg(concat(p.name, '-', g.name), ' ' order by p.name, g.name) from S.project_tag j join S.project p on p.id = j.project_id join S.tag g on g.id = j.tag_id))`, "S.", schema+"."))
	}
	const projects = "name,tag(name),task(title,task(title,task(title)))"
	g := nestedRandom{Rand: rand.New(rand.NewPCG(8, 18))}
	for range 40 {
		table, columns, shape := "client", "name,land:country(code,name),project("+projects+")", "name,land:country(code,name),project("+projects+")"
		row := func() map[string]any { return g.client(true) }
		if g.IntN(2) == 0 {
			table, columns = "project", projects+",client(name,land:country(code,name))"
			shape, row = columns, func() map[string]any { return g.project(true) }
		}
		rows := g.rows(3, row)
		body, err := json.Marshal(rows)
		if err != nil {
			t.Fatal(err)
		}
		if r := w.ask("POST", "/"+table+"?columns="+columns+"&select="+shape, string(body), full); r.status != 201 || !equalJSON(completed(r.body), completed(string(body))) {
			t.Fatalf("%s\n%v", body, r)
		}
		for _, row := range rows {
			handInsert(w, table, row, nil)
		}
		if api, hand := dump("api"), dump("hand"); api != hand {
			t.Fatalf("%s\n nested %s\nby hand %s", body, api, hand)
		}
	}
}

// completed leaves out empty members, which a body need not have.
func completed(text string) string {
	var value any
	if json.Unmarshal([]byte(text), &value) != nil {
		return text
	}
	var clean func(v any) any
	clean = func(v any) any {
		switch v := v.(type) {
		case map[string]any:
			for k, below := range v {
				if below = clean(below); below == nil {
					delete(v, k)
				}
			}
		case []any:
			for i := range v {
				v[i] = clean(v[i])
			}
			if len(v) == 0 {
				return nil
			}
		}
		return v
	}
	out, err := json.Marshal(clean(value))
	if err != nil {
		return text
	}
	return string(out)
}
