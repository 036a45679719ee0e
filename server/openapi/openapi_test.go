package openapi

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/fastgrest/fastgrest/planner/catalog"
)

func TestAddress(t *testing.T) {
	for _, tt := range []struct {
		settings Settings
		want     address
	}{
		{Settings{Host: "localhost", Port: 3000}, address{"http", "localhost:3000", "/"}},
		{Settings{Host: "!4", Port: 3000}, address{"http", "0.0.0.0:3000", "/"}},
		{Settings{Host: "*6", Port: 80}, address{"http", "0.0.0.0:80", "/"}},
		{Settings{Host: "::1", Port: 80}, address{"http", "[::1]:80", "/"}},
		{Settings{ProxyURI: "https://example.com"}, address{"https", "example.com:443", "/"}},
		{Settings{ProxyURI: "http://example.com"}, address{"http", "example.com:80", "/"}},
		{Settings{ProxyURI: "HTTPS://example.com:8443/base/path"}, address{"https", "example.com:8443", "/base/path"}},
		{Settings{ProxyURI: "http://example.com:0080/a:b"}, address{"http", "example.com:80", "/a:b"}},
		{Settings{ProxyURI: "https://[2001:db8::1]/"}, address{"https", "[2001:db8::1]:443", "/"}},
		{Settings{ProxyURI: "https://[2001:db8::1]:1"}, address{"https", "[2001:db8::1]:1", "/"}},
		{Settings{ProxyURI: "https://example.com", Host: "localhost", Port: 1}, address{"https", "example.com:443", "/"}},
	} {
		if got := tt.settings.address(); got != tt.want {
			t.Errorf("%+v: got %v, want %v", tt.settings, got, tt.want)
		}
	}
}

func TestType(t *testing.T) {
	for _, tt := range []struct{ pg, want string }{
		{"integer", `{"format":"int32","type":"integer"}`},
		{"smallint", `{"format":"int32","type":"integer"}`},
		{"bigint", `{"format":"int64","type":"integer"}`},
		{"numeric", `{"format":"numeric","type":"number"}`},
		{"real", `{"format":"real","type":"number"}`},
		{"double precision", `{"format":"double precision","type":"number"}`},
		{"boolean", `{"format":"boolean","type":"boolean"}`},
		{"character varying", `{"format":"character varying","type":"string"}`},
		{"timestamp with time zone", `{"format":"timestamp with time zone","type":"string"}`},
		{`api."Odd Type"`, `{"format":"api.\"Odd Type\"","type":"string"}`},
		{"json", `{"format":"json"}`},
		{"jsonb", `{"format":"jsonb"}`},
		{"integer[]", `{"format":"integer[]","type":"array","items":{"type":"integer"}}`},
		{"api.size[]", `{"format":"api.size[]","type":"array","items":{"type":"string"}}`},
		{"jsonb[]", `{"format":"jsonb[]","type":"array","items":{}}`},
	} {
		if got := string(append(appendType([]byte{'{'}, tt.pg), '}')); got != tt.want {
			t.Errorf("%s: got %s, want %s", tt.pg, got, tt.want)
		}
	}
}

func TestDefault(t *testing.T) {
	for _, tt := range []struct{ pg, expression, want string }{
		{"integer", "5", "5"},
		{"integer", "-5", "-5"},
		{"integer", "'-5'::integer", ""},
		{"integer", "nextval('api.task_id_seq'::regclass)", ""},
		{"integer", "05", ""},
		{"integer", "", ""},
		{"integer", "-", ""},
		{"integer", "1 2", ""},
		{"integer", "1 ", ""},
		{"numeric", "2.5", "2.5"},
		{"numeric", "0.10", "0.1"},
		{"numeric", "10.00", "10.0"},
		{"numeric", "0.0", "0.0"},
		{"numeric", "0", "0"},
		{"numeric", "-0", "0"},
		{"numeric", "0.05", "5.0e-2"},
		{"numeric", "-0.0123", "-1.23e-2"},
		{"numeric", "1234567.5", "1234567.5"},
		{"numeric", "12345678.5", "1.23456785e7"},
		{"numeric", "1e3", "1000"},
		{"numeric", "1.5E1", "15"},
		{"numeric", "1.25e1", "12.5"},
		{"numeric", "1e2000", "1.0e2000"},
		{"numeric", "1e99999999999999999999", "1.0e2147483647"},
		{"numeric", "100000000000000000000000", "100000000000000000000000"},
		{"boolean", "false", "false"},
		{"boolean", "true", "true"},
		{"boolean", "(1 = 1)", ""},
		{"jsonb", "'{}'::jsonb", ""},
		{"jsonb", `"x"`, ""},
		{"integer[]", "'{}'::integer[]", ""},
		{"integer[]", "ARRAY[1, 2]", ""},
		{"text", "'x'::text", `"x"`},
		{"text", "''::text", `""`},
		{"text", "'it''s'::text", `"it''s"`},
		{"text", "'''quoted'''::text", `"quoted"`},
		{"text", "'x'::character varying", `"'x'::character varying"`},
		{"text", "CURRENT_USER", `"CURRENT_USER"`},
		{"text", `'say "hi"'::text`, ""},
		{"text", `'a\nb'::text`, `"a\nb"`},
		{"text", `'a\b\'::text`, ""},
		{"text", "'two\nlines'::text", ""},
		{"text", "'</ü>'::text", `"</ü>"`},
		{"uuid", "gen_random_uuid()", `"gen_random_uuid()"`},
		{"shop.size", "'medium'::shop.size", `"medium"`},
	} {
		want := ""
		if tt.want != "" {
			want = `"default":` + tt.want
		}
		if got := string(appendDefault([]byte{'{'}, tt.pg, tt.expression)[1:]); got != want {
			t.Errorf("%s default %s: got %s, want %s", tt.pg, tt.expression, got, want)
		}
	}
}

func TestSplitComment(t *testing.T) {
	for _, tt := range []struct{ comment, title, description string }{
		{"Title", "Title", ""},
		{"Title\nDescription", "Title", "Description"},
		{"Title\n\n\nDescription\n\nof two paragraphs\n", "Title", "Description\n\nof two paragraphs\n"},
		{"\nDescription", "", "Description"},
		{"Title\n", "Title", ""},
	} {
		title, description := splitComment(tt.comment)
		if title != tt.title || description != tt.description {
			t.Errorf("%q: got %q and %q, want %q and %q", tt.comment, title, description, tt.title, tt.description)
		}
	}
}

func TestDescribeColumn(t *testing.T) {
	refers := func(foreign string, view bool, cardinality catalog.Cardinality, columns ...string) *catalog.Relationship {
		r := &catalog.Relationship{Foreign: catalog.QI{Schema: "api", Name: foreign}, ForeignIsView: view, Cardinality: cardinality}
		for _, c := range columns {
			r.Columns = append(r.Columns, catalog.ColumnPair{Column: c, Foreign: "id"})
		}
		return r
	}
	parent := refers("child", false, catalog.OneToOne, "a")
	parent.IsParent = true
	keyed := &catalog.Table{PrimaryKey: []string{"a", "b"}}
	const pk, fk = "\nThis is a Primary Key.<pk/>", "\nThis is a Foreign Key to `other.id`.<fk table='other' column='id'/>"
	for _, tt := range []struct {
		name   string
		table  *catalog.Table
		column catalog.Column
		keys   []*catalog.Relationship
		want   string
	}{
		{"nothing", &catalog.Table{}, catalog.Column{Name: "a"}, nil, ""},
		{"comment", &catalog.Table{}, catalog.Column{Name: "a", Description: "An a", HasDescription: true}, nil, "An a"},
		{"primary key", keyed, catalog.Column{Name: "b"}, nil, "Note:" + pk},
		{"other primary key", keyed, catalog.Column{Name: "c"}, nil, ""},
		{"foreign key", &catalog.Table{}, catalog.Column{Name: "a"}, []*catalog.Relationship{refers("other", false, catalog.ManyToOne, "a")}, "Note:" + fk},
		{"all", keyed, catalog.Column{Name: "a", Description: "An a", HasDescription: true},
			[]*catalog.Relationship{refers("other", false, catalog.OneToOne, "a")}, "An a\n\nNote:" + pk + fk},
		{"other column", &catalog.Table{}, catalog.Column{Name: "b"}, []*catalog.Relationship{refers("other", false, catalog.ManyToOne, "a")}, ""},
		{"two columns", &catalog.Table{}, catalog.Column{Name: "a"}, []*catalog.Relationship{refers("other", false, catalog.ManyToOne, "a", "b")}, ""},
		{"other side", &catalog.Table{}, catalog.Column{Name: "a"}, []*catalog.Relationship{parent, refers("child", false, catalog.OneToMany, "a")}, ""},
		{"no columns", &catalog.Table{}, catalog.Column{Name: "a"}, []*catalog.Relationship{{Cardinality: catalog.Computed}, {Cardinality: catalog.ManyToMany}}, ""},
		{"table before view", &catalog.Table{}, catalog.Column{Name: "a"},
			[]*catalog.Relationship{refers("view", true, catalog.ManyToOne, "a"), refers("other", false, catalog.ManyToOne, "a"), refers("third", false, catalog.ManyToOne, "a")}, "Note:" + fk},
		{"view", &catalog.Table{}, catalog.Column{Name: "a"},
			[]*catalog.Relationship{refers("other", true, catalog.ManyToOne, "a"), refers("view", true, catalog.ManyToOne, "a")}, "Note:" + fk},
	} {
		got, ok := describeColumn(tt.table, &tt.column, tt.keys)
		if got != tt.want || ok != (tt.want != "") {
			t.Errorf("%s: got %q, %t, want %q", tt.name, got, ok, tt.want)
		}
	}
}

func TestOverloads(t *testing.T) {
	f := func(name, comment string, types ...string) *catalog.Routine {
		r := &catalog.Routine{QI: catalog.QI{Schema: "api", Name: name}, Description: comment, HasDescription: comment != ""}
		for _, typ := range types {
			r.Params = append(r.Params, catalog.Param{Type: typ})
		}
		return r
	}
	list := []*catalog.Routine{
		f("b", "", "json"), f("c", "z", "text"), f("b", "", "jsonb"), f("a", "", "text", "text"), f("a", "x", "text"),
		f("c", "", "xml"), f("b", "", "bytea"), f("c", "y", "xml"),
	}
	var got []string
	for _, r := range lastOverloads(list) {
		got = append(got, fmt.Sprintf("%s %s %d", r.Name, r.Description, len(r.Params))+r.Params[0].Type)
	}
	if want := []string{"a  2text", "b  1jsonb", "c z 1text"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// odd has the characters that could break a document.
const odd = "quo\"te\\ sl/ash ti~lde <b> ü \x01\n"

// hostile returns a catalog whose names, types and expressions are given.
func hostile(name, typ, expression string) *catalog.Catalog {
	column := func(column string) *catalog.Column {
		return &catalog.Column{
			Name: column, Type: typ, Enum: []string{name}, Description: name, HasDescription: true, Default: expression, HasDefault: true,
		}
	}
	cat := &catalog.Catalog{Tables: map[catalog.QI]*catalog.Table{}, Routines: map[catalog.QI][]*catalog.Routine{}}
	for table, columns := range map[string][]*catalog.Column{
		name:     {column(name), column(name + "{"), column(name + "["), column(name + ":")},
		"a":      {column("b.c"), column("")},
		"a.b":    {column("c")},
		"rpc/x":  nil,
		"rpc/y":  nil,
		"select": {column("select")},
	} {
		qi := catalog.QI{Schema: "api", Name: table}
		cat.Tables[qi] = &catalog.Table{QI: qi, Columns: columns, PrimaryKey: []string{name}, Description: name, HasDescription: true, Insertable: table != "a"}
	}
	for _, routine := range []string{name, "x", "a"} {
		qi := catalog.QI{Schema: "api", Name: routine}
		cat.Routines[qi] = []*catalog.Routine{{
			QI: qi, Volatility: catalog.Stable, Description: name, HasDescription: true,
			Params: []catalog.Param{{Type: typ, Required: true}, {Type: typ + "[]", Variadic: true}, {Name: name, Type: "json[]"}},
		}}
	}
	return cat
}

// FuzzAppend checks for arbitrary names that the document is JSON without
// repeated members, and that every reference resolves.
func FuzzAppend(f *testing.F) {
	f.Add("plain", "text", "'x'::text")
	f.Add(odd, odd, odd)
	f.Add("a.b", "integer", "0.10")
	f.Add("rpc/a", "jsonb", "{}")
	f.Add("~1", "boolean[]", "1e5")
	f.Add("a.b.c", "numeric", "-1.5e-7")
	f.Fuzz(func(t *testing.T, name, typ, expression string) {
		if name == "" || !utf8.ValidString(name) || !utf8.ValidString(typ) {
			t.Skip("PostgreSQL does not permit such names")
		}
		doc := everything(hostile(name, typ, expression), "api", name)
		var root any
		if err := json.Unmarshal(doc, &root); err != nil {
			t.Fatalf("%v in %s", err, doc)
		}
		repeatedMembers(t, doc)
		checkRefs(t, root, root)
	})
}

// repeatedMembers reports repeated names in an object.
func repeatedMembers(t *testing.T, doc []byte) {
	t.Helper()
	d := json.NewDecoder(strings.NewReader(string(doc)))
	var value func(path string)
	value = func(path string) {
		token, err := d.Token()
		if err != nil {
			t.Fatal(err)
		}
		switch token {
		case json.Delim('{'):
			seen := map[string]bool{}
			for d.More() {
				key, _ := d.Token()
				if seen[key.(string)] {
					t.Errorf("%s: %q twice", path, key)
				}
				seen[key.(string)] = true
				value(path + "/" + key.(string))
			}
			d.Token()
		case json.Delim('['):
			for d.More() {
				value(path + "/-")
			}
			d.Token()
		}
	}
	value("")
}

// checkRefs resolves all references in v.
func checkRefs(t *testing.T, root, v any) {
	t.Helper()
	switch v := v.(type) {
	case []any:
		for _, item := range v {
			checkRefs(t, root, item)
		}
	case map[string]any:
		for key, item := range v {
			if ref, ok := item.(string); ok && key == "$ref" {
				at := root
				for _, segment := range strings.Split(strings.TrimPrefix(ref, "#/"), "/") {
					object, _ := at.(map[string]any)
					at = object[strings.ReplaceAll(strings.ReplaceAll(segment, "~1", "/"), "~0", "~")]
				}
				if at == nil {
					t.Errorf("%q does not resolve", ref)
				}
				continue
			}
			checkRefs(t, root, item)
		}
	}
}
