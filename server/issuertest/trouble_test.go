package issuertest

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/fastgrest/fastgrest/server/keysets"
	"github.com/fastgrest/fastgrest/server/servertest"
)

// TestTrouble: what a provider sends instead of a key set changes nothing for the tokens
// of other issuers, and nothing for its own, because its last set stays in force.
func TestTrouble(t *testing.T) {
	t.Parallel()
	good, bad := startProvider(t), startProvider(t)
	good.ask("max-age=86400")
	s := start(t, keysets.Limits{Shortest: 20 * time.Millisecond}, good, bad)
	goods, bads := good.ask("").Token, bad.ask("").Token
	p99 := func() time.Duration {
		var times []time.Duration
		for range 300 {
			began := time.Now()
			if r := me(t, s, goods); r.Body != member {
				t.Fatalf("a token of the other issuer: %v", r)
			}
			times = append(times, time.Since(began))
		}
		slices.Sort(times)
		return times[len(times)*99/100]
	}
	t.Logf("p99 of the other issuer: %v", p99())
	for _, mode := range []struct{ name, problem string }{
		{"down", "EOF"}, {"garbage", "it is not a JSON Web Key Set"}, {"huge", "the document is longer than 1048576 bytes"},
		{"redirect", "redirects to another host are not followed"}, {"slow", ""},
	} {
		failed := fetches(t, s, bad, "FAIL")
		s.Log.Reset()
		bad.ask("mode=%s", mode.name)
		if mode.problem != "" {
			await(t, mode.name+" is noticed", func() bool { return fetches(t, s, bad, "FAIL") > failed })
			s.Log.Await(t, mode.problem)
		}
		t.Logf("p99 of the other issuer while this one is %s: %v", mode.name, p99())
		if r := me(t, s, bads); r.Body != member {
			t.Errorf("%s: a token of the issuer: %v", mode.name, r)
		}
		if mode.problem == "" {
			break // the fetch takes 10 seconds
		}
		succeeded := fetches(t, s, bad, "SUCCESS")
		bad.ask("mode=")
		await(t, mode.name+" is over", func() bool { return fetches(t, s, bad, "SUCCESS") > succeeded })
	}
}

// TestStartWithout: the server starts without the keys of a provider that is slow, and
// refuses only its tokens, until the keys arrive.
func TestStartWithout(t *testing.T) {
	t.Parallel()
	good, slow, down := startProvider(t), startProvider(t), startProvider(t)
	slow.ask("mode=slow")
	down.ask("mode=down")
	s := start(t, keysets.Limits{}, good, slow, down)
	for name, p := range map[string]*remote{"slow": slow, "down": down} {
		r := me(t, s, p.ask("").Token)
		if r.Status != 503 || r.Code != "PGRSTX11" || r.Header.Get("Retry-After") == "" || r.Header.Get("WWW-Authenticate") != "" {
			t.Errorf("%s: %v, %v", name, r, r.Header)
		}
	}
	if r := me(t, s, good.ask("").Token); r.Body != member {
		t.Errorf("the other issuer: %v", r)
	}
	page, err := servertest.Send(s.Admin, "GET", "/ui.json", "")
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"the other issuer": `{"from":"` + good.issuer + `","keys":1,"age":`,
		"slow":             `{"from":"` + slow.issuer + `","keys":0,"age":-1,"fetched":0,"failed":`,
	} {
		if !strings.Contains(page.Body, text) {
			t.Errorf("the admin page has no %s (%s): %s", text, name, page.Body)
		}
	}
	if r := s.Do("GET", "/me", ""); r.Status != 401 || r.Code != "42501" {
		t.Errorf("without a token: %v", r)
	}
	down.ask("mode=")
	token := down.ask("").Token
	await(t, "the keys arrive", func() bool { return me(t, s, token).Body == member })
}

// TestSecretByURL: jwt-secret is the URL of a key set. A reload of the configuration
// fetches it at once.
func TestSecretByURL(t *testing.T) {
	t.Parallel()
	p := startProvider(t)
	p.ask("max-age=86400")
	s := startWith(t, map[string]string{"jwt-secret": p.issuer + "/keys", "jwt-aud": "app, api"}, keysets.Limits{}, p)
	token := p.ask("").Token
	if r := me(t, s, token); r.Body != member {
		t.Errorf("a token: %v", r)
	}
	p.ask("add")
	p.ask("sign=2")
	p.ask("withdraw=1")
	s.sql(`notify pgrst, 'reload config'`)
	await(t, "the withdrawn key is gone", func() bool { return me(t, s, token).Status == 401 })
	if r := me(t, s, p.ask("").Token); r.Body != member {
		t.Errorf("a token of the new key: %v", r)
	}
}

// TestReload: issuers that a reload adds and removes, by a setting in the database.
func TestReload(t *testing.T) {
	t.Parallel()
	p, q := startProvider(t), startProvider(t)
	s := start(t, keysets.Limits{}, p, q)
	ps, qs := p.ask("").Token, q.ask("").Token
	for _, token := range []string{ps, qs} {
		if r := me(t, s, token); r.Body != member {
			t.Errorf("at the start: %v", r)
		}
	}
	set := func(issuers string) {
		t.Helper()
		s.sql(`alter role postgres in database "{database}" set pgrst.jwt_issuers = '` + issuers + `'; notify pgrst, 'reload config'`)
	}
	set(discovered(q))
	await(t, "an issuer is removed", func() bool { return me(t, s, ps).Message == "JWT issuer is unknown" })
	if r := me(t, s, qs); r.Body != member {
		t.Errorf("the other issuer: %v", r)
	}
	set(`[{"issuer":"` + p.issuer + `","audiences":["api"],"jwks_uri":"` + p.issuer + `/keys"}]`)
	await(t, "an issuer is added", func() bool { return me(t, s, ps).Body == member })
	s.Log.Reset()
	set(`[{"issuer":"` + p.issuer + `"}]`)
	s.Log.Await(t, "jwt-issuers is not usable: element 1: audiences is missing")
	if r := me(t, s, ps); r.Body != member {
		t.Errorf("after a mistake the configuration before stays in force: %v", r)
	}
}

// TestChallenge: the header of a refused token names the check, and never the token.
func TestChallenge(t *testing.T) {
	t.Parallel()
	p, other := startProvider(t), startProvider(t)
	s := start(t, keysets.Limits{}, p)
	token := other.ask("").Token
	for _, test := range []struct{ token, code, description string }{
		{token, "PGRST301", "JWT issuer is unknown"},
		{servertest.Token(`{"role":"member"}`), "PGRST301", "JWT has no issuer"},
		{servertest.Token(`{"iss":"` + p.issuer + `","aud":"api"}`), "PGRST301", "No suitable key or wrong key type"},
	} {
		r := me(t, s, test.token)
		for r.Status == 503 { // the keys are being fetched, because one is unknown
			r = me(t, s, test.token)
		}
		want := `Bearer error="invalid_token", error_description="` + test.description + `"`
		if r.Status != 401 || r.Code != test.code || r.Header.Get("WWW-Authenticate") != want {
			t.Errorf("%s: %v, %v", test.description, r, r.Header)
		}
		for _, part := range strings.Split(test.token, ".") {
			if strings.Contains(r.Body, part) || strings.Contains(s.Log.String(), part) {
				t.Errorf("%s: the response or the log has the token", test.description)
			}
		}
	}
}
