package header

import (
	"strings"
	"testing"
)

func TestParseMedia(t *testing.T) {
	plan := func(inner Kind, asJSON bool, options PlanOptions, text string) Media {
		return Media{Kind: Plan, For: inner, PlanJSON: asJSON, Options: options, Text: text}
	}
	for _, tt := range []struct {
		text string
		want Media
		mime string // "" for the text itself
	}{
		{"application/json", Media{Kind: JSON}, ""},
		{"APPLICATION/Json", Media{Kind: JSON}, "application/json"},
		{"application/json;charset=utf-16", Media{Kind: JSON}, "application/json"},
		{"application/json/x", Media{Kind: JSON}, "application/json"},
		{"application/json;nulls=stripped", Media{Kind: JSON}, "application/json"},
		{"application/jsonx", Media{Text: "application/jsonx"}, ""},
		{"application/geo+json", Media{Kind: GeoJSON}, ""},
		{"text/csv; header=absent", Media{Kind: CSV}, "text/csv"},
		{"text/plain", Media{Kind: Plain}, ""},
		{"text/xml", Media{Kind: XML}, ""},
		{"application/openapi+json", Media{Kind: OpenAPI}, ""},
		{"application/x-www-form-urlencoded", Media{Kind: Form}, ""},
		{"application/octet-stream", Media{Kind: OctetStream}, ""},
		{"*/*", Media{Kind: Any}, ""},
		{"*/json", Media{Text: "*/json"}, ""},
		{"text/*", Media{Text: "text/*"}, ""},
		{"*", Media{Text: "*"}, ""},
		{"", Media{}, ""},
		{";", Media{Text: ";"}, ""},
		{"/json", Media{Text: "/json"}, ""},
		{"application/", Media{Text: "application/"}, ""},
		{"application /json", Media{Text: "application /json"}, ""},
		{"x-foo/json", Media{Text: "x-foo/json"}, ""},
		{"Text/HTML; Level=1", Media{Text: "Text/HTML; Level=1"}, ""},
		{"a/\xe9", Media{Text: "a/é"}, "a/é"},
		{"a/é", Media{Text: "a/Ã©"}, "a/Ã©"},

		{"application/vnd.pgrst.array", Media{Kind: JSON}, "application/json"},
		{"application/vnd.pgrst.array+json;nulls=kept", Media{Kind: JSON}, "application/json"},
		{"application/vnd.pgrst.array+json;nulls=Stripped", Media{Kind: JSON}, "application/json"},
		{"application/vnd.pgrst.array+json;nulls=stripped", Media{Kind: ArrayStripped}, ""},
		{"application/vnd.pgrst.array;NULLS=\"stripped\";", Media{Kind: ArrayStripped}, "application/vnd.pgrst.array+json;nulls=stripped"},
		{"application/vnd.pgrst.array;nulls=stripped;nulls=no", Media{Kind: JSON}, "application/json"},
		{"application/vnd.pgrst.array;nulls=no;nulls=stripped", Media{Kind: ArrayStripped}, "application/vnd.pgrst.array+json;nulls=stripped"},
		{"application/vnd.pgrst.array;a=b c;nulls=stripped", Media{Kind: JSON}, "application/json"},
		{"application/vnd.pgrst.array;;nulls=stripped", Media{Kind: JSON}, "application/json"},
		{"ApplicatIon/vnd.PgRsT.object+json", Media{Kind: Object}, "application/vnd.pgrst.object+json"},
		{"application/vnd.pgrst.object ;\tnulls = stripped", Media{Kind: ObjectStripped}, "application/vnd.pgrst.object+json;nulls=stripped"},

		{"application/vnd.pgrst.plan", plan(JSON, false, 0, ""), `application/vnd.pgrst.plan+text; for="application/json"`},
		{"application/vnd.pgrst.plan;", plan(JSON, false, 0, ""), `application/vnd.pgrst.plan+text; for="application/json"`},
		{"application/vnd.pgrst.plan+json", plan(JSON, true, 0, ""), `application/vnd.pgrst.plan+json; for="application/json"`},
		{
			`application/vnd.pgrst.plan ; for="text/xml" ; options=analyze`,
			plan(XML, false, PlanAnalyze, ""), `application/vnd.pgrst.plan+text; for="text/xml"; options=analyze`,
		},
		{
			`application/vnd.pgrst.plan+text;FOR="application/vnd.pgrst.object";options=wal|buffers|nope||verbose|settings|analyze`,
			plan(Object, false, 31, ""),
			`application/vnd.pgrst.plan+text; for="application/vnd.pgrst.object+json"; options=analyze|verbose|settings|buffers|wal`,
		},
		{`application/vnd.pgrst.plan;for="nope/nope"`, plan(Other, false, 0, "nope/nope"), `application/vnd.pgrst.plan+text; for="nope/nope"`},
		{`application/vnd.pgrst.plan;for=nope`, plan(Other, false, 0, "nope"), `application/vnd.pgrst.plan+text; for="nope"`},
		{`application/vnd.pgrst.plan;for="text/csv`, plan(JSON, false, 0, ""), `application/vnd.pgrst.plan+text; for="application/json"`},
		{
			`application/vnd.pgrst.plan;for="application/vnd.pgrst.plan+json;options=wal"`,
			plan(Other, false, 0, `application/vnd.pgrst.plan+json; for="application/json"; options=wal`),
			`application/vnd.pgrst.plan+text; for="application/vnd.pgrst.plan+json; for="application/json"; options=wal"`,
		},
	} {
		got := ParseMedia([]byte(tt.text))
		if got != tt.want {
			t.Errorf("%q\n got %+v\nwant %+v", tt.text, got, tt.want)
		}
		want := tt.mime
		if want == "" {
			want = tt.text
		}
		if got := got.String(); got != want {
			t.Errorf("%q prints as %s, want %s", tt.text, got, want)
		}
	}
}

func TestContentType(t *testing.T) {
	for text, want := range map[string]string{
		"application/json":           "application/json; charset=utf-8",
		"text/csv":                   "text/csv; charset=utf-8",
		"application/octet-stream":   "application/octet-stream",
		"text/html":                  "text/html",
		"application/vnd.pgrst.plan": `application/vnd.pgrst.plan+text; for="application/json"; charset=utf-8`,
		"application/vnd.pgrst.array+json;nulls=stripped": "application/vnd.pgrst.array+json;nulls=stripped; charset=utf-8",
	} {
		if got := string(ParseMedia([]byte(text)).AppendContentType(nil)); got != want {
			t.Errorf("%s: got %s, want %s", text, got, want)
		}
	}
	if got := ParseContentType(nil); got.Kind != JSON {
		t.Errorf("no header is %+v", got)
	}
	if got := ParseContentType([]byte{}); got.Kind != Other {
		t.Errorf("an empty header is %+v", got)
	}
}

func TestParseAccept(t *testing.T) {
	for _, tt := range []struct{ value, want string }{
		{"", ""},
		{",", ", "},
		{"application/json", "application/json"},
		{"application/json, text/csv", "application/json, text/csv"},
		{"text/csv, application/json", "text/csv, application/json"},
		{"text/csv;q=0.5, application/json", "application/json, text/csv"},
		{"text/csv;q=0.5, application/json;q=0.4", "text/csv, application/json"},
		{"text/csv;q=abc, application/json;q=0.2", "text/csv, application/json"},
		{"nope/nope, */*", "nope/nope, */*"},
		{"*/*, nope/nope", "nope/nope, */*"},
		{"text/*, text/csv", "text/csv, text/*"},
		{"application /json", "application/json"},
		{"application/json,", "application/json, "},
		{",text/csv", ", text/csv"},
		{"text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", "text/html, application/xhtml+xml, application/xml, */*"},
		{"text/plain; q=0.5, text/html;charset=utf-8, text/*;q=0.8;ext=blah, text/x-dvi; q=0.8, text/x-c", "text/html;charset=utf-8, text/x-c, text/x-dvi, text/*, text/plain"},
		{"a/b;Q=0.1, c/d;q=0.5", "a/b;Q=0.1, c/d"}, // q is spelled small
		{"a/b;q=.9, c/d;q=0.5", "a/b, c/d"},        // .9 is no number: 1
		{"a/b;q=+0.1, c/d;q=0.5", "a/b, c/d"},
		{"a/b;q=1e-3, c/d;q=5e-1", "c/d, a/b"},
		{"a/b;q=0.5x, c/d;q=0.6", "c/d, a/b"}, // what follows the number is ignored
		{"a/b;q=-1, c/d;q=0", "c/d, a/b"},
		{"a/b;q=(0.1), c/d;q=0x1, e/f;q=2", "e/f, c/d, a/b"},
		{"a/b;q=1e999, c/d;q=Infinity, e/f;q=5", "a/b, c/d, e/f"},
		{"a/b;q=NaN, c/d;q=0.5", "a/b, c/d"},
		{"a/b;q=0.30000000000000000001, c/d;q=0.3", "a/b, c/d"},
		{"a/b;x=1;q=0.5, c/d;q=0.5", "a/b;x=1, c/d"},
		{"a/b;q=0.5, c/d;x=1;q=0.5", "c/d;x=1, a/b"},
		{`application/vnd.pgrst.plan; for="text/csv"; options=verbose|buffers`, `application/vnd.pgrst.plan+text; for="text/csv"; options=verbose|buffers`},
		{"a/b;" + strings.Repeat(" ", 200) + "q=0.1, c/d", "c/d, a/b"},
	} {
		var got []string
		for _, m := range ParseAccept(nil, []byte(tt.value)) {
			got = append(got, m.String())
		}
		if got := strings.Join(got, ", "); got != tt.want {
			t.Errorf("%q\n got %s\nwant %s", tt.value, got, tt.want)
		}
	}
}

func FuzzParseAccept(f *testing.F) {
	for _, s := range []string{
		"text/csv;q=0.5, application/json", "*/*;q=NaN,*/*;q=((0x1))", `application/vnd.pgrst.plan;for="a/b;options=wal|`,
		"application/vnd.pgrst.array; nulls=stripped;q=1e-999", "a/\xe9;=\"", ",,,;q=,",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, value []byte) {
		types := ParseAccept(nil, value)
		if want := strings.Count(string(value), ",") + 1; len(value) > 0 && len(types) != want {
			t.Fatalf("%q: %d types, want %d", value, len(types), want)
		}
		for _, m := range types {
			again := ParseMedia(m.AppendMime(nil))
			if m.Kind != Other && m.For != Other && again != m {
				t.Fatalf("%q: %+v prints as %s, which reads as %+v", value, m, m, again)
			}
		}
	})
}
