package planner

import (
	"bytes"
	"context"
	"encoding/json"
	"slices"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"
)

// An oracle for reads that does not use the planner. It has the rows of all
// tables and the foreign keys of pg_constraint, and joins them by nested loops.

// row is one row as to_jsonb prints it. Numbers stay text.
type row map[string]any

type world struct {
	tables map[string]*table
	names  []string // of tables with rows and a primary key
	links  map[string][]link
}

type table struct {
	name    string
	rows    []row
	columns []string
	types   map[string]string
	key     []string
}

// link leads from the rows of one table to those of another.
type link struct {
	from, to string
	target   string // its name in a request
	toOne    bool
	follow   func(from row) []row
}

const worldKeys = `
select k.conname, t.relname, f.relname, k.contype,
       (select json_agg(a.attname order by i) from unnest(k.conkey) with ordinality u (n, i) join pg_attribute a on a.attrelid = k.conrelid and a.attnum = u.n),
       (select json_agg(a.attname order by i) from unnest(k.confkey) with ordinality u (n, i) join pg_attribute a on a.attrelid = k.confrelid and a.attnum = u.n)
  from pg_constraint k
  join pg_class t on t.oid = k.conrelid
  left join pg_class f on f.oid = k.confrelid
 where k.connamespace = 'api'::regnamespace and k.contype in ('f', 'p', 'u') and not t.relispartition
 order by k.conname`

type worldKey struct {
	name, table, foreign, kind string
	columns, foreigns          []string
}

func readWorld(t *testing.T, conn *pgconn.PgConn) *world {
	t.Helper()
	w := &world{tables: map[string]*table{}, links: map[string][]link{}}
	var keys []worldKey
	for _, r := range selectRows(t, conn, worldKeys) {
		k := worldKey{name: string(r[0]), table: string(r[1]), foreign: string(r[2]), kind: string(r[3])}
		decode(t, r[4], &k.columns)
		if r[5] != nil {
			decode(t, r[5], &k.foreigns)
		}
		keys = append(keys, k)
	}
	for _, k := range keys {
		w.table(t, conn, k.table)
		if k.foreign != "" {
			w.table(t, conn, k.foreign)
		}
		if k.kind == "p" {
			w.tables[k.table].key = k.columns
		}
	}
	for _, name := range []string{"secret_note", "ballot", "staff", "audit_log", "hidden_from_all", "type_zoo", "measurement", "palette", "swatch", "dossier", "odd.names"} {
		delete(w.tables, name) // restricted, too wide, too long, or with a column named *
	}
	for name, t := range w.tables {
		if len(t.rows) > 0 && t.key != nil {
			w.names = append(w.names, name)
		}
	}
	slices.Sort(w.names)
	w.foreignKeys(keys)
	w.junctions(keys)
	w.computed()
	return w
}

// table reads a table with all its rows.
func (w *world) table(t *testing.T, conn *pgconn.PgConn, name string) {
	t.Helper()
	if w.tables[name] != nil {
		return
	}
	tab := &table{name: name, types: map[string]string{}}
	w.tables[name] = tab
	quoted := `api."` + name + `"`
	for _, r := range selectRows(t, conn, `select attname, format_type(atttypid, null) from pg_attribute
		where attrelid = '`+quoted+`'::regclass and attnum > 0 and not attisdropped order by attnum`) {
		tab.columns = append(tab.columns, string(r[0]))
		tab.types[string(r[0])] = string(r[1])
	}
	for _, r := range selectRows(t, conn, `select to_jsonb(t) from `+quoted+` t`) {
		var values row
		decode(t, r[0], &values)
		tab.rows = append(tab.rows, values)
	}
}

func selectRows(t *testing.T, conn *pgconn.PgConn, sql string) [][][]byte {
	t.Helper()
	results, err := conn.Exec(context.Background(), sql).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	return results[0].Rows
}

func decode(t *testing.T, text []byte, into any) {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	if err := d.Decode(into); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
}

func (w *world) add(l link) {
	if w.tables[l.from] == nil || w.tables[l.to] == nil {
		return
	}
	w.links[l.from] = append(w.links[l.from], l)
}

// replaced has the pairs of tables whose foreign key is replaced by a function.
var replaced = map[[2]string]bool{{"ticket", "customer"}: true, {"screening", "ticket"}: true}

func (w *world) foreignKeys(keys []worldKey) {
	for _, k := range keys {
		if k.kind != "f" {
			continue
		}
		oneToOne := slices.ContainsFunc(keys, func(o worldKey) bool {
			return o.table == k.table && o.kind != "f" && slices.Equal(sorted(o.columns), sorted(k.columns))
		})
		forth := link{from: k.table, to: k.foreign, target: k.foreign + "!" + k.name, toOne: true}
		back := link{from: k.foreign, to: k.table, target: k.table + "!" + k.name, toOne: oneToOne}
		if k.table == k.foreign {
			if oneToOne || len(k.columns) != 1 {
				continue // a request cannot name these
			}
			forth.target, back.target = k.columns[0], k.table+"!"+k.columns[0]
		}
		forth.follow = func(from row) []row { return w.matching(k.foreign, k.foreigns, from, k.columns) }
		back.follow = func(from row) []row { return w.matching(k.table, k.columns, from, k.foreigns) }
		if !replaced[[2]string{k.table, k.foreign}] {
			w.add(forth)
		}
		if !replaced[[2]string{k.foreign, k.table}] {
			w.add(back)
		}
	}
}

// junctions relates tables through a table whose primary key holds two of its
// foreign keys.
func (w *world) junctions(keys []worldKey) {
	for _, a := range keys {
		for _, b := range keys {
			j := w.tables[a.table]
			if a.kind != "f" || b.kind != "f" || a.table != b.table || a.name == b.name || a.foreign == b.foreign || j == nil ||
				!within(a.columns, j.key) || !within(b.columns, j.key) {
				continue
			}
			w.add(link{from: a.foreign, to: b.foreign, target: b.foreign + "!" + a.table, follow: func(from row) []row {
				var out []row
				for _, between := range w.matching(a.table, a.columns, from, a.foreigns) {
					out = append(out, w.matching(b.foreign, b.foreigns, between, b.columns)...)
				}
				return out
			}})
		}
	}
}

// computed adds the computed relationships of the fixture, with their functions
// written in Go.
func (w *world) computed() {
	where := func(table string, is func(from, to row) bool) func(row) []row {
		return func(from row) []row {
			var out []row
			for _, to := range w.tables[table].rows {
				if is(from, to) {
					out = append(out, to)
				}
			}
			return out
		}
	}
	eq := func(a, b string) func(from, to row) bool {
		return func(from, to row) bool { return from[a] != nil && from[a] == to[b] }
	}
	friends := func(from row) []row {
		var out []row
		for _, f := range w.matching("friendship", []string{"a"}, from, []string{"id"}) {
			out = append(out, w.matching("customer", []string{"id"}, f, []string{"b"})...)
		}
		return out
	}
	for _, l := range []link{
		{"person", "person", "mentor", true, where("person", eq("mentor_id", "id"))},
		{"person", "person", "proteges", false, where("person", eq("id", "mentor_id"))},
		{"section", "section", "parent", true, where("section", eq("parent_id", "id"))},
		{"section", "section", "children", false, where("section", eq("id", "parent_id"))},
		{"edition", "edition", "previous", true, where("edition", eq("previous_id", "id"))},
		{"edition", "edition", "next", true, where("edition", eq("id", "previous_id"))},
		{"customer", "customer", "referrer", true, where("customer", eq("referred_by", "id"))},
		{"customer", "customer", "friends", false, friends},
		{"ticket", "customer", "customer", true, where("customer", func(from, to row) bool {
			return eq("customer_id", "id")(from, to) && to["level"] != "patron"
		})},
		{"screening", "ticket", "ticket", false, where("ticket", func(from, to row) bool {
			return eq("id", "screening_id")(from, to) && to["paid"] != nil && compareNumbers(to["paid"].(json.Number), "10") < 0
		})},
		{"movie", "venue", "same_country", false, where("venue", eq("country_code", "country_code"))},
	} {
		w.add(l)
	}
}

// matching returns the rows of a table whose columns equal those of another row.
func (w *world) matching(table string, columns []string, from row, fromColumns []string) []row {
	t := w.tables[table]
	if t == nil {
		return nil
	}
	var out []row
	for _, to := range t.rows {
		same := true
		for i, c := range columns {
			same = same && to[c] != nil && to[c] == from[fromColumns[i]]
		}
		if same {
			out = append(out, to)
		}
	}
	return out
}

func sorted(names []string) []string { return slices.Sorted(slices.Values(names)) }

func within(names, set []string) bool {
	return !slices.ContainsFunc(names, func(n string) bool { return !slices.Contains(set, n) })
}
