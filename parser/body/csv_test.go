package body

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"
)

const uneven = "error: All lines must have same number of fields"

func TestParseCSV(t *testing.T) {
	var p Payload
	for _, tt := range []struct{ body, want string }{
		{"id,name\r\n50,Noir\r\n51,Giallo", `[{"id":"50","name":"Noir"},{"id":"51","name":"Giallo"}]`},
		{"b,a\n1,2\n", `[{"a":"2","b":"1"}]`},
		{"id,name\r50,x\r51,y\r", `[{"id":"50","name":"x"},{"id":"51","name":"y"}]`},
		{"id,name\n50,\"two\nlines\"\n", `[{"id":"50","name":"two\nlines"}]`},
		{"id,note\n90,NULL\n91,\n92,null\n93,\"NULL\"\n", `[{"id":"90","note":null},{"id":"91","note":""},{"id":"92","note":"null"},{"id":"93","note":null}]`},
		{"id,name\n", "empty"},
		{"id,name\n\n\r\n\r", "empty"},
		{"\n", "empty"},
		{"n\n\n2\n\"\"\n", `[{"n":"2"}]`},
		{"id, name\n50, spaced\n", `[{" name":" spaced","id":"50"}]`},
		{"\ufeffid\n50\n", "[{\"\ufeffid\":\"50\"}]"},
		{"t,m\nx,\"{\"\"a\"\":1}\"\n", `[{"m":"{\"a\":1}","t":"x"}]`},
		{"\"a\"\"b\",\"c\"\n1,2", `[{"a\"b":"1","c":"2"}]`},
		{"id\né🎬\n", `[{"id":"é🎬"}]`},
		{"a\n\x01\t\\\x7f\n", "[{\"a\":\"\\u0001\\t\\\\\x7f\"}]"},
		{"a,b\n1,2,3\n4,5\n", `[{"a":"1","b":"2"},{"a":"4","b":"5"}]`}, // surplus fields
		{"a,b\n1\n2\n", `[{"a":"1"},{"a":"2"}]`},                       // missing everywhere
		{"a,b,a\n1,2,3\n", `[{"a":"3","b":"2"}]`},
		{"a,b,a\n1,2,3\n4,5\n", `[{"a":"3","b":"2"},{"a":"4","b":"5"}]`},
		{"a,b\n,\n", `[{"a":"","b":""}]`},

		{"id,name\n50,a\n51\n", uneven},
		{"a,b\n1\n1,2\n", uneven},
		{"a,b,a\n1,2,3\n4\n", uneven},
		{"a,b\n1,2\n3\nx\"y\n", `error: parse error (Failed reading: satisfy) at "\"y\n"`}, // no CSV at all comes first

		{"", `error: parse error (not enough input) at ""`},
		{"{}", `error: parse error (not enough input) at ""`},
		{"a,", `error: parse error (not enough input) at ""`},
		{`{"q": 1}`, `error: parse error (Failed reading: satisfy) at "\"q\": 1}"`},
		{"a\n\"x\"y\n", `error: parse error (Failed reading: satisfy) at "y\n"`},
		{"a\n\"x\"y\xc3\xa91\x01\x0eH\x7f\\\t\"", `error: parse error (Failed reading: satisfy) at "y\195\169\&1\SOH\SO\&H\DEL\\\t\""`},
		{"a\n\"x\"" + strings.Repeat("y", 101), `error: parse error (Failed reading: satisfy) at ` + strings.Repeat("y", 100) + " (truncated)"},
		{"a\n\"", `error: parse error (Failed reading: trailing double quote) at ""`},
		{"a\n\"xyz", `[{"a":"xy"}]`},
		{"a\n\"x\"\"yz", `[{"a":"x\"y"}]`},
		{"a\n\"x\"\"", `error: parse error (Failed reading: insufficient input) at ""`},

		{"a\n\xff\n", "error: The payload is not valid UTF-8"},
		{"\xff\na\n", "error: The payload is not valid UTF-8"},
		{"\xff\n", "empty"},
	} {
		dst, err := p.ParseCSV([]byte("x"), []byte(tt.body), 1<<20)
		got := show(&p, err)
		if err == nil && p.Kind == Array {
			got = string(p.Raw)
			if string(dst) != "x"+got || p.IsObject {
				t.Errorf("%q: buffer %q", tt.body, dst)
			}
		} else if string(dst) != "x" {
			t.Errorf("%q: buffer %q", tt.body, dst)
		}
		if got != tt.want {
			t.Errorf("%q\n got %s\nwant %s", tt.body, got, tt.want)
		}
	}
}

func TestCSVBounds(t *testing.T) {
	var p Payload
	name := strings.Repeat("n", 1000)
	if _, err := p.ParseCSV(nil, []byte(name+strings.Repeat("\nx", 1000)), 1<<16); err != errTooLarge {
		t.Errorf("names repeated beyond the limit: %v", err)
	}
	if _, err := p.ParseCSV(nil, []byte(strings.Repeat(",", MaxKeys)+"\n"), 1<<16); err != errTooManyKeys {
		t.Errorf("too many names: %v", err)
	}
	if _, err := p.ParseCSV(nil, []byte("a\n"+strings.Repeat(",", MaxKeys)), 1<<16); err != errTooManyKeys {
		t.Errorf("too many fields: %v", err)
	}
}

func FuzzParseCSV(f *testing.F) {
	for _, s := range []string{"a,b\n1,2\n", "a\r\"x\"\"y", "a,a\n1\n2,3", "\"\n\"\n\"\"\n", "a\n\"x\"\xffy", ",\n,\n\n,"} {
		f.Add([]byte(s))
	}
	var p Payload
	f.Fuzz(func(t *testing.T, b []byte) {
		dst, err := p.ParseCSV(nil, b, 1<<20)
		if err != nil {
			if len(dst) != 0 || err.Error() == "" {
				t.Fatalf("%q: %q, %v", b, dst, err)
			}
			return
		}
		var rows []map[string]json.RawMessage
		if err := json.Unmarshal(p.Raw, &rows); err != nil || !utf8.Valid(p.Raw) {
			t.Fatalf("%q: %s: %v", b, p.Raw, err)
		}
		for _, row := range rows {
			if !sameKeys(&p, row) {
				t.Fatalf("%q: %s: keys %q", b, p.Raw, p.Keys)
			}
		}
		// What we wrote reads the same as JSON.
		raw, want := bytes.Clone(p.Raw), show(&p, nil)
		if got := show(&p, p.ParseJSON(raw, false)); got != want {
			t.Fatalf("%q: %s, as JSON %s", b, want, got)
		}
	})
}
