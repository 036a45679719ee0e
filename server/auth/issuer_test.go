package auth

import (
	"crypto"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
)

// fixedSource is a KeySource whose keys the test sets.
type fixedSource struct {
	keys    atomic.Pointer[Keys]
	unknown atomic.Int64 // calls of Unknown
	pending bool
}

func (s *fixedSource) Keys() *Keys     { return s.keys.Load() }
func (s *fixedSource) Unknown() bool   { s.unknown.Add(1); return s.pending }
func (s *fixedSource) RetryAfter() int { return 7 }

func (s *fixedSource) set(tb testing.TB, jwks string) {
	tb.Helper()
	keys, err := ParseKeySet([]byte(jwks), s.keys.Load())
	if err != nil {
		tb.Fatal(err)
	}
	s.keys.Store(keys)
}

// withIssuers makes an Authenticator of the JSON of issuers.
func withIssuers(tb testing.TB, text string, o Options) *Authenticator {
	tb.Helper()
	var err error
	if o.Issuers, err = ParseIssuers([]byte(text)); err != nil {
		tb.Fatal(err)
	}
	o.RoleClaimKey = "$.role"
	return newAuthenticator(tb, o)
}

// claims are those of a token of issuer a for audience api.
const claimsOfA = `{"iss":"https://a","aud":"api","role":"ada"}`

// twoIssuers are issuers a, which has an RSA and an EC key, and b.
func twoIssuers() string {
	k := &keyring
	return `[{"issuer":"https://a","audiences":["api","app"],"jwks":` + set(rsaJWK(k.rsa, `,"kid":"a1"`), ecJWK(k.p256, `,"kid":"a2"`), edJWK(k.ed, `,"kid":"a3"`)) + `},
		{"issuer":"https://b","audiences":"any","jwks":` + set(rsaJWK(k.otherRSA, `,"kid":"b1","alg":"RS256"`), octJWK(secret, `,"kid":"b2"`)) + `}]`
}

// TestConfusion: attempts to have a token verified by a key, an algorithm or an issuer that
// it is not for. ok is a token that is accepted.
func TestConfusion(t *testing.T) {
	k := &keyring
	const ok = "ada"
	a := withIssuers(t, twoIssuers(), Options{CacheMaxEntries: 100})
	f := func(what, token, want string) {
		t.Helper()
		for range 2 { // cached, the second time
			id, err := a.Identify([]byte("Bearer "+token), noon)
			got := id.Role
			if err != nil {
				got = err.Error()
			}
			if got != want {
				t.Errorf("%s: got %q, want %q", what, got, want)
			}
		}
	}
	const (
		noneFits     = "No suitable key or wrong key type: No suitable key was found to decode the JWT"
		noneVerifies = "No suitable key or wrong key type: None of the keys was able to decode the JWT"
	)
	rsa256, other256 := rs(crypto.SHA256, k.rsa), rs(crypto.SHA256, k.otherRSA)
	ofB := strings.ReplaceAll(claimsOfA, "https://a", "https://b")

	f("a token of A", token(`{"alg":"RS256","kid":"a1"}`, claimsOfA, rsa256), ok)
	f("without kid", token(`{"alg":"RS256"}`, claimsOfA, rsa256), ok)
	f("PS256", token(`{"alg":"PS256","kid":"a1"}`, claimsOfA, ps(crypto.SHA256, k.rsa)), ok)
	f("ES256", token(`{"alg":"ES256","kid":"a2"}`, claimsOfA, es(crypto.SHA256, k.p256)), ok)
	f("EdDSA", token(`{"alg":"EdDSA","kid":"a3"}`, claimsOfA, ed(k.ed)), ok)
	f("a token of B", token(`{"alg":"RS256","kid":"b1"}`, ofB, other256), ok)
	f("HS256, with a key of the configuration", token(`{"alg":"HS256","kid":"b2"}`, ofB, hs(crypto.SHA256, secret)), ok)

	for name, public := range map[string]string{
		"JWK": rsaJWK(k.rsa, ""), "JWK with kid": rsaJWK(k.rsa, `,"kid":"a1"`), "modulus": string(k.rsa.N.Bytes()), "base64": b64(k.rsa.N.Bytes()), "nothing": "",
	} {
		f("HS256 with the public key of A as the secret: "+name, token(`{"alg":"HS256","kid":"a1"}`, claimsOfA, hs(crypto.SHA256, public)), noneFits)
		f("and without kid: "+name, token(`{"alg":"HS256"}`, claimsOfA, hs(crypto.SHA256, public)), noneFits)
	}
	f("iss of A, signed by B", token(`{"alg":"RS256","kid":"b1"}`, claimsOfA, other256), noneFits)
	f("iss of A, signed by B, without kid", token(`{"alg":"RS256"}`, claimsOfA, other256), noneVerifies)
	f("iss of A, signed by B, with a kid of A", token(`{"alg":"RS256","kid":"a1"}`, claimsOfA, other256), noneVerifies)
	f("iss of A, signed with the secret of B", token(`{"alg":"HS256","kid":"b2"}`, claimsOfA, hs(crypto.SHA256, secret)), noneFits)
	f("kid of A under issuer B", token(`{"alg":"RS256","kid":"a1"}`, ofB, rsa256), noneFits)
	f("two iss claims, the second is B", token(`{"alg":"RS256","kid":"b1"}`, `{"iss":"https://a","iss":"https://b","role":"ada"}`, other256), noneFits)
	f("two iss claims, the first is B", token(`{"alg":"RS256","kid":"b1"}`, `{"iss":"https://b","iss":"https://a","role":"ada"}`, other256), ok)

	f("iss is missing", token(`{"alg":"RS256","kid":"a1"}`, `{"aud":"api","role":"ada"}`, rsa256), "JWT has no issuer")
	f("iss is null", token(`{"alg":"RS256","kid":"a1"}`, `{"iss":null,"aud":"api","role":"ada"}`, rsa256), "JWT has no issuer")
	f("iss is an array", token(`{"alg":"RS256","kid":"a1"}`, `{"iss":["https://a"],"aud":"api","role":"ada"}`, rsa256), "The JWT 'iss' claim must be a string")
	for _, iss := range []string{"", "https://a/", "https://A", "HTTPS://a", "https://a ", "https://c", "a"} {
		f("iss is "+iss, token(`{"alg":"RS256","kid":"a1"}`, `{"iss":"`+iss+`","aud":"api","role":"ada"}`, rsa256), "JWT issuer is unknown")
	}

	audience := func(what, aud, want string) {
		t.Helper()
		f(what, token(`{"alg":"RS256","kid":"a1"}`, `{"iss":"https://a",`+aud+`"role":"ada"}`, rsa256), want)
	}
	audience("aud as a text", `"aud":"app",`, ok)
	audience("aud as an array", `"aud":["x","app"],`, ok)
	audience("aud is missing", ``, "JWT has no audience")
	audience("aud is null", `"aud":null,`, "JWT has no audience")
	audience("aud is empty", `"aud":[],`, "JWT has no audience")
	audience("aud is wrong", `"aud":"x",`, "JWT not in audience")
	audience("aud is the empty text", `"aud":"",`, "JWT not in audience")
	audience("aud is a wrong array", `"aud":["x","y"],`, "JWT not in audience")
	audience("aud is an object", `"aud":{"api":1},`, "The JWT 'aud' claim must be a string or an array of strings")
	audience("aud twice", `"aud":"x","aud":"api",`, "JWT not in audience")

	good := token(`{"alg":"RS256","kid":"a1"}`, claimsOfA, rsa256)
	f("spare bits of the last character", good[:len(good)-1]+string(good[len(good)-1]+1), "JWT cryptographic operation failed")

	jwk := rsaJWK(k.otherRSA, `,"kid":"a1"`)
	for _, member := range []string{
		`"jku":"https://evil.example/keys"`, `"x5u":"https://evil.example/chain"`, `"jwk":` + jwk, `"x5c":["MIIB"]`, `"x5t":"AAAA"`,
	} {
		f(member+", signed by another", token(`{"alg":"RS256","kid":"a1",`+member+`}`, claimsOfA, other256), noneVerifies)
		f(member+", signed by A, is ignored", token(`{"alg":"RS256","kid":"a1",`+member+`}`, claimsOfA, rsa256), ok)
	}
	for _, member := range []string{`"crit":["exp"],"exp":1`, `"crit":["b64"],"b64":false`, `"crit":["x"]`} {
		f(member, token(`{"alg":"RS256","kid":"a1",`+member+`}`, claimsOfA, rsa256), "JWT has critical extensions")
	}
	f("empty crit", token(`{"alg":"RS256","kid":"a1","crit":[]}`, claimsOfA, rsa256), "JWT cryptographic operation failed")

	inner := token(`{"alg":"RS256","kid":"a1"}`, claimsOfA, rsa256)
	f("nested", token(`{"alg":"RS256","kid":"a1","cty":"JWT"}`, inner, rsa256), "Parsing claims failed")
	f("nested, as a text of JSON", token(`{"alg":"RS256","kid":"a1","cty":"JWT"}`, `"`+inner+`"`, rsa256), "Parsing claims failed")
	f("encrypted", token(`{"alg":"RSA-OAEP","enc":"A256GCM","kid":"a1"}`, claimsOfA, rsa256), "JWT cryptographic operation failed")

	for _, alg := range []string{"ES256", "ES384", "ES512", "EdDSA", "HS256", "HS384", "HS512"} {
		f(alg+" for an RSA key", token(`{"alg":"`+alg+`","kid":"a1"}`, claimsOfA, rsa256), noneFits)
	}
	for _, alg := range []string{"RS256", "PS256", "EdDSA", "HS256", "ES384", "ES512"} {
		f(alg+" for a P-256 key", token(`{"alg":"`+alg+`","kid":"a2"}`, claimsOfA, es(crypto.SHA256, k.p256)), noneFits)
	}
	f("PS256 for a key of RS256", token(`{"alg":"PS256","kid":"b1"}`, ofB, ps(crypto.SHA256, k.otherRSA)), noneFits)
	f("RS512 for a key of RS256", token(`{"alg":"RS512","kid":"b1"}`, ofB, rs(crypto.SHA512, k.otherRSA)), noneFits)
	f("none", token(`{"alg":"none","kid":"a1"}`, claimsOfA, func([]byte) []byte { return nil }), "Wrong or unsupported encoding algorithm: JWT is unsecured but expected 'alg' was not 'none'")
	f("an RS256 signature as PS256", token(`{"alg":"PS256","kid":"a1"}`, claimsOfA, rsa256), noneVerifies)
	f("a PS256 signature as RS256", token(`{"alg":"RS256","kid":"a1"}`, claimsOfA, ps(crypto.SHA256, k.rsa)), noneVerifies)
}

// TestHostileIssuers: the tokens that a secret must refuse are refused by issuers, too.
func TestHostileIssuers(t *testing.T) {
	for _, o := range []Options{{}, {Secret: []byte(hostileKeys()), Audiences: []string{"here"}}} {
		o.CacheMaxEntries = 50
		a := withIssuers(t, twoIssuers(), o)
		for _, token := range hostile() {
			if id, err := a.Identify([]byte("Bearer "+token), noon); err == nil {
				t.Errorf("%.200q was accepted as %+v", token, id)
			}
		}
	}
}

// TestIssuerRules: roles, role_claim_key, anonymous_role and algorithms.
func TestIssuerRules(t *testing.T) {
	jwks := `"jwks":` + set(octJWK(secret, ""))
	f := func(members, claims, want string) {
		t.Helper()
		a := withIssuers(t, `[{"issuer":"i","audiences":"any",`+jwks+members+`}]`, Options{AnonRole: "anon", CacheMaxEntries: 9})
		for range 2 {
			got := outcome(a, "Bearer "+hs256(`{"iss":"i"`+claims+`}`), noon)
			if got, _, _ = strings.Cut(got, " {"); got != want {
				t.Errorf("%s and %s: got %q, want %q", members, claims, got, want)
			}
		}
		if got := outcome(a, "", noon); got != `anonymous anon {"role":"anon"}` {
			t.Errorf("%s: without a token: %s", members, got)
		}
	}
	const refused = "JWT role is not allowed for its issuer"
	f(``, `,"role":"service_role"`, "service_role")
	f(``, ``, "anon")
	f(`,"roles":["reader","writer"]`, `,"role":"writer"`, "writer")
	f(`,"roles":["reader","writer"]`, `,"role":"service_role"`, refused)
	f(`,"roles":["reader","writer"]`, `,"role":"Reader"`, refused)
	f(`,"roles":["reader","writer"]`, `,"role":["reader"]`, refused)
	f(`,"roles":["reader","writer"]`, `,"role":null`, refused)
	f(`,"roles":["reader","writer"]`, ``, "anon")
	f(`,"roles":["reader","guest"],"anonymous_role":"guest"`, ``, "guest")
	f(`,"roles":["reader","guest"],"anonymous_role":"guest"`, `,"role":"anon"`, refused)
	f(`,"roles":["reader"],"role_claim_key":"$"`, `,"role":"reader"`, refused) // the path selects all claims
	f(`,"roles":["reader"],"role_claim_key":".a"`, `,"role":"reader","a":"writer"`, refused)
	f(`,"anonymous_role":"guest"`, `,"role":"x"`, "x")
	f(`,"role_claim_key":"$.realm.roles[0]"`, `,"role":"x","realm":{"roles":["deep"]}`, "deep")
	f(`,"role_claim_key":"$.realm.roles[0]","roles":["deep"]`, `,"role":"x","realm":{"roles":["x"]}`, refused)
	f(`,"algorithms":["HS256","RS256"]`, `,"role":"x"`, "x")
	f(`,"algorithms":["HS512"]`, `,"role":"x"`, "No suitable key or wrong key type: No suitable key was found to decode the JWT")
}

// TestIssuersBesideSecret: tokens of configured issuers are for them, and all others for
// the secret.
func TestIssuersBesideSecret(t *testing.T) {
	k := &keyring
	a := withIssuers(t, twoIssuers(), Options{Secret: []byte(secret), CacheMaxEntries: 9})
	f := func(token, want string) {
		t.Helper()
		if got, _, _ := strings.Cut(outcome(a, "Bearer "+token, noon), " {"); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	f(hs256(`{"role":"old"}`), "old")
	f(hs256(`{"iss":"elsewhere","role":"old"}`), "old")
	f(hs256(claimsOfA), "No suitable key or wrong key type: No suitable key was found to decode the JWT")
	f(token(`{"alg":"RS256","kid":"a1"}`, claimsOfA, rs(crypto.SHA256, k.rsa)), "ada")
	f(token(`{"alg":"RS256","kid":"a1"}`, `{"role":"ada"}`, rs(crypto.SHA256, k.rsa)), "No suitable key or wrong key type: No suitable key was found to decode the JWT")
	f(token(`{"alg":"PS256","kid":"a1"}`, `{"role":"ada"}`, ps(crypto.SHA256, k.rsa)), "JWT cryptographic operation failed") // as without issuers
	f(token(`{"alg":"HS256","crit":["x"]}`, `{"role":"old"}`, hs(crypto.SHA256, secret)), "old")
	f(hs256(`{"iss":5,"role":"old"}`), "old")
	f("a.b", "Expected 3 parts in JWT; got 2")
}

// TestRotation: tokens, cached or not, follow the keys in force.
func TestRotation(t *testing.T) {
	k := &keyring
	source := &fixedSource{}
	for _, o := range []Options{
		{SecretURL: "https://keys", CacheMaxEntries: 9}, {SecretURL: "https://keys"},
		{Issuers: []Issuer{{Name: "https://a", KeySetURL: "https://keys"}}, CacheMaxEntries: 9},
		{Issuers: []Issuer{{Name: "https://a", Discovery: true}}, CacheMaxEntries: 9},
	} {
		*source = fixedSource{}
		o.RoleClaimKey, o.Source = "$.role", func(Remote) KeySource { return source }
		a := newAuthenticator(t, o)
		first := token(`{"alg":"RS256","kid":"1"}`, claimsOfA, rs(crypto.SHA256, k.rsa))
		second := token(`{"alg":"ES256","kid":"2"}`, claimsOfA, es(crypto.SHA256, k.p256))
		f := func(token, want string) {
			t.Helper()
			for range 2 {
				got, _, _ := strings.Cut(outcome(a, "Bearer "+token, noon), " {")
				if got, _, _ = strings.Cut(got, ":"); got != want {
					t.Errorf("got %q, want %q", got, want)
				}
			}
		}
		const missing, refused = "The keys that verify the JWT are not available", "No suitable key or wrong key type"
		f(first, missing)
		var e *Error
		if _, err := a.Identify([]byte("Bearer "+first), noon); err != nil {
			e = err.(*Error)
		}
		if e == nil || e.Kind.Group() != GroupKeys || e.RetryAfter != 7 || e.Challenge() != "" {
			t.Errorf("%+v", e)
		}
		one, two := rsaJWK(k.rsa, `,"kid":"1"`), ecJWK(k.p256, `,"kid":"2"`)
		source.set(t, set(one))
		f(first, "ada")
		if n := source.unknown.Load(); n != 0 {
			t.Errorf("%d unknown keys", n)
		}
		f(second, refused)
		if n := source.unknown.Load(); n != 2 {
			t.Errorf("%d unknown keys, want 2", n)
		}
		source.pending = true
		f(second, missing) // it may be valid
		f(token(`{"alg":"RS256","kid":"1"}`, claimsOfA, rs(crypto.SHA256, k.otherRSA)), refused)
		source.pending = false
		source.set(t, set(two, one))
		f(first, "ada")
		f(second, "ada")
		source.set(t, set(two))
		f(first, refused)
		f(second, "ada")
		if s := a.CacheStats(); o.CacheMaxEntries > 0 && s.Entries != 1 {
			t.Errorf("%+v: the token of a withdrawn key is cached", s)
		}
		// Another key of the same name does not verify tokens of the one before.
		source.set(t, set(rsaJWK(k.otherRSA, `,"kid":"1"`), ecJWK(k.p256, `,"kid":"3"`)))
		f(first, refused)
		f(second, refused)
		source.set(t, set(one))
		f(first, "ada")
	}
}

// TestParseKeySet: the keys of a set that has not changed are the same.
func TestParseKeySet(t *testing.T) {
	k := &keyring
	parse := func(text string, before *Keys) *Keys {
		t.Helper()
		keys, err := ParseKeySet([]byte(text), before)
		if err != nil {
			t.Fatal(err)
		}
		return keys
	}
	one, two := rsaJWK(k.rsa, ""), ecJWK(k.p256, `,"kid":"2"`)
	first := parse(set(one, two), nil)
	if again := parse(`{"more":1,"keys":[`+one+" ,\n"+two+`,{"kty":"new"},`+octJWK(secret, "")+`]}`, first); again != first {
		t.Error("the same keys are other keys")
	}
	if turned := parse(set(two, one), first); turned == first || turned.list[0] != first.list[1] || turned.list[1] != first.list[0] {
		t.Error("keys in another order")
	}
	if less := parse(set(two, edJWK(k.ed, "")), first); less.list[0] != first.list[1] || less.Len() != 2 {
		t.Error("one key stays, one is new")
	}
}

func TestParseIssuers(t *testing.T) {
	f := func(text, want string) {
		t.Helper()
		if _, err := ParseIssuers([]byte(text)); fmt.Sprint(err) != want {
			t.Errorf("%s:\n got %v\nwant %s", text, err, want)
		}
	}
	one := func(members, want string) { t.Helper(); f(`[{`+members+`}]`, want) }
	const all = `"issuer":"https://a","audiences":["x"],`
	f(``, "it is not a JSON array")
	f(`{}`, "it is not a JSON array")
	f(`[] x`, "it is not a JSON array")
	f("[\"\xff\"]", "it is not a JSON array")
	f(`[]`, "it must have 1 to 100 issuers")
	f(`[5]`, "element 1 is not an object")
	one(`"issuer":"a","issuer":"b"`, "an object has a member twice")
	one(``, "element 1: issuer must be a text")
	one(`"issuer":""`, "element 1: issuer must be a text")
	one(`"issuer":"https://a","jwks_uri":"https://a/keys"`, `element 1: audiences is missing: name those of this server, or write "any"`)
	one(`"issuer":"https://a","audiences":[],"discovery":true`, `element 1: audiences must be an array of texts, or "any"`)
	one(`"issuer":"https://a","audiences":"x","discovery":true`, `element 1: audiences must be an array of texts, or "any"`)
	one(`"issuer":"https://a","audiences":[""],"discovery":true`, `element 1: audiences must be an array of texts, or "any"`)
	one(all+`"audience":1`, `element 1: "audience" is not a member of an issuer; the members are algorithms, anonymous_role, audiences, discovery, issuer, jwks, jwks_uri, role_claim_key, roles`)
	one(all+`"algorithms":["RS256"]`, "element 1: one of jwks_uri, discovery and jwks must be set")
	one(all+`"discovery":false`, "element 1: one of jwks_uri, discovery and jwks must be set")
	one(all+`"discovery":true,"jwks_uri":"https://a/keys"`, "element 1: one of jwks_uri, discovery and jwks must be set")
	one(all+`"discovery":"yes"`, "element 1: discovery must be true or false")
	one(all+`"jwks_uri":"http://a/keys"`, "element 1: jwks_uri is not usable: it must be a URL with https, or with http and a loopback address")
	one(all+`"jwks_uri":"https://me:pw@a/keys"`, "element 1: jwks_uri is not usable: it must be a URL with a host, and without a user and a fragment")
	one(all+`"jwks_uri":"/keys"`, "element 1: jwks_uri is not usable: it must be a URL with a host, and without a user and a fragment")
	one(all+`"jwks_uri":"ftp://127.0.0.1/keys"`, "element 1: jwks_uri is not usable: it must be a URL with https, or with http and a loopback address")
	for _, text := range []string{"https://:443/keys", "https://", "https:a", "https://a/#b", "https://a b/", `https://a/\u0000`, "https://[::1/keys", "https://me@a/"} {
		one(all+`"jwks_uri":"`+text+`"`, "element 1: jwks_uri is not usable: it must be a URL with a host, and without a user and a fragment")
	}
	for _, text := range []string{"http://[::1%25lo]/keys", "http://10.0.0.1/", "http://localhost.evil.example/", "http://127.0.0.1.evil.example/", "http://0/", "file:///etc/passwd", "unix://127.0.0.1/"} {
		want := "it must be a URL with https, or with http and a loopback address"
		if text == "file:///etc/passwd" {
			want = "it must be a URL with a host, and without a user and a fragment"
		}
		one(all+`"jwks_uri":"`+text+`"`, "element 1: jwks_uri is not usable: "+want)
	}
	if _, err := ParseKeySetURL("https://a/\xff"); err == nil {
		t.Error("a URL that is not UTF-8 is accepted, and cannot be the label of a metric")
	}
	one(all+`"jwks_uri":5`, "element 1: jwks_uri is not usable: it must be a URL with a host, and without a user and a fragment")
	one(`"issuer":"a","audiences":"any","discovery":true`, "element 1: issuer must be a URL with https and without a query, because discovery is set")
	one(`"issuer":"https://a?x","audiences":"any","discovery":true`, "element 1: issuer must be a URL with https and without a query, because discovery is set")
	one(all+`"jwks":[]`, "element 1: jwks is not usable: keys must be an array")
	one(all+`"jwks":{"keys":[]}`, "element 1: jwks is not usable: there is no usable key")
	one(all+`"jwks":{"keys":[{"kty":"RSA"}]}`, "element 1: jwks is not usable: key 1: RSA key: n is required")
	one(all+`"jwks":{"keys":[5]}`, "element 1: jwks is not usable: key 1 is not an object")
	one(all+`"jwks":`+set(octJWK(secret[:31], "")), "element 1: jwks is not usable: key 1: k must have at least 32 bytes")
	one(all+`"discovery":true,"algorithms":["none"]`, `element 1: algorithms has "none"; the algorithms are HS256, HS384, HS512, RS256, RS384, RS512, ES256, ES384, ES512, EdDSA, PS256, PS384, PS512`)
	one(all+`"discovery":true,"algorithms":"RS256"`, "element 1: algorithms must be an array of texts")
	one(all+`"discovery":true,"roles":[]`, "element 1: roles must be an array of texts")
	one(all+`"discovery":true,"roles":[1]`, "element 1: roles must be an array of texts")
	one(all+`"discovery":true,"anonymous_role":""`, "element 1: anonymous_role must be a text")
	one(all+`"discovery":true,"roles":["a","b"],"anonymous_role":"c"`, "element 1: anonymous_role must be one of roles")
	one(all+`"discovery":true,"jwks_uri":null`, "element 1: jwks_uri is not usable: it must be a URL with a host, and without a user and a fragment")
	one(`"issuer":"a","audiences":null,"discovery":true`, `element 1: audiences must be an array of texts, or "any"`)
	one(all+`"discovery":true,"role_claim_key":"$["`, "element 1: role_claim_key is not usable: failed to parse role-claim-key value ($[): jsonpath: unexpected eof at position 3")
	f(`[{`+all+`"discovery":true},{`+all+`"jwks_uri":"https://a"}]`, `element 2: there is another element for issuer "https://a"`)
	for _, good := range []string{
		`"issuer":"me","audiences":"any","jwks_uri":"http://127.0.0.1:8000/keys"`, `"issuer":"me","audiences":"any","jwks_uri":"http://[::1]/keys?x=y"`,
		`"issuer":"http://localhost:8000","audiences":["a","b"],"discovery":true`,
	} {
		one(good, "<nil>")
	}
}
