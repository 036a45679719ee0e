package auth

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"
	"weak"
)

// number is a base64url number of n bytes, beginning with first and ending with last.
func number(n int, first, last byte) string {
	b := bytes.Repeat([]byte{0x5a}, n)
	b[0], b[n-1] = first, last
	return b64(b)
}

// TestHostileKeys: keys of a provider that must not be used are skipped, and those beside
// them are used.
func TestHostileKeys(t *testing.T) {
	k := &keyring
	good := edJWK(k.ed, `,"kid":"good"`)
	f := func(what, jwk string, usable bool) {
		t.Helper()
		keys, err := ParseKeySet([]byte(set(jwk, good)), nil)
		if err != nil {
			t.Errorf("%s: %v", what, err)
		} else if got := keys.Len() == 2; got != usable {
			t.Errorf("%s: usable is %t, want %t", what, got, usable)
		}
		if _, err := ParseKeySet([]byte(set(jwk)), nil); (err == nil) != usable {
			t.Errorf("%s, alone: %v", what, err)
		}
	}
	rsa := func(n, e string) string { return `{"kty":"RSA","n":"` + n + `","e":"` + e + `"}` }
	f("RSA of 8192 bits", rsa(number(1024, 0x80, 1), "AQAB"), true)
	f("RSA of 8192 bits with a sign", rsa(number(1025, 0, 1), "AQAB"), true)
	f("RSA of 8200 bits", rsa(number(1025, 1, 1), "AQAB"), false)
	f("RSA of 6 million bits", rsa(number(750_000, 0x80, 1), "AQAB"), false)
	f("RSA of 1000 bits", rsa(number(125, 0x80, 1), "AQAB"), false)
	f("RSA with an even modulus", rsa(number(256, 0x80, 2), "AQAB"), false)
	f("RSA with the modulus 0", rsa("AA", "AQAB"), false)
	for what, e := range map[string]string{"0": "AA", "1": "AQ", "2": "Ag", "65538": "AQAC", "2 to the 31st": "gAAAAA", "2 to the 63rd and 1": "gAAAAAAAAAE", "none": "", "no text": "??"} {
		f("RSA with exponent "+what, rsa(number(256, 0x80, 1), e), false)
	}
	f("RSA with exponent 3", rsa(number(256, 0x80, 1), "Aw"), true)
	f("RSA with the numbers of EC", `{"kty":"RSA"`+ecJWK(k.p256, "")[len(`{"kty":"EC"`):], false)
	f("EC with the numbers of RSA", `{"kty":"EC"`+rsaJWK(k.rsa, "")[len(`{"kty":"RSA"`):], false)
	f("EC beside its curve", `{"kty":"EC","crv":"P-256","x":"`+number(32, 1, 1)+`","y":"`+number(32, 1, 1)+`"}`, false)
	f("EC of another curve", strings.Replace(ecJWK(k.p384, ""), "P-384", "P-256", 1), false)
	f("EC at infinity", `{"kty":"EC","crv":"P-256","x":"AA","y":"AA"}`, false)
	f("OKP of another length", `{"kty":"OKP","crv":"Ed25519","x":"AAAA"}`, false)
	f("OKP for key agreement", strings.Replace(edJWK(k.ed, ""), "Ed25519", "X25519", 1), false)
	f("a symmetric key", octJWK(secret, ""), false)
	f("a symmetric key, in capitals", strings.Replace(octJWK(secret, ""), "oct", "OCT", 1), false)
	for _, more := range []string{
		`"use":"enc"`, `"use":"SIG"`, `"use":["sig"]`, `"alg":"HS256"`, `"alg":"none"`, `"alg":"RSA-OAEP"`, `"alg":5`, `"kid":5`, `"kid":["a"]`,
		`"key_ops":["encrypt"]`, `"key_ops":["sign"]`, `"key_ops":[]`, `"key_ops":"verify"`, `"key_ops":[["verify"],{}]`, `"kid":"` + strings.Repeat("k", maxKey) + `"`,
	} {
		f(fmt.Sprintf("RSA with %.40s", more), rsaJWK(k.rsa, ","+more), false)
	}
	for _, more := range []string{
		`"use":"sig"`, `"key_ops":["sign","verify"]`, `"key_ops":[5,"verify"]`, `"key_ops":null`, `"x5c":"garbage"`, `"x5c":[5,{"a":"b"}]`, `"x5u":"file:///etc/passwd"`,
		`"x5t":[]`, `"d":"AQAB"`, `"k":"c2VjcmV0"`, `"crv":"P-256"`, `"kid":"good"`, `"kid":""`,
	} {
		f("RSA with "+more, rsaJWK(k.rsa, ","+more), true)
	}
	for _, other := range []string{`null`, `5`, `"x"`, `[]`, `{}`, `{"kty":5}`, `{"kty":null}`, `{"kty":"RSA"}`, `{"kty":["RSA"]}`} {
		f(other, other, false)
	}
}

// TestSignatureLength: a client cannot make other tokens out of a token by zeros in its
// signature.
func TestSignatureLength(t *testing.T) {
	k := &keyring
	for alg, key := range map[string]*ecdsa.PrivateKey{"ES256": k.p256, "ES384": k.p384, "ES512": k.p521} {
		hash := map[string]crypto.Hash{"ES256": crypto.SHA256, "ES384": crypto.SHA384, "ES512": crypto.SHA512}[alg]
		a := withIssuers(t, `[{"issuer":"https://a","audiences":"any","jwks":`+set(ecJWK(key, ""))+`}]`, Options{})
		good := es(hash, key)
		longer := func(body []byte) []byte {
			sig := good(body)
			return slices.Concat([]byte{0}, sig[:len(sig)/2], []byte{0}, sig[len(sig)/2:])
		}
		if _, err := a.Identify([]byte("Bearer "+token(`{"alg":"`+alg+`"}`, claimsOfA, good)), noon); err != nil {
			t.Errorf("%s: %v", alg, err)
		}
		if _, err := a.Identify([]byte("Bearer "+token(`{"alg":"`+alg+`"}`, claimsOfA, longer)), noon); err == nil {
			t.Errorf("%s: a signature with zeros is accepted", alg)
		}
	}
}

// TestEqualKeyIDs: all keys with the name that a token has are tried.
func TestEqualKeyIDs(t *testing.T) {
	k := &keyring
	source := &fixedSource{}
	source.set(t, set(rsaJWK(k.otherRSA, `,"kid":"1"`), ecJWK(k.p256, `,"kid":"1"`), rsaJWK(k.rsa, `,"kid":"1"`), rsaJWK(k.rsa, `,"kid":"1"`)))
	a := newAuthenticator(t, Options{SecretURL: "https://keys", RoleClaimKey: "$.role", Source: func(Remote) KeySource { return source }})
	for _, token := range []string{
		token(`{"alg":"RS256","kid":"1"}`, claimsOfA, rs(crypto.SHA256, k.rsa)), token(`{"alg":"ES256","kid":"1"}`, claimsOfA, es(crypto.SHA256, k.p256)),
	} {
		if _, err := a.Identify([]byte("Bearer "+token), noon); err != nil {
			t.Error(err)
		}
	}
}

// TestHostileClaims: signed claims of an issuer that mean nothing, or go to an extreme.
// Times may have fractions (RFC 7519, 2).
func TestHostileClaims(t *testing.T) {
	a := withIssuers(t, `[{"issuer":"i","audiences":["api"],"jwks":`+set(octJWK(secret, ""))+`}]`, Options{CacheMaxEntries: 9})
	f := func(claims, want string) {
		t.Helper()
		for range 2 { // cached, the second time
			_, err := a.Identify([]byte("Bearer "+hs256(`{"iss":"i","aud":"api","role":"ada"`+claims+`}`)), noon)
			if got := fmt.Sprint(err); got != want {
				t.Errorf("%.80s: %s, want %s", claims, got, want)
			}
		}
	}
	const ok, expired, early, future = "<nil>", "JWT expired", "JWT not yet valid", "JWT issued at future"
	f(`,"exp":1699999970`, ok) // 30 seconds are tolerated
	f(`,"exp":1699999969`, expired)
	f(`,"exp":1699999970.25`, ok)
	f(`,"exp":1699999969.75`, expired)
	f(`,"exp":1.7e9`, ok)
	f(`,"exp":1e30`, ok)
	f(`,"exp":-1`, expired)
	f(`,"exp":-1e30`, expired)
	f(`,"exp":-0.5`, expired)
	f(`,"exp":1e-300`, expired)
	f(`,"exp":1e400`, "Parsing claims failed")
	f(`,"exp":"1800000000"`, "The JWT 'exp' claim must be a number")
	f(`,"exp":true`, "The JWT 'exp' claim must be a number")
	f(`,"exp":null`, ok)
	f(`,"nbf":1700000030`, ok)
	f(`,"nbf":1700000031`, early)
	f(`,"nbf":1700000031.5`, early)
	f(`,"nbf":1700000030.5`, ok)
	f(`,"nbf":1e30`, early)
	f(`,"nbf":9223372036854775808`, early)
	f(`,"nbf":-1e30`, ok)
	f(`,"iat":1700000000.123`, ok)
	f(`,"iat":1700000031.5`, future)
	f(`,"iat":1e300`, future)
	f(`,"exp":1800000000,"exp":1`, ok) // the first of repeated members counts
	f(`,"exp":1,"exp":1800000000`, expired)
	f(`,"a":`+strings.Repeat("[", 127)+strings.Repeat("]", 127), ok)
	f(`,"a":`+strings.Repeat("[", 129)+strings.Repeat("]", 129), "Parsing claims failed")
	f(`,"a":`+strings.Repeat(`{"b":`, 9000)+"1"+strings.Repeat("}", 9000), "JWT cryptographic operation failed") // the token is too long
	g := func(claims, want string) {
		t.Helper()
		if _, err := a.Identify([]byte("Bearer "+hs256(claims)), noon); fmt.Sprint(err) != want {
			t.Errorf("%.80s: %v, want %s", claims, err, want)
		}
	}
	g(`{"iss":"i","aud":["api",1],"role":"ada"}`, "The JWT 'aud' claim must be a string or an array of strings")
	g(`{"iss":"i","aud":[["api"]],"role":"ada"}`, "The JWT 'aud' claim must be a string or an array of strings")
	g(`{"iss":"`+strings.Repeat("i", 40_000)+`","aud":"api"}`, "JWT issuer is unknown")
	g(`{"iss":5,"aud":"api"}`, "The JWT 'iss' claim must be a string")
	g(`{"iss":{"i":"i"},"aud":"api"}`, "The JWT 'iss' claim must be a string")
	g("{\"iss\":\"i\x00\"}", "Parsing claims failed")
	g(`{"iss":"\u0069","aud":"api","role":"ada"}`, ok) // another spelling of i
}

// TestCachedTokensKeepNoSet: a cached token keeps its key, and not the set that had the key.
// Else the sets of each rotation would stay in memory.
func TestCachedTokensKeepNoSet(t *testing.T) {
	k := &keyring
	source := &fixedSource{}
	one := rsaJWK(k.rsa, `,"kid":"1"`)
	a := newAuthenticator(t, Options{SecretURL: "https://keys", RoleClaimKey: "$.role", CacheMaxEntries: 9, Source: func(Remote) KeySource { return source }})
	source.set(t, set(one, ecJWK(k.p256, "")))
	old := weak.Make(source.Keys())
	header := []byte("Bearer " + token(`{"alg":"RS256","kid":"1"}`, claimsOfA, rs(crypto.SHA256, k.rsa)))
	identify := func() {
		t.Helper()
		if _, err := a.Identify(header, noon); err != nil {
			t.Fatal(err)
		}
	}
	identify()
	source.set(t, set(one))
	identify()
	runtime.GC()
	if old.Value() != nil {
		t.Error("a cached token keeps the set of keys that verified it")
	}
	if s := a.CacheStats(); s.Hits != 1 || s.Entries != 1 {
		t.Errorf("%+v: the token is not cached", s)
	}
}
