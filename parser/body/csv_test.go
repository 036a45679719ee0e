package body

import (
	"encoding/json"
	"strconv"
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
			got = named(t, &p)
			if string(dst) != "x"+string(p.Raw) || p.IsObject {
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

// named returns the rows of a CSV body with names for positions.
func named(t *testing.T, p *Payload) string {
	t.Helper()
	var rows []map[string]*string
	if err := json.Unmarshal(p.Raw, &rows); err != nil {
		t.Fatalf("%s: %v", p.Raw, err)
	}
	for _, row := range rows {
		for i, name := range p.Keys {
			value := row[strconv.Itoa(i)]
			delete(row, strconv.Itoa(i))
			row[string(name)] = value
		}
	}
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(rows); err != nil {
		t.Fatal(err)
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// TestCSVKeys checks the names of columns in rows.
func TestCSVKeys(t *testing.T) {
	for _, tt := range []struct{ body, want string }{
		{"b,a,b\n1,2,3\n4,5,NULL\n", `[{"0":"2","1":"3"},{"0":"5","1":null}]`},
		{"\n1\n", `[{"":"1"}]`},
	} {
		var p Payload
		if _, err := p.ParseCSV(nil, []byte(tt.body), 1<<20); err != nil || string(p.Raw) != tt.want {
			t.Errorf("%q: %s, %v", tt.body, p.Raw, err)
		}
	}
}

func TestCSVBounds(t *testing.T) {
	var p Payload
	if _, err := p.ParseCSV(nil, []byte("n"+strings.Repeat("\nx", 10_000)), 1<<16); err != errTooLarge {
		t.Errorf("rows beyond the limit: %v", err)
	}
	if _, err := p.ParseCSV(nil, []byte(strings.Repeat(",", MaxKeys)+"\n"), 1<<16); err != errTooManyKeys {
		t.Errorf("too many names: %v", err)
	}
	if _, err := p.ParseCSV(nil, []byte("a\n"+strings.Repeat(",", MaxKeys)), 1<<16); err != errTooManyKeys {
		t.Errorf("too many fields: %v", err)
	}
}

// TestCSVGrowth checks the size of the JSON text of a body.
func TestCSVGrowth(t *testing.T) {
	many := strings.Repeat(",", 9999)
	for _, body := range []string{
		strings.Repeat("n", 100_000) + strings.Repeat("\nx", 950),
		strings.Repeat("n", 100_000) + ",m" + strings.Repeat("\n,", 950),
		"a,b\n" + strings.Repeat(",\n", 10_000),
		"a\n" + strings.Repeat("\x01\n", 10_000),
		strings.Repeat("\x01", 1000) + "\n" + strings.Repeat("x\n", 1000),
		many + strings.Repeat("\n"+many, 20),
		"0" + strings.ReplaceAll(many, ",", ",\x01") + strings.Repeat("\n"+many, 20),
	} {
		var p Payload
		dst, err := p.ParseCSV(nil, []byte(body), 1<<30)
		if err != nil || p.Kind != Array || cap(dst) > 24*len(body) || len(dst) > 12*len(body) {
			t.Errorf("%.20q: of %d bytes %d, in a buffer of %d, %v", body, len(body), len(dst), cap(dst), err)
		}
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
			if len(row) != len(p.Keys) || len(p.Raw) > 12*len(b) {
				t.Fatalf("%q: %s: keys %q", b, p.Raw, p.Keys)
			}
			for i, name := range p.Keys {
				key := strconv.Itoa(i)
				if len(name) == 0 {
					key = ""
				}
				if _, ok := row[key]; !ok {
					t.Fatalf("%q: %s: keys %q", b, p.Raw, p.Keys)
				}
			}
		}
	})
}
