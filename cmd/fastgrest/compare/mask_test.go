package compare

import (
	"encoding/base64"
	"strings"
	"testing"
)

// TestMask: no part of a secret of at least six bytes is left, and other text stays.
func TestMask(t *testing.T) {
	const jwt = "eyJhbGciOiJIUzI1NiJ9.eyJyb2xlIjoiYWRhIn0.c2lnbmF0dXJl"
	const key = "opaque-key-of-ada/1"
	secrets := []string{"Bearer " + key, key, "abc"}
	std, url := base64.StdEncoding.EncodeToString, base64.RawURLEncoding.EncodeToString
	lines := func(s, end string) string { // as PostgreSQL's encode(), at 76 characters, or less
		return s[:20] + end + s[20:]
	}
	for _, test := range []struct{ text, want string }{
		{"[1]", "[1]"},
		{"abc, opaque-ke, eyJ", "abc, opaque-ke, eyJ"},
		{key + " and " + jwt + "!", "*** and ***!"},
		{`{"a":"opaque-ke`, `{"a":"***`},
		{`{"a":"opaque`, `{"a":"***`},
		{`{"a":"opaqu`, `{"a":"opaqu`},
		{`{"a":"Bearer opaque-key-of-`, `{"a":"***`},
		{`{"a":"opaque-opaque-key`, `{"a":"opaque-***`},
		{`{"a":"` + jwt[:12], `{"a":"***`},
		{`{"a":"` + jwt[:30], `{"a":"***`},
		{`{"a":"` + jwt[:45], `{"a":"***`},
		{`{"a":"` + std([]byte(key)) + `"}`, `{"a":"***"}`},
		{`{"a":"` + std([]byte("x"+key)) + `","b":1}`, `{"a":"***","b":1}`},
		{`{"a":"/` + std([]byte(key)), `{"a":"***`},
		{`{"a":"` + std([]byte(key))[:16], `{"a":"***`},
		{`{"a":"` + url([]byte("xy"+jwt)) + `"}`, `{"a":"***"}`},
		{`{"a":"` + lines(std([]byte("Bearer "+jwt)), `\n`) + `"}`, `{"a":"***"}`},
		{lines(std([]byte("Bearer "+jwt)), "\r\n"), "***"},
		{`{"a":"` + std([]byte("a long text without any secret in it")) + `"}`, `{"a":"` + std([]byte("a long text without any secret in it")) + `"}`},
	} {
		got := mask(test.text, secrets)
		got = strings.ReplaceAll(strings.ReplaceAll(got, "***==", "***"), "***=", "***") // the padding of base64
		if got != test.want {
			t.Errorf("%s\n gives %s\n want  %s", test.text, got, test.want)
		}
	}
	if same := strings.Repeat("a", keptBytes); mask(same, []string{same + "b"}) != masked {
		t.Error("a long secret is left")
	}
}

// TestMaskCut: the first difference is in a secret that is cut after keptBytes.
func TestMaskCut(t *testing.T) {
	const key = "opaque-key-of-ada"
	filler := `"` + strings.Repeat("x", keptBytes-len(key)) + `","`
	old := serve(t, canned{body: `[` + filler + key + `"]`}.handler)
	new := serve(t, canned{body: `[` + filler + strings.ToUpper(key) + `"]`}.handler)
	r := compareURLs(t, old, new, "GET /a\n", "--token", key)
	if r.class() != "different" || strings.Contains(r.text, "opaque") || !strings.Contains(r.text, `","***`) {
		t.Errorf("%s: %s", r.class(), r.text)
	}
}
