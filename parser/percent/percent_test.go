package percent

import (
	"net/url"
	"strings"
	"testing"
)

func TestAppendDecoded(t *testing.T) {
	for _, tt := range []struct{ in, path, query string }{
		{"", "", ""},
		{"a+b", "a+b", "a b"},
		{"%41%2b%2B", "A++", "A++"},
		{"%C3%A4%ff%00", "ä\xff\x00", "ä\xff\x00"},
		{"%", "%", "%"},
		{"%4", "%4", "%4"},
		{"%4g%g4%%41", "%4g%g4%A", "%4g%g4%A"},
		{"%2541", "%41", "%41"},
	} {
		if got := string(AppendDecoded([]byte("x"), []byte(tt.in), false)); got != "x"+tt.path {
			t.Errorf("%q: got %q, want %q", tt.in, got[1:], tt.path)
		}
		if got := string(AppendDecoded(nil, []byte(tt.in), true)); got != tt.query {
			t.Errorf("%q with plus: got %q, want %q", tt.in, got, tt.query)
		}
	}
}

// FuzzAppendDecoded compares with net/url, which refuses incomplete escapes.
func FuzzAppendDecoded(f *testing.F) {
	for _, s := range []string{"a+b%20c", "%zz", "%", "%%41", "\xff%ff"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if want, err := url.QueryUnescape(s); err == nil {
			if got := string(AppendDecoded(nil, []byte(s), true)); got != want {
				t.Fatalf("%q: got %q, want %q", s, got, want)
			}
		}
		if got := string(AppendDecoded(nil, []byte(url.PathEscape(s)), false)); got != s {
			t.Fatalf("%q comes back as %q", s, got)
		}
		if !strings.Contains(s, "%") && string(AppendDecoded(nil, []byte(s), false)) != s {
			t.Fatalf("%q changes", s)
		}
	})
}
