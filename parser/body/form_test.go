package body

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
)

func TestParseForm(t *testing.T) {
	var p Payload
	for _, tt := range []struct{ body, object, args string }{
		{"", `{}`, ""},
		{"id=50&name=two+words%21", `{"id":"50","name":"two words!"}`, "id:50 name:two words!"},
		{"id=50;name=a", `{"id":"50","name":"a"}`, "id:50 name:a"},
		{"b=1&a=2", `{"a":"2","b":"1"}`, "b:1 a:2"},
		{"id=50&name=a&name=b", `{"id":"50","name":"b"}`, "id:50 name:a name:b"},
		{"name=", `{"name":""}`, "name:"},
		{"name", `{"name":""}`, "name:"},
		{"a=b=c", `{"a":"b=c"}`, "a:b=c"},
		{"a=1&", `{"a":"1"}`, "a:1"},
		{"&a=1", `{"":"","a":"1"}`, ": a:1"},
		{"?a=1", `{"a":"1"}`, "a:1"},
		{"a=%C3%A9&%61%2b=+%+%4", `{"a":"é","a+":" % %4"}`, "a:é a+: % %4"},
		{"a=%zz%", `{"a":"%zz%"}`, "a:%zz%"},
		{"a=%22%5C%0a%00", `{"a":"\"\\\n\u0000"}`, "a:\"\\\n\x00"},
		{"name=NULL&flags={a,b}", `{"flags":"{a,b}","name":"NULL"}`, "name:NULL flags:{a,b}"},
	} {
		dst, err := p.ParseForm([]byte("x"), []byte(tt.body))
		if err != nil || string(dst) != "x"+tt.object || string(p.Raw) != tt.object || p.Kind != Object || !p.IsObject {
			t.Errorf("%q: %q, %v", tt.body, dst, err)
		}
		if err := p.ParseArgs([]byte(tt.body)); err != nil || p.Kind != Args {
			t.Errorf("%q: %v", tt.body, err)
		}
		var args []string
		for _, pair := range p.Pairs {
			args = append(args, string(pair.Key)+":"+string(pair.Value))
		}
		if got := strings.Join(args, " "); got != tt.args {
			t.Errorf("%q: arguments %q, want %q", tt.body, got, tt.args)
		}
	}
	if err := p.ParseArgs([]byte("b=1&a=2&b=3")); show(&p, err) != "args a b" {
		t.Error(show(&p, err))
	}
	for _, s := range []string{"a=%ff", "%ff=a", "a=\xc3"} {
		if _, err := p.ParseForm(nil, []byte(s)); err != errInvalidUTF8 {
			t.Errorf("%q: %v", s, err)
		}
	}
	if err := p.ParseArgs(bytes.Repeat([]byte{'&'}, MaxKeys+1)); err != errTooManyKeys {
		t.Errorf("too many pairs: %v", err)
	}
}

func FuzzParseForm(f *testing.F) {
	for _, s := range []string{"a=1&b=2", "a=%C3%A9;%61=+", "?&&==", "%"} {
		f.Add([]byte(s))
	}
	var p Payload
	f.Fuzz(func(t *testing.T, b []byte) {
		if p.ParseArgs(b) != nil {
			return
		}
		want := map[string]string{}
		for _, pair := range p.Pairs {
			want[string(pair.Key)] = string(pair.Value)
		}
		if len(want) != len(p.Keys) {
			t.Fatalf("%q: keys %q", b, p.Keys)
		}
		if _, err := p.ParseForm(nil, b); err != nil {
			t.Fatal(err)
		}
		var got map[string]string
		var raw map[string]json.RawMessage
		if json.Unmarshal(p.Raw, &got) != nil || json.Unmarshal(p.Raw, &raw) != nil || !sameKeys(&p, raw) || len(got) != len(want) {
			t.Fatalf("%q: %s", b, p.Raw)
		}
		for k, v := range want {
			if got[k] != v {
				t.Fatalf("%q: %s: %q is %q", b, p.Raw, k, got[k])
			}
		}
	})
}
