package compare

import (
	"encoding/base64"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pascaldekloe/jwt"
)

const secret = "a secret of at least thirty-two characters"

func write(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func parsed(t *testing.T, args ...string) *options {
	t.Helper()
	var o options
	if _, err := o.parse(append([]string{"--log", "-"}, args...), nil); err != nil {
		t.Fatal(err)
	}
	return &o
}

func TestTokenOfRole(t *testing.T) {
	file := write(t, "# tokens\n\neditor=abc=\nweb anon = def\n")
	for _, c := range []struct {
		flags []string
		want  map[string]string
	}{
		{nil, map[string]string{"": "", "-": "", "editor": ""}},
		{[]string{"--token", "one"}, map[string]string{"": "one", "-": "", "editor": "one"}},
		{[]string{"--token", "dev-{role}", "--anon-role", "anon"}, map[string]string{"anon": "", "editor": "dev-editor"}},
		{[]string{"--tokens", file, "--token", "one"}, map[string]string{"editor": "abc=", "web anon": "def", "other": "one", "": "one"}},
	} {
		tokens, err := newTokens(parsed(t, c.flags...))
		if err != nil {
			t.Fatal(err)
		}
		for role, want := range c.want {
			if got, err := tokens.forRole(role, time.Now()); err != nil || got != want {
				t.Errorf("%v: %q has %q, want %q", c.flags, role, got, want)
			}
		}
	}
}

// TestSigned: a token has the claims of the template, and is replaced before it expires.
func TestSigned(t *testing.T) {
	jwk := `{"kty":"oct","k":"` + base64.RawURLEncoding.EncodeToString([]byte(secret)) + `"}`
	for name, flags := range map[string][]string{
		"text":   {"--jwt-secret", write(t, secret+"\n")},
		"base64": {"--jwt-secret", write(t, base64.StdEncoding.EncodeToString([]byte(secret))), "--jwt-secret-is-base64"},
		"JWK":    {"--jwt-secret", write(t, jwk)},
	} {
		tokens, err := newTokens(parsed(t, append(flags, "--claims", `{"role":"{role}","app":{"who":["{role}"]},"n":12345678901234567890}`)...))
		if err != nil {
			t.Fatal(name, err)
		}
		now := time.Now()
		const role = `editor","admin":"true`
		token, err := tokens.forRole(role, now)
		if err != nil {
			t.Fatal(name, err)
		}
		claims, err := jwt.HMACCheck([]byte(token), []byte(secret))
		if err != nil {
			t.Fatal(name, err)
		}
		if claims.Set["role"] != role || claims.Set["admin"] != nil || !strings.Contains(string(claims.Raw), `"n":12345678901234567890`) {
			t.Errorf("%s: %s", name, claims.Raw)
		}
		if !claims.Valid(now) || claims.Valid(now.Add(tokenLife+time.Second)) {
			t.Errorf("%s: valid until %v", name, claims.Expires)
		}
		if again, _ := tokens.forRole(role, now.Add(time.Minute)); again != token {
			t.Errorf("%s: signed again after a minute", name)
		}
		if later, _ := tokens.forRole(role, now.Add(tokenLife*3/4)); later == token {
			t.Errorf("%s: a token that expires soon is sent", name)
		}
	}
}

// TestTokensAreSent: both servers get the token of the role and the headers, and the report counts
// roles without a token.
func TestTokensAreSent(t *testing.T) {
	var old, new seen
	input := `1.2.3.4 - editor ` + stamp + ` "GET /a HTTP/1.1" 200 - "" ""
1.2.3.4 - other ` + stamp + ` "GET /b HTTP/1.1" 200 - "" ""
1.2.3.4 - anon ` + stamp + ` "GET /c HTTP/1.1" 200 - "" ""
{"method":"GET","url":"/d","headers":{"Authorization":"Bearer own","Accept-Profile":"x"},"role":"editor"}
`
	r := compareURLs(t, serve(t, old.ServeHTTP), serve(t, new.ServeHTTP), input, "--tokens", write(t, "editor=abc\n"), "--anon-role", "anon",
		"--header", "Accept-Profile: api", "--header", "Prefer: count=exact", "--concurrency", "1")
	if r.code != 0 || r.WithoutToken["other"] != 1 || len(r.WithoutToken) != 1 {
		t.Fatalf("%v\n%s", r.WithoutToken, r.text)
	}
	for i, want := range []string{"Bearer abc", "", "", "Bearer own"} {
		for _, h := range []http.Header{old.headers[i], new.headers[i]} {
			if h.Get("Authorization") != want || h.Get("Accept-Profile") != "api" || h.Get("Prefer") != "count=exact" {
				t.Errorf("%s: %v", old.requests[i], h)
			}
		}
	}
}

// TestProxyLog: the report says that a log without roles gets no tokens.
func TestProxyLog(t *testing.T) {
	var server seen
	url := serve(t, server.ServeHTTP)
	const input = "1.2.3.4 - - " + stamp + ` "GET /a HTTP/1.1" 200 - "" ""` + "\n"
	const says = "no role in the log: 1 request went without a token"
	for want, args := range map[bool][]string{true: {"--token", "abc"}, false: {"--header", "Authorization: Bearer abc"}} {
		r := compareURLs(t, url, url, input, args...)
		if r.code != 0 || strings.Contains(r.text, says) != want {
			t.Errorf("%q: %d\n%s", args, r.code, r.text)
		}
	}
}

// TestSecretsAreMasked: no secret of a request, a response or a flag is in a report.
func TestSecretsAreMasked(t *testing.T) {
	const header, key, own, parameter, member = "tokenfromfile", "keyfromflag", "cookiefrominput", "hidden%20inurl", "hiddeninbody"
	const login = "eyJhbGciOiJIUzI1NiJ9.eyJyb2xlIjoiYSJ9.c2lnbmF0dXJl"
	new := serve(t, func(w http.ResponseWriter, r *http.Request) {
		text := r.Header.Get("Authorization") + r.Header.Get("Apikey") + r.Header.Get("Cookie") + r.RequestURI
		text += r.FormValue("password")
		canned{status: 400, headers: []string{"X-Echo", text, "Set-Cookie", login},
			body: `{"message":"` + text + `","token":"` + login + `","new_password":"` + member + `"}`}.handler(w, r)
	})
	input := `{"method":"GET","url":"/rpc/login?password=` + parameter + `","role":"editor","headers":{"Cookie":"s=` + own + `"},"body":{"password":"` + member + `"}}`
	for _, status := range []int{200, 400} {
		r := compareURLs(t, serve(t, canned{status: status}.handler), new, input+"\n", "--tokens", write(t, "editor="+header), "--header", "apikey: "+key)
		if r.code != 1 {
			t.Fatalf("exit code %d: %s", r.code, r.text)
		}
		var all strings.Builder
		if err := r.encode(&all); err != nil {
			t.Fatal(err)
		}
		all.WriteString(r.text)
		for _, secret := range []string{header, key, own, parameter, "hidden inurl", member, "c2lnbmF0dXJl"} {
			if strings.Contains(all.String(), secret) {
				t.Errorf("the report has %q:\n%s", secret, all.String())
			}
		}
		for _, want := range []string{`-H "Apikey: $APIKEY"`, `-H "Authorization: Bearer $TOKEN_editor"`, `-H "Cookie: $COOKIE"`} {
			if !strings.Contains(r.text, want) {
				t.Errorf("no %s in\n%s", want, r.text)
			}
		}
	}
}
