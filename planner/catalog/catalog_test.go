package catalog

import (
	"context"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// Adjacent relationships in sort order, smallest first.
func TestRelationshipOrder(t *testing.T) {
	a, b := QI{"s", "a"}, QI{"s", "b"}
	cols := func(names ...string) (list []ColumnPair) {
		for _, n := range names {
			list = append(list, ColumnPair{n, "id"})
		}
		return list
	}
	junction := func(table, c1, c2, source, target string) *Junction {
		return &Junction{QI{"s", table}, c1, c2, cols(source), cols(target)}
	}
	ordered := []*Relationship{
		{Table: QI{"r", "z"}, Foreign: b, Cardinality: ManyToMany, Junction: junction("j", "1", "2", "x", "y")},
		{Table: a, Foreign: a, Self: true, Cardinality: OneToMany, Constraint: "c"},
		{Table: a, Foreign: b, Cardinality: OneToMany, Constraint: "C", Columns: cols("z")},
		{Table: a, Foreign: b, Cardinality: OneToMany, Constraint: "c", Columns: cols("x")},
		{Table: a, Foreign: b, Cardinality: OneToMany, Constraint: "c", Columns: cols("x"), ForeignIsView: true},
		{Table: a, Foreign: b, Cardinality: OneToMany, Constraint: "c", Columns: cols("x"), TableIsView: true},
		{Table: a, Foreign: b, Cardinality: OneToMany, Constraint: "c", Columns: cols("x", "a")},
		{Table: a, Foreign: b, Cardinality: OneToMany, Constraint: "c", Columns: cols("y")},
		{Table: a, Foreign: b, Cardinality: OneToMany, Constraint: "é"},
		{Table: a, Foreign: b, Cardinality: OneToMany, Constraint: "🎬"},
		{Table: a, Foreign: b, Cardinality: ManyToOne, Constraint: "a"},
		{Table: a, Foreign: b, Cardinality: OneToOne, Constraint: "a"},
		{Table: a, Foreign: b, Cardinality: OneToOne, Constraint: "a", IsParent: true},
		{Table: a, Foreign: b, Cardinality: ManyToMany, Junction: junction("j", "1", "2", "x", "y")},
		{Table: a, Foreign: b, Cardinality: ManyToMany, Junction: junction("j", "1", "2", "x", "z")},
		{Table: a, Foreign: b, Cardinality: ManyToMany, Junction: junction("j", "1", "3", "a", "a")},
		{Table: a, Foreign: b, Cardinality: ManyToMany, Junction: junction("j", "2", "1", "a", "a")},
		{Table: a, Foreign: b, Cardinality: ManyToMany, Junction: junction("k", "1", "1", "a", "a")},
		{Table: a, Foreign: b, Self: true, Cardinality: OneToMany},
		{Table: b, Foreign: a, Cardinality: OneToMany},
		{Cardinality: Computed, Function: QI{"s", "f"}, Table: a, Foreign: b},
		{Cardinality: Computed, Function: QI{"s", "f"}, Table: a, Foreign: b, Self: true},
		{Cardinality: Computed, Function: QI{"s", "f"}, Table: a, Foreign: b, ToOne: true},
		{Cardinality: Computed, Function: QI{"s", "f"}, Table: b, Foreign: a},
		{Cardinality: Computed, Function: QI{"s", "g"}, Table: a, Foreign: a},
	}
	for i, x := range ordered {
		for k, y := range ordered {
			if got, want := sign(x.compare(y)), sign(i-k); got != want {
				t.Errorf("%d and %d: got %d, want %d\n%+v\n%+v", i, k, got, want, x, y)
			}
		}
	}
}

func sign(n int) int {
	switch {
	case n < 0:
		return -1
	case n > 0:
		return 1
	}
	return 0
}

func TestRoutineOrder(t *testing.T) {
	p := func(names ...string) (list []Param) {
		for _, n := range names {
			list = append(list, Param{Name: n, Type: "text"})
		}
		return list
	}
	ordered := []*Routine{
		{},
		{Params: p("b")},
		{Params: p("b"), Return: QI{"a", "z"}},
		{Params: p("b"), Return: QI{"b", "a"}, Volatility: Immutable},
		{Params: p("b"), Return: QI{"b", "a"}, Volatility: Immutable, Variadic: true},
		{Params: p("b"), Composite: true},
		{Params: p("b"), Composite: true, CompositeAlias: true},
		{Params: p("b"), SetOf: true},
		{Params: []Param{{Name: "b", Type: "text", Required: true}}},
		{Params: p("c")},
		{HasDescription: true, Params: p("a")},
		{HasDescription: true, Description: "d", Params: p("a")},
		{Params: p("a", "a")},
	}
	shuffled := slices.Clone(ordered)
	rand.Shuffle(len(shuffled), func(i, k int) { shuffled[i], shuffled[k] = shuffled[k], shuffled[i] })
	slices.SortFunc(shuffled, (*Routine).Compare)
	for i := range ordered {
		if shuffled[i] != ordered[i] {
			t.Errorf("place %d: got %+v, want %+v", i, shuffled[i], ordered[i])
		}
	}
}

func TestParams(t *testing.T) {
	list := func(s string) []string {
		if s == "" {
			return nil
		}
		return strings.Split(s, " ")
	}
	for _, test := range []struct {
		names, modes, types string
		defaults            int
		want                []Param
	}{
		{"", "", "", 0, nil},
		{"a b", "", "integer text", 1, []Param{{"a", "integer", "integer", true, false}, {"b", "text", "text", false, false}}},
		{"", "", "json", 0, []Param{{"", "json", "json", true, false}}},
		{"o a b", "o i v", "bit text[]", 0, []Param{{"a", "bit", "bit varying", true, false}, {"b", "text[]", "text[]", true, true}}},
		{"a o t", "b o t", "character", 0, []Param{{"a", "character", "character varying", true, false}}},
		{"a", "t", "integer", 0, []Param{{"", "integer", "integer", true, false}}}, // does not occur in a catalog
	} {
		if got := Params(list(test.names), list(test.modes), list(test.types), test.defaults); !slices.Equal(got, test.want) {
			t.Errorf("%q %q %q: got %v, want %v", test.names, test.modes, test.types, got, test.want)
		}
	}
}

func TestMediaTypes(t *testing.T) {
	for _, test := range []struct{ domain, handler, content string }{
		{"*/*", "*/*", "application/octet-stream"},
		{"text/csv", "text/csv", "text/csv"},
		{"Text/CSV", "text/csv", "text/csv"},
		{"Text/Own", "text/own", "Text/Own"},
		{"application/vnd.pgrst.object", "application/vnd.pgrst.object+json", "application/vnd.pgrst.object+json"},
		{"application/vnd.pgrst.array", "application/json", "application/json"},
		{"application/vnd.pgrst.plan", planTextMedia, planTextMedia},
	} {
		if got := handlerMediaType(test.domain); got != test.handler {
			t.Errorf("handler of %q: got %q, want %q", test.domain, got, test.handler)
		}
		if got := contentType(test.domain); got != test.content {
			t.Errorf("content type of %q: got %q, want %q", test.domain, got, test.content)
		}
	}
	for domain, known := range canonicalMedia {
		if mediaTags[known] == nil {
			t.Errorf("%q: %q has no name in dumps", domain, known)
		}
	}
}

func TestLookups(t *testing.T) {
	wide := &Table{QI: QI{"s", "wide"}}
	for i := range 2 * wideTable {
		wide.Columns = append(wide.Columns, &Column{Name: strings.Repeat("x", i+1)})
	}
	narrow := &Table{QI: QI{"s", "narrow"}, Columns: wide.Columns[:2]}
	c := &Catalog{
		Tables:          map[QI]*Table{wide.QI: wide, narrow.QI: narrow},
		Routines:        map[QI][]*Routine{{"s", "g"}: {{}}, {"s", "f"}: {{}, {}}},
		Representations: map[RepKey]*Representation{{"a", "b"}: {}},
		Relationships:   map[RelKey][]*Relationship{{wide.QI, "s"}: {{}}, {narrow.QI, "s"}: nil, {narrow.QI, "other"}: nil},
		Handlers:        map[HandlerKey]*Handler{{MediaType: "text/csv"}: {}, {Target: wide.QI, MediaType: "text/csv"}: {}},
	}
	c.index()
	for i, want := range wide.Columns {
		if got := wide.Column(want.Name); got != want {
			t.Errorf("column %d: got %v", i, got)
		}
	}
	if narrow.Column("xx") != narrow.Columns[1] || narrow.Column("xxx") != nil || wide.Column("") != nil {
		t.Error("narrow table: wrong column")
	}
	if c.Table("s", "wide") != wide || c.Table("s", "none") != nil || c.Table("", "wide") != nil {
		t.Error("wrong table")
	}
	if len(c.Routines[QI{"s", "f"}]) != 2 {
		t.Error("wrong routine")
	}
	if c.Representation("a", "b") == nil || c.Representation("b", "a") != nil {
		t.Error("wrong representation")
	}
	if len(c.RelationshipsFrom(wide.QI, "s")) != 1 || c.RelationshipsFrom(wide.QI, "other") != nil {
		t.Error("wrong relationships")
	}
	for _, test := range []struct{ got, want []string }{
		{c.TableNames("s"), []string{"narrow", "wide"}},
		{c.TableNames("other"), nil},
		{c.RoutineNames("s"), []string{"f", "g"}},
		{c.ParentNames("s"), []string{"narrow", "wide"}},
		{c.ParentNames("other"), []string{"narrow"}},
	} {
		if !slices.Equal(test.got, test.want) {
			t.Errorf("names: got %q, want %q", test.got, test.want)
		}
	}
	if got, want := c.Summary(), "2 Relations, 3 Relationships, 2 RPCs, 1 Domain Representations, 5 Media Type Handlers"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	for range hintLimit {
		c.Tables[QI{"s", string(rune('α' + len(c.Tables)))}] = &Table{}
	}
	c.index()
	if got := c.TableNames("s"); got != nil {
		t.Errorf("too many tables for hints: got %d", len(got))
	}
}

func TestDumpStrings(t *testing.T) {
	for _, s := range []string{"", `"\`, "\x00\x01\x1f\n\r\t\x7f", "ü 🎬 \u2028", "e", "1"} {
		c := &Catalog{Tables: map[QI]*Table{{s, s}: {QI: QI{s, s}, Description: s, HasDescription: true, PrimaryKey: []string{s, s}, Columns: []*Column{{Name: s, MaxLen: 7}, {Name: s + "2"}}}}}
		var dump struct {
			Tables [][2]struct {
				Name        string   `json:"tableName"`
				Description string   `json:"tableDescription"`
				Key         []string `json:"tablePKCols"`
				Columns     map[string]struct {
					Name string `json:"colName"`
					Max  *int   `json:"colMaxLen"`
				} `json:"tableColumns"`
			} `json:"dbTables"`
		}
		text := c.AppendJSON([]byte("x"))[1:]
		if err := json.Unmarshal(text, &dump); err != nil {
			t.Fatalf("%q: %v\n%s", s, err, text)
		}
		table := dump.Tables[0][1]
		if table.Name != s || table.Description != s || !slices.Equal(table.Key, []string{s, s}) || table.Columns[s].Name != s || *table.Columns[s].Max != 7 || table.Columns[s+"2"].Max != nil {
			t.Errorf("%q: got %+v", s, table)
		}
	}
}

// Hostile responses of a server lead to an error or a catalog, never to a panic or endless loop.
func FuzzAnswers(f *testing.F) {
	f.Add(uint64(1), []byte("16384\x001\x00r\x00t\x00f"))
	f.Add(uint64(2), []byte("7\x00d\x00{1,2}\x00[\"a\"]\x00p"))
	f.Fuzz(func(t *testing.T, seed uint64, data []byte) {
		words := [][]byte{nil, []byte("1"), []byte("t"), []byte("d"), []byte("f"), []byte("{1}"), []byte(`["a","o"]`), []byte("s")}
		for word := range strings.SplitSeq(string(data), "\x00") {
			words = append(words, []byte(word))
		}
		random := rand.New(rand.NewPCG(seed, 1))
		_, err := Load(context.Background(), func(_ context.Context, sql string, _ []string, each func([][]byte) error) error {
			for range 3 {
				columns := slices.Clone(plausible(sql))
				for i := range columns {
					if random.IntN(8) == 0 {
						columns[i] = words[random.IntN(len(words))]
					}
				}
				if err := each(columns); err != nil {
					return err
				}
			}
			return nil
		}, Options{Schemas: []string{"s"}})
		var own *Error
		if err != nil && !errors.As(err, &own) {
			t.Errorf("got %T", err)
		}
	})
}

// plausible is a row that the query could return.
func plausible(sql string) [][]byte {
	var row [][]byte
	for word := range strings.SplitSeq(plausibleRows[queryName(sql)], "|") {
		row = append(row, []byte(word))
	}
	return row
}

func queryName(sql string) string {
	files, _ := queries.ReadDir("queries")
	for _, file := range files {
		if text, _ := queries.ReadFile("queries/" + file.Name()); string(text) == sql {
			return strings.TrimSuffix(file.Name(), ".sql")
		}
	}
	return ""
}

var plausibleRows = map[string]string{
	"builtin_functions": `set_config|["2"]`,
	"columns":           "1|1|id|comment|t|1|int|int|s|5|7",
	"computed":          "s|f|s|a|s|a|t|1",
	"computed_fields":   "s|a|f",
	"conforming":        "t",
	"domains":           "1|1|d|int|s|int",
	"enums":             `1|["a"]`,
	"handlers":          "s|f|s|a|text/csv",
	"json_casts":        "t",
	"key_columns":       "1|1|id",
	"keys":              "f|c|1|{1}|1|{1}|t|f",
	"named":             "r|1|a|f|f",
	"open_ended":        "1",
	"policies":          "1|:funcid 1 ",
	"reads":             "1|r|1",
	"relations":         "1|s|a|v|f|t|t|comment|28",
	"representations":   "a|b|f|s",
	"routines":          `s|f|comment|["a"]|["i"]|["int"]|["s"]|0|1|c|s|a|t|v|f|["default_transaction_isolation=x"]|["a=b"]|1`,
	"schemas":           "1",
	"sources":           "1|s|f|sql|select set_config('a', 'b', true)||f|f",
	"session":           "",
	"text_types":        "1|,",
	"trees":             "r|1|2",
	"usage_roles":       "r",
	"unique_indexes":    "1|i|f|{1}||id > 1",
	"uses":              "f|1|t|1",
	"version":           "150000|15|PostgreSQL 15",
	"view_trees":        "1|" + tree("({TARGETENTRY :resno 1 :resorigtbl 1 :resorigcol 1})"),
}

func TestPlausibleRows(t *testing.T) {
	cat, err := Load(context.Background(), func(_ context.Context, sql string, _ []string, each func([][]byte) error) error {
		if _, ok := plausibleRows[queryName(sql)]; !ok {
			t.Errorf("plausibleRows has nothing for %s", sql)
		}
		return each(plausible(sql))
	}, Options{Schemas: []string{"s"}})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := cat.Summary(), "1 Relations, 1 Relationships, 1 RPCs, 1 Domain Representations, 5 Media Type Handlers"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestArrays(t *testing.T) {
	if got, want := textArray([]string{"", "a b", `"\`}), `{"","a b","\"\\"}`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got, want := textArray(nil), "{}"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got, want := oidArray([]uint32{1, 4294967295}), "{1,4294967295}"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
