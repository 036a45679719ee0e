package cookies

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestAppendJSON(t *testing.T) {
	for _, tt := range []struct{ header, want string }{
		{"", `{}`},
		{"sid=abc", `{"sid":"abc"}`},
		{"a=1; b=two words; c=x%20y", `{"c":"x%20y","b":"two words","a":"1"}`},
		{"a=1;b=2", `{"b":"2","a":"1"}`},
		{"a=b=c", `{"a":"b=c"}`},
		{`a="q v"`, `{"a":"q v"}`},
		{`a="`, `{"a":"\""}`},
		{`a=""`, `{"a":""}`},
		{`a="x" `, `{"a":"\"x\" "}`},
		{`c="; drop table api.genre; --`, `{"--":"","drop table api.genre":"","c":"\""}`},
		{`c=$$;drop table api.genre;$$`, `{"$$":"","drop table api.genre":"","c":"$$"}`},
		{"a=1; a=2; b=3; a=4", `{"a":"4","b":"3"}`},
		{"a=1;", `{"a":"1"}`},
		{";", `{"":""}`},
		{"; a = 1", `{"a ":" 1","":""}`},
		{"\ta=ü", `{"\ta":"ü"}`},
		{"a=\xff", "{\"a\":\"\uFFFD\"}"},
	} {
		if got := string(AppendJSON([]byte("x"), []byte(tt.header))); got != "x"+tt.want {
			t.Errorf("%q: got %s, want %s", tt.header, got[1:], tt.want)
		}
	}
}

// TestMany: a header with more than fewCookies gives the same object.
func TestMany(t *testing.T) {
	few := string(AppendJSON(nil, []byte("a=1; b=2; a=3; c=5")))
	many := string(AppendJSON(nil, []byte("a=1; b=2; a=3; "+strings.Repeat("c=4; ", fewCookies)+"c=5")))
	if few != many {
		t.Errorf("few: %s, many: %s", few, many)
	}
}

func FuzzAppendJSON(f *testing.F) {
	for _, s := range []string{"a=1; b=2", `a="`, ";;=;", "a\x00=\xff; a"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, header string) {
		text := AppendJSON(nil, []byte(header))
		want := map[string]string{}
		for h := header; h != ""; {
			name, value, rest := cut([]byte(h))
			want[string(name)], h = string(value), string(rest)
		}
		var got map[string]string
		if err := json.Unmarshal(text, &got); err != nil {
			t.Fatalf("%q: %s: %v", header, text, err)
		}
		if !utf8.ValidString(header) {
			return // names may become equal
		}
		if len(got) != len(want) || strings.Count(string(text), `":"`) < len(want) {
			t.Fatalf("%q: got %v, want %v", header, got, want)
		}
		for name, value := range want {
			if got[name] != value {
				t.Fatalf("%q: %s is %q, want %q", header, name, got[name], value)
			}
		}
	})
}
