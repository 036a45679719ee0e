package body

import (
	"bytes"
	"errors"
	"strings"
	"testing"
)

func TestParseLines(t *testing.T) {
	f := func(in, raw, keys string, want *Error) {
		t.Helper()
		var p Payload
		dst, err := p.ParseLines([]byte("x"), []byte(in), false)
		var e *Error
		if errors.As(err, &e); want == nil && err != nil || want != nil && (e == nil || e.Kind != want.Kind) {
			t.Errorf("%q: %v, want %v", in, err, want)
			return
		}
		if err != nil {
			if string(dst) != "x" {
				t.Errorf("%q: leaves %q", in, dst)
			}
			return
		}
		if string(p.Raw) != raw || string(bytes.Join(p.Keys, []byte(","))) != keys || p.IsObject {
			t.Errorf("%q: %q, keys %q, want %q, %q", in, p.Raw, p.Keys, raw, keys)
		}
	}
	f("", "[]", "", nil)
	f("\n \r\n", "[]", "", nil)
	f(`{"b":1,"a":2}`, `[{"b":1,"a":2}]`, "a,b", nil)
	f("{\"a\":1}\n{\"a\":2}\n", `[{"a":1},{"a":2}]`, "a", nil)
	f("{\"a\":1}\r\n\n\t{\"a\" : 2}\r\n", "[{\"a\":1}\r,\t{\"a\" : 2}\r]", "a", nil)
	f("{\"a\":1,\"b\":2}\n{\"b\":1,\"\\u0061\":2}", `[{"a":1,"b":2},{"b":1,"\u0061":2}]`, "a,b", nil)
	f("{}\n{}", "[{},{}]", "", nil)
	f("{\"a\":1}\n{\"b\":2}", "", "", errKeysDiffer)
	f("{\"a\":1}\n{\"a\":2,\"b\":2}\n{\"a\":3}", "", "", errKeysDiffer)
	f("{\"a\":1}\n2", "", "", errKeysDiffer)
	f("2\n{\"a\":1}", "", "", errKeysDiffer)
	f("[{\"a\":1}]", "", "", errKeysDiffer)
	f("{\"a\":1}\n{\"b\":2}\n{", "", "", errInvalidJSON)
	f("{\"a\":1}{\"a\":2}", "", "", errInvalidJSON)
	f("{\"a\":1},{\"a\":2}", "", "", errInvalidJSON)
	f("{\"a\":\n1}", "", "", errInvalidJSON)
	f("{\"a\":\"x\ny\"}", "", "", errInvalidJSON)
	f("{\"a\":"+strings.Repeat("[", MaxDepth)+strings.Repeat("]", MaxDepth)+"}", "", "", errTooDeep)

	var p Payload
	if _, err := p.ParseLines(nil, []byte("{\"a\":1}\n{\"b\":2}"), true); err != nil || string(p.Raw) != `[{"a":1},{"b":2}]` || p.Keys != nil {
		t.Errorf("any keys: %q %q %v", p.Raw, p.Keys, err)
	}
}

// FuzzParseLines: what is accepted is what an array of the same objects is.
func FuzzParseLines(f *testing.F) {
	for _, s := range []string{"", "{\"a\":1}\n{\"a\":2}", "{\"a\":1}\r\n\n{\"b\":2}", "{\"a\":[1,{}]}\n", "1\n2", "{\"a\":1},{\"a\":2}", "{\"a\":1}\n{\"\\u0061\":1,\"a\":2}"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		var lines, array Payload
		_, err := lines.ParseLines(nil, in, false)
		if err != nil {
			return
		}
		raw := bytes.Clone(lines.Raw)
		if err := array.ParseJSON(raw, false); err != nil {
			t.Fatalf("%q becomes %q: %v", in, raw, err)
		}
		if lines.Kind != array.Kind || len(lines.Keys) != len(array.Keys) {
			t.Fatalf("%q: %d %q, as an array %d %q", in, lines.Kind, lines.Keys, array.Kind, array.Keys)
		}
	})
}
