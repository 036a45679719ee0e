package auth

import (
	"crypto"
	"fmt"
	"strings"
	"testing"
	"time"
)

// TestCachePoisoning: neither a refused token nor a change to the header's buffer
// after Identify affects the identity that the cache returns for any token.
func TestCachePoisoning(t *testing.T) {
	a := newAuthenticator(t, Options{Secret: []byte(secret), RoleClaimKey: "$.role", AnonRole: "anon", CacheMaxEntries: 20})
	ada, bob := hs256(`{"role":"ada"}`), hs256(`{"role":"bob"}`)
	buffer := make([]byte, 4096) // fasthttp reuses the buffer for the next request
	ask := func(token string, want string) {
		t.Helper()
		header := append(buffer[:0], "Bearer "+token...)
		got := "refused"
		if id, err := a.Identify(header, noon); err == nil {
			got = string(id.Role)
		}
		if got != want {
			t.Errorf("%.60q: got %s, want %s", token, got, want)
		}
		for i := range buffer {
			buffer[i] = '#'
		}
	}
	parts := func(token string) (head, payload, sig string) {
		p := strings.Split(token, ".")
		return p[0], p[1], p[2]
	}
	head, adas, adaSig := parts(ada)
	_, bobs, bobSig := parts(bob)
	for round := range 3 {
		ask(ada, "ada")
		ask(bob, "bob")
		for _, forged := range []string{
			head + "." + adas + "." + bobSig, head + "." + bobs + "." + adaSig, ada + "A", ada[:len(ada)-1], ada + "." + bobSig,
			token(`{"alg":"none"}`, `{"role":"ada"}`, func([]byte) []byte { return nil }),
			token(`{"alg":"HS256"}`, `{"role":"ada"}`, hs(crypto.SHA256, "another secret of at least thirty-two")),
		} {
			ask(forged, "refused")
			ask(forged, "refused") // remembered or not
		}
		if s := a.CacheStats(); s.Entries != 2 {
			t.Fatalf("round %d: what was refused is kept: %+v", round, s)
		}
	}

	// Tens of thousands of forgeries do not evict the tokens in use.
	before := a.CacheStats()
	for i := range 20000 {
		ask(token(`{"alg":"HS256"}`, fmt.Sprintf(`{"role":"ada","n":%d}`, i), hs(crypto.SHA256, "another secret of at least thirty-two")), "refused")
		if i%100 == 0 {
			ask(ada, "ada")
		}
	}
	if s := a.CacheStats(); s.Hits != before.Hits+200 || s.Entries != 2 || s.Evictions != 0 {
		t.Errorf("%+v", s)
	}

	// Neither do as many valid tokens that are used once each.
	for i := range 2000 {
		ask(hs256(fmt.Sprintf(`{"role":"eve","n":%d}`, i)), "eve")
		if i%5 == 0 {
			hits := a.CacheStats().Hits
			ask(ada, "ada")
			if a.CacheStats().Hits == hits {
				t.Fatalf("pushed out after %d", i)
			}
		}
	}
	if s := a.CacheStats(); s.Entries > 20 {
		t.Errorf("%+v", s)
	}
}

// TestKeysForget: a token of a removed key is refused, cached or not, because
// each set of keys has a separate authenticator and cache.
func TestKeysForget(t *testing.T) {
	bearer := "Bearer " + hs256(`{"role":"ada"}`)
	old := with(t, secret)
	for range 2 {
		if got := outcome(old, bearer, noon); got != `ada {"role":"ada"}` {
			t.Fatal(got)
		}
	}
	if got := outcome(with(t, secret+" has been changed"), bearer, noon); strings.HasPrefix(got, "ada") {
		t.Error(got)
	}
}

// TestFarTimes: extreme times do not overflow.
func TestFarTimes(t *testing.T) {
	f := func(claims string, good bool) {
		t.Helper()
		a := with(t, secret)
		for range 2 { // cached, the second time
			if _, err := a.Identify([]byte("Bearer "+hs256(claims)), noon); (err == nil) != good {
				t.Errorf("%s: %v", claims, err)
			}
		}
		// A token that is not valid yet is still refused in a year, and an expired
		// token stays refused.
		if _, err := a.Identify([]byte("Bearer "+hs256(claims)), noon.Add(365*24*time.Hour)); (err == nil) != good {
			t.Errorf("%s: a year later: %v", claims, err)
		}
	}
	const max = "9223372036854775807"
	f(`{"role":"ada","exp":253402300799}`, true) // the end of the year 9999
	f(`{"role":"ada","exp":253402300799,"nbf":-253402300799,"iat":0}`, true)
	f(`{"role":"ada","exp":-`+max+`}`, false)
	f(`{"role":"ada","exp":-9223372036854775808}`, false)
	f(`{"role":"ada","nbf":253402300799}`, false)
	f(`{"role":"ada","iat":253402300799}`, false)
	f(`{"role":"ada","nbf":`+max+`}`, false)
	f(`{"role":"ada","iat":`+max+`}`, false)
	f(`{"role":"ada","nbf":1e18}`, false)
}
