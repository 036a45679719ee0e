package auth

import (
	"crypto"
	"fmt"
	"testing"
)

func BenchmarkHit(b *testing.B) {
	a := with(b, secret)
	header := []byte("Bearer " + hs256(`{"role":"ada","exp":1800000000,"sub":"x"}`))
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if _, err := a.Identify(header, noon); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkAnonymous(b *testing.B) {
	a := with(b, secret)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := a.Identify(nil, noon); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkChurn is a cache where every look-up misses and evicts.
func BenchmarkChurn(b *testing.B) {
	c := newCache(1000, 0)
	tokens := make([][]byte, 4000)
	for i := range tokens {
		tokens[i] = fmt.Appendf(nil, "%0150d", i)
	}
	v := fakeVerified(1)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		token := tokens[i%len(tokens)]
		if c.get(token) == nil {
			c.put(token, v)
		}
	}
}

func BenchmarkMiss(b *testing.B) {
	k := &keyring
	const payload = `{"role":"ada","exp":1800000000,"sub":"x"}`
	for _, c := range []struct{ name, keys, token string }{
		{"HS256", secret, hs256(payload)},
		{"RS256", rsaJWK(k.rsa, ""), token(`{"alg":"RS256"}`, payload, rs(crypto.SHA256, k.rsa))},
		{"ES256", ecJWK(k.p256, ""), token(`{"alg":"ES256"}`, payload, es(crypto.SHA256, k.p256))},
		{"EdDSA", edJWK(k.ed, ""), token(`{"alg":"EdDSA"}`, payload, ed(k.ed))},
	} {
		b.Run(c.name, func(b *testing.B) {
			a := newAuthenticator(b, Options{Secret: []byte(c.keys), RoleClaimKey: "$.role"})
			header := []byte("Bearer " + c.token)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := a.Identify(header, noon); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
