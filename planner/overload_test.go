package planner

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/fastgrest/fastgrest/parser"
	"github.com/fastgrest/fastgrest/parser/header"
	"github.com/fastgrest/fastgrest/planner/catalog"
)

// signature makes a routine from "a int, b text?, c...". ? marks an optional
// parameter, ... a variadic one. A type without a name is an unnamed parameter.
func signature(text string) *catalog.Routine {
	r := &catalog.Routine{QI: catalog.QI{Schema: "api", Name: "f"}}
	for param := range strings.SplitSeq(text, ", ") {
		if param == "" {
			continue
		}
		p := catalog.Param{Required: true}
		name, typ, named := strings.Cut(param, " ")
		if !named {
			name, typ = "", name
		}
		p.Name = name
		p.Type, p.Required = strings.TrimSuffix(typ, "?"), !strings.HasSuffix(typ, "?")
		p.Type, p.Variadic = strings.TrimSuffix(p.Type, "..."), strings.HasSuffix(p.Type, "...")
		p.MaxType = p.Type
		r.Params = append(r.Params, p)
	}
	return r
}

func TestOverloads(t *testing.T) {
	json := header.Media{Kind: header.JSON}
	text, xml, bytes := header.Media{Kind: header.Plain}, header.Media{Kind: header.XML}, header.Media{Kind: header.OctetStream}
	form, other := header.Media{Kind: header.Form}, header.Media{Text: "x/y"}
	for _, test := range []struct {
		routines string // separated by "; "
		action   Action
		content  header.Media
		names    string
		want     string // signature, "none", or "several"
	}{
		{"", CallGet, json, "", "none"},
		{"a int, b int", CallGet, json, "a b", "a int, b int"},
		{"a int, b int", CallGet, json, "b a", "a int, b int"},
		{"a int, b int", CallGet, json, "a a b", "a int, b int"},
		{"a int, b int", CallGet, json, "a", "none"},
		{"a int, b int", CallGet, json, "a b c", "none"},
		{"a int, b int?", CallGet, json, "a", "a int, b int?"},
		{"a int, b int?", CallGet, json, "b", "none"},
		{"a int?, b int?", CallGet, json, "", "a int?, b int?"},
		{"a int?, b int?", CallGet, json, "b", "a int?, b int?"},
		{"a int?, b int?", CallGet, json, "c", "none"},
		{"a int...", CallGet, json, "a a", "a int..."},

		// Overloads.
		{"a int; a int, b int", CallGet, json, "a b", "a int, b int"},
		{"a int; a text", CallGet, json, "a", "several"},
		{"a int; a int, b int?", CallGet, json, "a", "several"},
		{"a int; a int, b int?", CallGet, json, "a b", "a int, b int?"},
		{"; a int?", CallGet, json, "", "several"},
		{"a int; b int", CallGet, json, "c", "none"},

		// The whole payload as the single unnamed argument.
		{"json", CallPost, json, "x", "json"},
		{"jsonb", CallPost, json, "", "jsonb"},
		{"text", CallPost, json, "x", "none"},
		{"text", CallPost, text, "", "text"},
		{"xml", CallPost, xml, "", "xml"},
		{"bytea", CallPost, bytes, "", "bytea"},
		{"bytea", CallPost, other, "", "none"},
		{"json", CallPost, form, "x", "none"},
		{"json", CallGet, json, "x", "none"},
		{"a json", CallPost, json, "x", "none"},
		{"json; jsonb", CallPost, json, "x", "several"},
		{"json; text; bytea", CallPost, text, "", "text"},
		{"json; a int", CallPost, json, "a", "a int"},
		{"json; a int", CallPost, json, "b", "json"},
		{"json; ", CallPost, json, "", ""},
		{"int, int", CallPost, json, "", "none"},

		// A routine without parameters does not take a raw payload.
		{"", CallPost, json, "", "none"},
		{"a int?", CallPost, text, "", "a int?"},
		{"; text", CallPost, text, "", "text"},
		{"; a int", CallPost, text, "", "none"},
	} {
		cat := &catalog.Catalog{Routines: map[catalog.QI][]*catalog.Routine{}}
		name := catalog.QI{Schema: "api", Name: "f"}
		byText := map[*catalog.Routine]string{}
		if test.routines != "" {
			for text := range strings.SplitSeq(test.routines, "; ") {
				r := signature(text)
				byText[r] = text
				cat.Routines[name] = append(cat.Routines[name], r)
			}
		}
		r := &Request{Action: test.action, Schema: "api", Target: []byte("f"), Query: &parser.Query{}, Prefer: &header.Prefer{}, ContentType: test.content}
		for argument := range strings.FieldsSeq(test.names) {
			if test.action == CallPost {
				r.Columns = append(r.Columns, []byte(argument))
			} else {
				r.Query.Args = append(r.Query.Args, parser.Param{Key: []byte(argument)})
			}
		}
		found, err := New(cat, defaults).Routine(r)
		got := byText[found]
		var e *Error
		if errors.As(err, &e) {
			got = map[ErrorKind]string{RoutineNotFound: "none", AmbiguousRoutine: "several"}[e.Kind]
		}
		if got != test.want {
			t.Errorf("(%s), %v with %q of %v: got (%s), want (%s)", test.routines, test.action.name(), test.names, test.content, got, test.want)
		}
	}
}

func TestArguments(t *testing.T) {
	for _, test := range []struct {
		signature string
		action    Action
		content   header.Kind
		names     string
		how       string
		want      string
	}{
		{"a int, b int?", CallGet, header.JSON, "a", "values", "a"},
		{"a int, b int?", CallGet, header.JSON, "b a", "values", "a b"},
		{"a int?", CallGet, header.JSON, "", "nothing", ""},
		{"a int, b int?", CallPost, header.JSON, "a b", "members of", "a b"},
		{"a int, b int?", CallPost, header.Form, "a b", "values", "a b"},
		{"a int?", CallPost, header.JSON, "", "nothing", ""},
		{"json", CallPost, header.JSON, "x", "the payload", ""},
		{"text", CallPost, header.Plain, "", "the payload", ""},
	} {
		r := &Request{Action: test.action, Query: &parser.Query{}, ContentType: header.Media{Kind: test.content}}
		for name := range strings.FieldsSeq(test.names) {
			r.Columns = append(r.Columns, []byte(name))
			r.Query.Args = append(r.Query.Args, parser.Param{Key: []byte(name)})
		}
		how, params := arguments(r, signature(test.signature))
		var names []string
		for _, p := range params {
			if p.Name != "" {
				names = append(names, p.Name)
			}
		}
		if got := [...]string{"nothing", "values", "members of", "the payload"}[how]; got != test.how || !slices.Equal(names, strings.Fields(test.want)) {
			t.Errorf("(%s) with %q: %s %v, want %s %q", test.signature, test.names, got, names, test.how, test.want)
		}
	}
}
