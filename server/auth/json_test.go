package auth

import (
	"encoding/json"
	"testing"
	"unicode/utf8"

	"github.com/fastgrest/fastgrest/parser/jsontext"
)

// FuzzJSON: the parser accepts only what the standard library accepts, and its
// printed output parses to the same value.
func FuzzJSON(f *testing.F) {
	for _, seed := range []string{`{"a":[1,-2.5e3,null,true,{"b":"\u00e9\ud83c\udfac\n"}],"a":2}`, ` {} `, `{"":""}`, `{"x":"\u0000"}`, `{"a":1e400}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		object, ok := parseObject(text)
		if !ok {
			return
		}
		if !json.Valid(text) || !utf8.Valid(text) {
			t.Fatalf("read %q, which is not JSON", text)
		}
		printed := jsontext.AppendValue(nil, object)
		again, ok := parseObject(printed)
		if !ok || !json.Valid(printed) {
			t.Fatalf("%q is printed %q", text, printed)
		}
		if twice := jsontext.AppendValue(nil, again); string(twice) != string(printed) {
			t.Fatalf("%q is printed %q, and that %q", text, printed, twice)
		}
	})
}
