package auth

import (
	"crypto"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/fastgrest/fastgrest/parser/jsontext"
	"github.com/fastgrest/fastgrest/server/auth/authtest"
)

func TestScheme(t *testing.T) {
	a := with(t, secret)
	good := hs256(`{"role":"ada"}`)
	const ada, anonymous = `ada {"role":"ada"}`, `anonymous anon {"role":"anon"}`
	f := func(authorization, want string) {
		t.Helper()
		if got := outcome(a, authorization, noon); got != want {
			t.Errorf("%q: got %s, want %s", authorization, got, want)
		}
	}
	f("", anonymous)
	f("Bearer "+good, ada)
	f("bearer "+good, ada)
	f("BeArEr "+good, ada)
	f("Bearer  \t "+good, ada)
	f("Bearer\t"+good, ada)
	f("Bearer"+good, anonymous)
	f("Bearer", "Empty JWT is sent in Authorization header")
	f("Bearer ", "Empty JWT is sent in Authorization header")
	f("Basic dXNlcjpwYXNz", anonymous)
	f(" Bearer "+good, anonymous)
	f("Bear "+good, anonymous)
	f("Bearer: "+good, anonymous)
	f("\"earer "+good, anonymous)
	f(good, anonymous)
	f("Bearer "+good+" ", "JWT cryptographic operation failed")
	f("Bearer "+good+"\n", "JWT cryptographic operation failed")
	f("Bearer "+good+","+good, "Expected 3 parts in JWT; got 5")
}

func TestForm(t *testing.T) {
	a := with(t, secret)
	f := func(token, want string) {
		t.Helper()
		if got := outcome(a, "Bearer "+token, noon); got != want {
			t.Errorf("%q: got %s, want %s", token, got, want)
		}
	}
	parts := strings.Split(hs256(`{"role":"ada"}`), ".")
	head, payload, sig := parts[0], parts[1], parts[2]
	const malformed = "JWT cryptographic operation failed"
	const noneFits = "No suitable key or wrong key type: No suitable key was found to decode the JWT"
	const noneVerifies = "No suitable key or wrong key type: None of the keys was able to decode the JWT"

	f("x", "Expected 3 parts in JWT; got 1")
	f(head+"."+payload, "Expected 3 parts in JWT; got 2")
	f(head+"."+payload+"."+sig+".x", "Expected 3 parts in JWT; got 4")
	f(strings.Repeat(".", 9), "Expected 3 parts in JWT; got 10")
	f("..", malformed)
	f("."+payload+"."+sig, malformed)
	f(head+"."+payload+".", noneVerifies)
	f(head+"."+payload+"."+sig[:40], noneVerifies)
	f(head+"."+payload+"."+sig[:41], malformed)
	f(head+"."+payload+"."+sig+"A", noneVerifies)
	f(head+"."+payload+".A"+sig[1:], noneVerifies)
	f(head+"."+b64([]byte(`{"role":"eve"}`))+"."+sig, noneVerifies)
	f("!!!.???.###", malformed)
	f("é.é.é", malformed)
	f(head+"."+payload+"."+strings.ReplaceAll(sig[:42]+"/", "-", "+"), malformed)
	f(head+"=."+payload+"."+sig, malformed)
	f(head+"."+payload+"=."+sig, malformed)
	f(head+"."+payload+"."+sig+"=", malformed)
	f(strings.Repeat("A", maxToken)+".A.A", malformed)
	// The last character of a signature of 32 bytes has two spare bits.
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	for i := range alphabet {
		want := noneVerifies
		if i>>2 == strings.IndexByte(alphabet, sig[42])>>2 {
			want = `ada {"role":"ada"}`
		}
		f(head+"."+payload+"."+sig[:42]+alphabet[i:i+1], want)
	}

	h := func(head, want string) {
		t.Helper()
		f(token(head, `{"role":"ada"}`, hs(crypto.SHA256, secret)), want)
	}
	const ada = `ada {"role":"ada"}`
	h(`{"alg":"HS256"}`, ada)
	h(` { "alg" : "HS256" } `, ada)
	h(`{"alg":"\u0048S256"}`, ada)
	h(`{"alg":"HS256","typ":"at+jwt","cty":"x","x5t":"y","z":{"alg":"none"}}`, ada)
	h(`{"alg":"HS256","typ":null,"cty":null,"kid":null}`, ada)
	h(`{"alg":"HS256","crit":["exp"]}`, ada)
	h(`{"alg":"none"}`, "Wrong or unsupported encoding algorithm: JWT is unsecured but expected 'alg' was not 'none'")
	h(`{"alg":"none","enc":"A128GCM","kid":5}`, "Wrong or unsupported encoding algorithm: JWT is unsecured but expected 'alg' was not 'none'")
	h(`{"alg":"None"}`, malformed)
	h(`{"alg":"NONE"}`, malformed)
	h(`{"alg":""}`, malformed)
	h(`{"alg":null}`, malformed)
	h(`{"alg":["HS256"]}`, malformed)
	h(`{"alg":"hs256"}`, malformed)
	h(`{"alg":"HS256 "}`, malformed)
	h(`{"alg":"XX999"}`, malformed)
	h(`{"alg":"PS256"}`, malformed)
	h(`{"typ":"JWT"}`, malformed)
	h(`{}`, malformed)
	h(`[]`, malformed)
	h(`"HS256"`, malformed)
	h(``, malformed)
	h(`{"alg":"HS256"`, malformed)
	h(`{"alg":"HS256"}x`, malformed)
	h(`{"alg":"HS256",}`, malformed)
	h(`{'alg':'HS256'}`, malformed)
	h("{\"alg\":\"HS256\",\"x\":\"\xff\"}", malformed)
	h("\ufeff{\"alg\":\"HS256\"}", malformed)
	h(`{"alg":"HS256","kid":5}`, malformed)
	h(`{"alg":"HS256","typ":5}`, malformed)
	h(`{"alg":"HS256","enc":"A128GCM"}`, malformed)
	h(`{"alg":"HS256","alg":"HS256"}`, malformed)
	h(`{"alg":"HS256","Alg":"none"}`, malformed)
	h(`{"ALG":"HS256"}`, malformed)
	h(`{"alg":"HS256","KID":"x"}`, malformed)
	h(`{"alg":"HS256","Crit":["x"]}`, malformed)
	h(`{"alg":"HS256","crit":[]}`, malformed)
	h(`{"alg":"HS256","crit":"x"}`, malformed)
	h(`{"alg":"HS256","crit":[5]}`, malformed)
	h(`{"alg":"HS256","x":`+strings.Repeat("[", 1000)+strings.Repeat("]", 1000)+`}`, malformed)
	h(`{"alg":"RS256"}`, noneFits)
	h(`{"alg":"ES256"}`, noneFits)
	h(`{"alg":"EdDSA"}`, noneFits)
	h(`{"alg":"HS384"}`, noneFits)
	h(`{"alg":"HS256","kid":"k1"}`, noneFits)
	h(`{"alg":"HS256","kid":""}`, noneFits)

	f(token(`{"alg":"HS512"}`, `{"role":"ada"}`, hs(crypto.SHA512, secret)), noneFits)
	f(token(`{"alg":"HS256"}`, `{"role":"ada"}`, hs(crypto.SHA256, secret+"x")), noneVerifies)
	f(token(`{"alg":"HS256"}`, `{"role":"ada"}`, hs(crypto.SHA512, secret)), noneVerifies)
	f(token(`{"alg":"HS256"}`, `{"role":"ada"}`, hs(crypto.SHA256, "")), noneVerifies)
}

func TestKeySelection(t *testing.T) {
	k := &keyring
	const ada = `ada {"role":"ada"}`
	const noneFits = "No suitable key or wrong key type: No suitable key was found to decode the JWT"
	const noneVerifies = "No suitable key or wrong key type: None of the keys was able to decode the JWT"
	f := func(keys, head string, sign func([]byte) []byte, want string) {
		t.Helper()
		if got := outcome(with(t, keys), "Bearer "+token(head, `{"role":"ada"}`, sign), noon); got != want {
			t.Errorf("%s with %s: got %s, want %s", head, keys, got, want)
		}
	}
	alg := func(name string) string { return `{"alg":"` + name + `"}` }
	kid := func(name, id string) string { return `{"alg":"` + name + `","kid":"` + id + `"}` }
	is := func(name, value string) string { return `,"` + name + `":"` + value + `"` }
	h256, h384, h512 := hs(crypto.SHA256, secret), hs(crypto.SHA384, secret), hs(crypto.SHA512, secret)
	r256, r384, r512 := rs(crypto.SHA256, k.rsa), rs(crypto.SHA384, k.rsa), rs(crypto.SHA512, k.rsa)
	e256, e384, e512 := es(crypto.SHA256, k.p256), es(crypto.SHA384, k.p384), es(crypto.SHA512, k.p521)

	// A key without alg accepts all algorithms of its type, a key with alg only that one.
	f(octJWK(secret, ""), alg("HS256"), h256, ada)
	f(octJWK(secret, ""), alg("HS384"), h384, ada)
	f(octJWK(secret, ""), alg("HS512"), h512, ada)
	f(octJWK(secret, is("alg", "HS512")), alg("HS512"), h512, ada)
	f(octJWK(secret, is("alg", "HS512")), alg("HS256"), h256, noneFits)
	f(octJWK("short", ""), alg("HS256"), hs(crypto.SHA256, "short"), ada)
	f(rsaJWK(k.rsa, ""), alg("RS256"), r256, ada)
	f(rsaJWK(k.rsa, ""), alg("RS384"), r384, ada)
	f(rsaJWK(k.rsa, ""), alg("RS512"), r512, ada)
	f(rsaJWK(k.rsa, is("alg", "RS256")), alg("RS512"), r512, noneFits)
	f(rsaJWK(k.rsa, is("alg", "RS256")), alg("RS256"), rs(crypto.SHA256, k.otherRSA), noneVerifies)
	f(rsaJWK(k.rsa, ""), alg("PS256"), ps(crypto.SHA256, k.rsa), "JWT cryptographic operation failed")
	f(rsaJWK(k.rsa, ""), alg("RS256"), ps(crypto.SHA256, k.rsa), noneVerifies)
	f(rsaJWK(k.rsa, is("alg", "PS256")), alg("RS256"), r256, noneFits)
	f(ecJWK(k.p256, ""), alg("ES256"), e256, ada)
	f(ecJWK(k.p384, is("alg", "ES384")), alg("ES384"), e384, ada)
	f(ecJWK(k.p521, ""), alg("ES512"), e512, ada)
	f(ecJWK(k.p256, is("alg", "ES256")), alg("ES384"), e384, noneFits)
	f(ecJWK(k.p256, ""), alg("ES384"), e384, noneVerifies)
	f(edJWK(k.ed, ""), alg("EdDSA"), ed(k.ed), ada)
	f(edJWK(k.ed, is("alg", "EdDSA")), alg("EdDSA"), ed(k.ed), ada)
	f(edJWK(k.ed, ""), alg("EdDSA"), func([]byte) []byte { return make([]byte, 64) }, noneVerifies)

	// A public key cannot be used as an HMAC secret.
	f(rsaJWK(k.rsa, ""), alg("HS256"), hs(crypto.SHA256, rsaJWK(k.rsa, "")), noneFits)
	f(ecJWK(k.p256, ""), alg("HS256"), hs(crypto.SHA256, ecJWK(k.p256, "")), noneFits)

	// kid: a token that names a key is checked with keys of that name only.
	f(octJWK(secret, is("kid", "a")), alg("HS256"), h256, ada)
	f(octJWK(secret, is("kid", "a")), kid("HS256", "a"), h256, ada)
	f(octJWK(secret, is("kid", "a")), kid("HS256", "b"), h256, noneFits)
	f(octJWK(secret, ""), kid("HS256", "a"), h256, noneFits)
	f(octJWK(secret, ""), kid("HS256", ""), h256, noneFits)
	f(octJWK(secret, is("kid", "")), kid("HS256", ""), h256, ada)

	// use: encryption keys do not verify signatures.
	f(octJWK(secret, is("use", "sig")), alg("HS256"), h256, ada)
	f(octJWK(secret, is("use", "enc")), alg("HS256"), h256, noneFits)

	// Sets: all matching keys are tried.
	all := set(rsaJWK(k.otherRSA, is("kid", "r2")), octJWK("another", ""), rsaJWK(k.rsa, is("kid", "r1")),
		ecJWK(k.p256, is("kid", "e1")), ecJWK(k.p384, ""), octJWK(secret, is("kid", "h1")), edJWK(k.ed, is("kid", "d1")))
	f(all, alg("HS256"), h256, ada)
	f(all, kid("HS256", "h1"), h256, ada)
	f(all, alg("RS256"), r256, ada)
	f(all, kid("RS256", "r1"), r256, ada)
	f(all, kid("RS256", "r2"), r256, noneVerifies)
	f(all, kid("RS256", "e1"), r256, noneFits)
	f(all, alg("ES256"), e256, ada)
	f(all, alg("ES384"), e384, ada)
	f(all, kid("EdDSA", "d1"), ed(k.ed), ada)
	f(set(), alg("HS256"), h256, noneFits)

	// Unknown keys are skipped.
	f(set(`{"kty":"AKP","pub":"x"}`, `{"kty":"EC","crv":"secp256k1","x":"AA","y":"AA"}`, `{"kty":"RSA","alg":"RSA-OAEP","n":"!"}`,
		`{"kty":"OKP","crv":"Ed448","x":"AA"}`, `{}`, octJWK(secret, "")), alg("HS256"), h256, ada)
	f(`{"kty":"AKP","pub":"x"}`, alg("HS256"), hs(crypto.SHA256, `{"kty":"AKP","pub":"x"}`), noneFits)
	f(`{"keys":5}`, alg("HS256"), h256, noneFits)
}

func TestParseKeysErrors(t *testing.T) {
	k := &keyring
	f := func(secret, want string) {
		t.Helper()
		if _, err := ParseKeys([]byte(secret)); err == nil || err.Error() != want {
			t.Errorf("%s: got %v, want %s", secret, err, want)
		}
	}
	const key, keys = "The JWT secret is not a usable JSON Web Key: ", "The JWT secret is not a usable JSON Web Key Set: "
	f("", "The JWT secret must be at least 32 characters long.")
	f(secret[:31], "The JWT secret must be at least 32 characters long.")
	f(`["a list","is","a","secret"]`, "The JWT secret must be at least 32 characters long.")
	f(`{"keys":[5]}`, keys+"key 1 is not an object")
	f(octJWK("", ""), key+"oct key: k is empty")
	f(`{"kty":"oct","k":5}`, key+"oct key: k is required")
	f(`{"kty":"oct","k":"a+b/"}`, key+"oct key: k is not base64url")
	f(`{"kty":"oct","k":"A"}`, key+"oct key: k is not base64url")
	f(octJWK(secret, `,"use":"both"`), key+"oct key: 'use' must be either 'sig' or 'enc'")
	f(octJWK(secret, `,"use":1`), key+"oct key: 'use' must be a text")
	f(octJWK(secret, `,"kid":1`), key+"oct key: 'kid' must be a text")
	f(`{"kty":"RSA","e":"AQAB"}`, key+"RSA key: n is required")
	f(`{"kty":"RSA","n":"AQAB"}`, key+"RSA key: e is required")
	f(`{"kty":"RSA","n":"AQAB","e":"AQAB"}`, key+"RSA key: n has less than 1024 bits")
	f(`{"kty":"RSA","n":"`+b64(k.rsa.N.Bytes())+`","e":"AQ"}`, key+"RSA key: e is out of range")
	f(`{"kty":"RSA","n":"`+b64(k.rsa.N.Bytes())+`","e":"AQABAQABAQAB"}`, key+"RSA key: e is out of range")
	f(`{"kty":"EC","x":"AA","y":"AA"}`, key+"EC key: crv is required")
	f(`{"kty":"EC","crv":"P-256","y":"AA"}`, key+"EC key: x is required")
	f(`{"kty":"EC","crv":"P-256","x":"AA"}`, key+"EC key: y is required")
	f(`{"kty":"EC","crv":"P-256","x":"AA","y":"AQ"}`, key+"EC key: x and y are not on curve P-256")
	f(`{"kty":"EC","crv":"P-256","x":"AA","y":"`+b64([]byte(secret))+`"}`, key+"EC key: x or y is too long")
	f(`{"kty":"OKP","x":"AA"}`, key+"OKP key: crv is required")
	f(`{"kty":"OKP","crv":"Ed25519"}`, key+"OKP key: x is required")
	f(`{"kty":"OKP","crv":"Ed25519","x":"AA"}`, key+"OKP key: x has the wrong length")
	f(set(octJWK(secret, ""), `{"kty":"oct"}`), key+"oct key: k is required")
}

func TestClaims(t *testing.T) {
	for _, cached := range []int{0, 100} {
		a := newAuthenticator(t, Options{Secret: []byte(secret), RoleClaimKey: "$.role", AnonRole: "anon", Audiences: []string{"here"}, CacheMaxEntries: cached})
		f := func(payload, want string) {
			t.Helper()
			for range 2 {
				if got := outcome(a, "Bearer "+hs256(payload), noon); got != want {
					t.Errorf("%s: got %s, want %s", payload, got, want)
				}
			}
		}
		now := noon.Unix()
		at := func(claim string, offset int64) string {
			return `{"role":"ada","` + claim + `":` + strconv.FormatInt(now+offset, 10) + `}`
		}
		ok := func(payload string) { t.Helper(); f(payload, "ada "+sorted(t, payload)) }

		ok(at("exp", 3600))
		ok(at("exp", 0))
		ok(at("exp", -30))
		f(at("exp", -31), "JWT expired")
		f(`{"exp":0}`, "JWT expired")
		f(`{"exp":-1}`, "JWT expired")
		f(`{"exp":1700000100.5}`, "JWT expired")
		f(`{"exp":1e300}`, "JWT expired")
		f(`{"exp":99999999999999999999}`, "JWT expired")
		f(`{"exp":9223372036854775807}`, `anon {"exp":9223372036854775807,"role":"anon"}`)
		f(`{"exp":1700000100.0}`, `anon {"exp":1.7000001e9,"role":"anon"}`)
		f(`{"exp":17000001e2}`, `anon {"exp":1700000100,"role":"anon"}`)
		f(`{"exp":null}`, `anon {"exp":null,"role":"anon"}`)
		f(`{"exp":"1800000000"}`, "The JWT 'exp' claim must be a number")
		f(`{"exp":true}`, "The JWT 'exp' claim must be a number")
		f(`{"exp":[]}`, "The JWT 'exp' claim must be a number")
		ok(at("nbf", 30))
		f(at("nbf", 31), "JWT not yet valid")
		ok(`{"nbf":1700000000.5,"role":"ada"}`)
		ok(`{"nbf":1e300,"role":"ada"}`)
		f(`{"nbf":"x"}`, "The JWT 'nbf' claim must be a number")
		ok(at("iat", 30))
		f(at("iat", 31), "JWT issued at future")
		f(`{"iat":"x"}`, "The JWT 'iat' claim must be a number")
		f(`{"exp":1,"nbf":"x"}`, "JWT expired")
		f(`{"exp":"x","nbf":9999999999}`, "The JWT 'exp' claim must be a number")
		f(`{"nbf":9999999999,"aud":5}`, "JWT not yet valid")
		f(`{"iat":9999999999,"aud":5}`, "JWT issued at future")

		ok(`{"aud":"here","role":"ada"}`)
		ok(`{"aud":["there","here"],"role":"ada"}`)
		ok(`{"aud":[],"role":"ada"}`)
		ok(`{"aud":null,"role":"ada"}`)
		f(`{"aud":"there"}`, "JWT not in audience")
		f(`{"aud":"here2"}`, "JWT not in audience")
		f(`{"aud":""}`, "JWT not in audience")
		f(`{"aud":["there"]}`, "JWT not in audience")
		f(`{"aud":{"here":1}}`, "The JWT 'aud' claim must be a string or an array of strings")
		f(`{"aud":["here",5]}`, "The JWT 'aud' claim must be a string or an array of strings")
		f(`{"aud":5}`, "The JWT 'aud' claim must be a string or an array of strings")

		f(`{"role":"a","role":"b","x":1,"x":2}`, `a {"role":"a","x":1}`)
		f(`{"role":""}`, ` {"role":""}`)
		f(`{"role":"a\"\\\u00e9\u0000"}`, "a\"\\é\x00 {\"role\":\"a\\\"\\\\é\\u0000\"}")
		f(`{"role":null}`, `null {"role":"null"}`)
		f(`{"role":true}`, `true {"role":"true"}`)
		f(`{"role":1.50}`, `1.5 {"role":"1.5"}`)
		f(`{"role":{"b": [1, "x"], "a":{}}}`, `{"a":{},"b":[1,"x"]} {"role":"{\"a\":{},\"b\":[1,\"x\"]}"}`)
		f(`{}`, `anon {"role":"anon"}`)
		f(` { "sub" : "x" } `, `anon {"role":"anon","sub":"x"}`)
		f(`{"z":1,"é":2,"a":3,"Z":4,"aa":5}`, `anon {"Z":4,"a":3,"aa":5,"role":"anon","z":1,"é":2}`)

		for _, bad := range []string{``, `[]`, `"x"`, `5`, `null`, `{bad`, `{"a":1}{}`, `{"a":01}`, `{"a":.5}`, `{"a":1.}`, `{"a":+1}`, `{"a":NaN}`, `{"a":"\x"}`,
			`{"a":"\ud800"}`, `{"a":"\udc00\ud800"}`, "{\"a\":\"\xff\"}", "{\"a\":\"\n\"}", `{"a":1,}`, `{"a" 1}`, `{a:1}`,
			`{"a":` + strings.Repeat("[", 200) + strings.Repeat("]", 200) + `}`} {
			f(bad, "Parsing claims failed")
		}
	}
}

// sorted returns a payload in the form of request.jwt.claims.
func sorted(t *testing.T, payload string) string {
	object, ok := parseObject([]byte(payload))
	if !ok {
		t.Fatalf("%s is not a JSON object", payload)
	}
	return string(jsontext.AppendValue(nil, object))
}

func TestWithoutAnonymous(t *testing.T) {
	a := newAuthenticator(t, Options{Secret: []byte(secret), RoleClaimKey: "$.role"})
	f := func(authorization, want string) {
		t.Helper()
		if got := outcome(a, authorization, noon); got != want {
			t.Errorf("%s: got %s, want %s", authorization, got, want)
		}
	}
	f("", "Anonymous access is disabled")
	f("Basic x", "Anonymous access is disabled")
	f("Bearer "+hs256(`{}`), "Anonymous access is disabled")
	f("Bearer "+hs256(`{"exp":1}`), "JWT expired")
	f("Bearer "+hs256(`{"role":null}`), `null {"role":"null"}`)
	f("Bearer x", "Expected 3 parts in JWT; got 1")

	a = newAuthenticator(t, Options{RoleClaimKey: "$.role", AnonRole: "anon"})
	f("", `anonymous anon {"role":"anon"}`)
	f("Bearer", "Server lacks JWT secret")
	f("Bearer x", "Server lacks JWT secret")
	f("Basic x", `anonymous anon {"role":"anon"}`)
}

// TestTimesAreJudgedOnEveryUse: the cache stores the result of the signature
// check, and times are checked on each use.
func TestTimesAreJudgedOnEveryUse(t *testing.T) {
	a := with(t, secret)
	bearer := "Bearer " + hs256(`{"role":"ada","exp":1700000100,"nbf":1699999900}`)
	f := func(unix int64, want string) {
		t.Helper()
		if got := outcome(a, bearer, time.Unix(unix, 0)); got != want {
			t.Errorf("at %d: got %s, want %s", unix, got, want)
		}
	}
	const ada = `ada {"exp":1700000100,"nbf":1699999900,"role":"ada"}`
	f(1699999869, "JWT not yet valid")
	f(1699999870, ada)
	f(1700000130, ada)
	f(1700000131, "JWT expired")
	f(1700000000, ada)
	if s := a.CacheStats(); s.Requests != 5 || s.Hits != 4 || s.Entries != 1 {
		t.Errorf("%+v", s)
	}
}

func TestErrors(t *testing.T) {
	f := func(a *Authenticator, authorization string, kind Kind, group Group, challenge string) {
		t.Helper()
		_, err := a.Identify([]byte(authorization), noon)
		e, ok := err.(*Error)
		if !ok || e.Kind != kind || e.Kind.Group() != group || e.Challenge() != challenge {
			t.Errorf("%s: got %+v, %q", authorization, e, e.Challenge())
		}
	}
	invalid := func(description string) string {
		return `Bearer error="invalid_token", error_description="` + description + `"`
	}
	a := newAuthenticator(t, Options{Secret: []byte(secret), RoleClaimKey: "$.role"})
	f(newAuthenticator(t, Options{RoleClaimKey: "$.role"}), "Bearer x", SecretMissing, GroupSecret, "")
	f(a, "", TokenRequired, GroupRequired, "Bearer")
	f(a, "Bearer", EmptyToken, GroupDecode, invalid("Empty JWT is sent in Authorization header"))
	f(a, "Bearer x", WrongParts, GroupDecode, invalid("Expected 3 parts in JWT; got 1"))
	f(a, "Bearer a.b.c", BadCrypto, GroupDecode, invalid("JWT cryptographic operation failed"))
	f(a, "Bearer "+hs256("{}")+"A", NoKey, GroupDecode, invalid("No suitable key or wrong key type"))
	f(a, "Bearer "+token(`{"alg":"none"}`, "{}", hs(crypto.SHA256, "")), BadAlgorithm, GroupDecode, invalid("Wrong or unsupported encoding algorithm"))
	f(a, "Bearer "+hs256("[]"), ClaimsUnreadable, GroupClaims, invalid("Parsing claims failed"))
	f(a, "Bearer "+hs256(`{"exp":1}`), Expired, GroupClaims, invalid("JWT expired"))
}

func TestServes(t *testing.T) {
	o := Options{Secret: []byte(secret), Audiences: []string{"x"}, RoleClaimKey: "$.role", AnonRole: "anon", CacheMaxEntries: 5, Skew: time.Minute}
	a := newAuthenticator(t, o)
	if !a.Serves(o) {
		t.Error("not even its own options")
	}
	for i, change := range []func(*Options){
		func(o *Options) { o.Secret = []byte(secret + "x") }, func(o *Options) { o.Secret = nil },
		func(o *Options) { o.Audiences = []string{"y"} }, func(o *Options) { o.RequireAudience = true }, func(o *Options) { o.Skew = 0 }, func(o *Options) { o.RoleClaimKey = "$.r" },
		func(o *Options) { o.AnonRole = "" }, func(o *Options) { o.CacheMaxEntries = 6 }, func(o *Options) { o.CacheMaxBytes = 1 },
	} {
		changed := o
		if change(&changed); a.Serves(changed) {
			t.Errorf("change %d goes unnoticed", i)
		}
	}
	// The secret is a copy.
	o.Secret[0]++
	if a.Serves(o) || outcome(a, "Bearer "+hs256(`{"role":"ada"}`), noon) != `ada {"role":"ada"}` {
		t.Error("the caller's secret is still in use")
	}
}

func TestSign(t *testing.T) {
	signed := authtest.Sign([]byte(`{"role":"ada","exp":1800000000,"n":1.50}`), []byte(secret))
	if got, want := outcome(with(t, secret), "Bearer "+signed, noon), `ada {"exp":1800000000,"n":1.5,"role":"ada"}`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
