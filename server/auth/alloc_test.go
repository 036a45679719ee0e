//go:build !race

package auth

import (
	"crypto"
	"testing"
)

func TestIssuerHitsDoNotAllocate(t *testing.T) {
	source := &fixedSource{}
	source.set(t, set(rsaJWK(keyring.rsa, `,"kid":"1"`), ecJWK(keyring.p256, `,"kid":"2"`)))
	a := newAuthenticator(t, Options{
		RoleClaimKey: "$.role", CacheMaxEntries: 9, Source: func(Remote) KeySource { return source },
		Issuers: []Issuer{{Name: "https://a", Audiences: []string{"api"}, Discovery: true, Roles: []string{"ada"}}},
	})
	header := []byte("Bearer " + token(`{"alg":"RS256","kid":"1"}`, claimsOfA, rs(crypto.SHA256, keyring.rsa)))
	for _, what := range []string{"the same set", "a set that has changed"} {
		_, _ = a.Identify(header, noon)
		if n := testing.AllocsPerRun(200, func() {
			if _, err := a.Identify(header, noon); err != nil {
				t.Error(err)
			}
		}); n != 0 {
			t.Errorf("%s: %v allocations", what, n)
		}
		source.set(t, set(rsaJWK(keyring.rsa, `,"kid":"1"`)))
	}
}

func TestHitsDoNotAllocate(t *testing.T) {
	a := with(t, secret)
	good := []byte("Bearer " + hs256(`{"role":"ada","exp":1800000000,"sub":"x","nested":{"a":[1,2,3]}}`))
	expired := []byte("Bearer " + hs256(`{"role":"ada","exp":1}`))
	for name, header := range map[string][]byte{"a token": good, "an expired token": expired, "no token": nil, "another scheme": []byte("Basic x")} {
		_, _ = a.Identify(header, noon) // the first time may
		if n := testing.AllocsPerRun(200, func() { _, _ = a.Identify(header, noon) }); n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}
