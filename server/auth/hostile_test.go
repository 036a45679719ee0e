package auth

import (
	"bytes"
	"crypto"
	"crypto/hmac"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"strings"
	"testing"
)

// hostile makes tokens that a server with the keys of hostileKeys must refuse:
// forgeries, and genuine tokens with some damage.
func hostile() []string {
	k := &keyring
	const payload = `{"role":"admin","sub":"eve"}`
	var list []string
	add := func(tokens ...string) { list = append(list, tokens...) }
	good := hs256(payload)
	parts := strings.Split(good, ".")
	nothing := func([]byte) []byte { return nil }

	// Tokens without a signature, in every spelling of "none".
	for _, alg := range []string{"none", "None", "NONE", "nOnE", " none", "none ", "no\\u006ee", "", "null"} {
		add(token(`{"alg":"`+alg+`"}`, payload, nothing), token(`{"alg":"`+alg+`"}`, payload, hs(crypto.SHA256, "")))
	}
	// Headers that two parsers read differently.
	for _, head := range []string{
		`{"alg":"none","alg":"HS256"}`, `{"alg":"HS256","alg":"none"}`, `{"alg":"HS256","ALG":"none"}`, `{"Alg":"HS256"}`,
		`{"alg":["HS256"]}`, `{"alg":{"alg":"HS256"}}`, `{"alg":"HS256","kid":["h1"]}`, `{"alg":"HS256","kid":null,"kid":"h1"}`,
		`{"alg":"HS256","crit":[]}`, `{"alg":"HS256","crit":{}}`, `{"alg":"HS256","kid":"../../dev/null"}`, `{"alg":"HS256","kid":"' or 1=1 --"}`,
		`{"alg":"HS256","enc":"none"}`, `{"alg":"dir","enc":"A128GCM"}`, `{"alg":"RSA-OAEP","enc":"A256GCM"}`, `{"alg":"HS256"`, `{"alg":HS256}`,
		`[{"alg":"HS256"}]`, `"HS256"`, `null`, `5`, ``, ` `, "\x00", `{"alg":"HS256"}{}`, "{\"alg\":\"HS256\"}\x00", `{"alg":"HS256" "typ":"JWT"}`,
	} {
		add(token(head, payload, hs(crypto.SHA256, secret)))
	}
	// Other algorithms, with public or guessed key material.
	publics := []string{
		rsaJWK(k.rsa, ""), rsaJWK(k.rsa, `,"kid":"r1"`), string(k.rsa.N.Bytes()), b64(k.rsa.N.Bytes()), ecJWK(k.p256, ""), ecJWK(k.p256, `,"kid":"e1"`),
		hostileKeys(), "", "secret", "a", strings.ToUpper(secret), secret[:32], secret + "\x01", b64([]byte(secret)), hs256(payload),
	}
	for _, guess := range publics {
		for alg, hash := range map[string]crypto.Hash{"HS256": crypto.SHA256, "HS384": crypto.SHA384, "HS512": crypto.SHA512} {
			add(token(`{"alg":"`+alg+`"}`, payload, hs(hash, guess)))
		}
	}
	for _, alg := range []string{"RS256", "RS384", "RS512", "ES256", "ES384", "ES512", "EdDSA", "PS256", "HS384", "HS512"} {
		add(token(`{"alg":"`+alg+`"}`, payload, hs(crypto.SHA256, secret)), token(`{"alg":"`+alg+`"}`, payload, nothing),
			token(`{"alg":"`+alg+`"}`, payload, func([]byte) []byte { return make([]byte, 64) }),
			token(`{"alg":"`+alg+`"}`, payload, func([]byte) []byte { return make([]byte, 256) }),
			token(`{"alg":"`+alg+`"}`, payload, func([]byte) []byte { return bytes.Repeat([]byte{0xff}, 64) }))
	}
	add(token(`{"alg":"RS256"}`, payload, rs(crypto.SHA256, k.otherRSA)),
		token(`{"alg":"RS256","kid":"e1"}`, payload, rs(crypto.SHA256, k.rsa)),
		token(`{"alg":"RS256","kid":"R1"}`, payload, rs(crypto.SHA256, k.rsa)),
		token(`{"alg":"RS512"}`, payload, rs(crypto.SHA512, k.rsa)), // the key is for RS256 only
		token(`{"alg":"RS256"}`, payload, ps(crypto.SHA256, k.rsa)),
		token(`{"alg":"PS256"}`, payload, ps(crypto.SHA256, k.rsa)),
		token(`{"alg":"RS256"}`, payload, rs(crypto.SHA512, k.rsa)),
		token(`{"alg":"ES256"}`, payload, es(crypto.SHA256, k.p384)),
		token(`{"alg":"ES384"}`, payload, es(crypto.SHA384, k.p384)),
		token(`{"alg":"ES512"}`, payload, es(crypto.SHA512, k.p521)),
		token(`{"alg":"EdDSA"}`, payload, ed(k.ed)))
	// A key chosen by the token.
	own := rsaJWK(k.otherRSA, "")
	for _, head := range []string{`"jwk":` + own, `"jku":"https://example.com/keys"`, `"x5c":["AAAA"]`, `"x5u":"file:///etc/passwd"`} {
		add(token(`{"alg":"RS256",`+head+`}`, payload, rs(crypto.SHA256, k.otherRSA)))
	}
	// A genuine token with one character changed, at each position. In the last one,
	// bits of the signature change; the spare bits do not count, see TestForm.
	for i := range good {
		c := byte('A')
		if good[i] == 'A' {
			c = 'B'
		}
		add(good[:i] + string(c) + good[i+1:])
		if i%4 == 3 { // not the first: space before a token does not matter
			add(good[:i]+good[i+1:], good[:i]+"\n"+good[i:], good[:i]+"="+good[i:], good[:i]+"%2E"+good[i:])
		}
	}
	// Reordered, missing, repeated and huge parts.
	add("", ".", "..", "...", "....", good+".", "."+good, good+"."+good, parts[0]+".."+parts[2], "."+parts[1]+"."+parts[2], parts[0]+"."+parts[1]+".",
		parts[1]+"."+parts[0]+"."+parts[2], parts[0]+"."+parts[2]+"."+parts[1], parts[0]+"."+parts[0]+"."+parts[2], good+" ", good+"\x00", good+"\xa0", "\x00"+good,
		strings.Repeat(good, 2), strings.Repeat("A", 1<<17), strings.Repeat("A", 1<<17)+".A.A", strings.Repeat(".", 1<<16), "é"+good, good[:40],
		base64.StdEncoding.EncodeToString([]byte(good)), strings.ToLower(good), strings.ToUpper(good))
	// Validly signed, with unusable claims.
	for _, claims := range []string{
		``, `[]`, `null`, `"x"`, `{`, `{"role":"admin"`, `{"role":"admin"}}`, `{"role":"admin","exp":1}`, `{"role":"admin","exp":"2099"}`, `{"role":"admin","exp":1e400}`,
		`{"role":"admin","exp":1800000000.5}`, `{"role":"admin","exp":{}}`, `{"role":"admin","exp":1,"exp":1800000000}`, `{"role":"admin","nbf":1800000000}`,
		`{"role":"admin","iat":1800000000}`, `{"role":"admin","nbf":"0"}`, `{"role":"admin","iat":[]}`, `{"role":"admin","aud":"elsewhere"}`,
		`{"role":"admin","aud":{}}`, `{"role":"admin","aud":[1]}`, `{"role":"admin","aud":["elsewhere"]}`, `{"role":"\ud800"}`, "{\"role\":\"\xff\"}", `{"role":"admin"} x`,
		`{"role":` + strings.Repeat(`{"a":`, 5000) + `1` + strings.Repeat(`}`, 5000) + `}`, strings.Repeat("[", 10000), `{"` + strings.Repeat("a", 1<<17) + `":1}`,
	} {
		add(hs256(claims))
	}
	return list
}

func hostileKeys() string {
	k := &keyring
	return set(octJWK(secret, `,"alg":"HS256"`), rsaJWK(k.rsa, `,"kid":"r1","alg":"RS256"`), ecJWK(k.p256, `,"kid":"e1","alg":"ES256"`))
}

func TestHostileTokens(t *testing.T) {
	tokens := hostile()
	if len(tokens) < 200 {
		t.Fatalf("only %d tokens", len(tokens))
	}
	for _, cached := range []int{0, 50} {
		a := newAuthenticator(t, Options{Secret: []byte(hostileKeys()), Audiences: []string{"here"}, RoleClaimKey: "$.role", AnonRole: "anon", CacheMaxEntries: cached})
		for _, token := range tokens {
			for range 2 { // a refused token must not be cached
				if id, err := a.Identify([]byte("Bearer "+token), noon); err == nil {
					t.Errorf("%.200q was accepted as %+v", token, id)
				}
			}
		}
		if got := outcome(a, "Bearer "+hs256(`{"role":"ada"}`), noon); got != `ada {"role":"ada"}` {
			t.Errorf("and a good one got %s", got)
		}
	}
	t.Logf("%d tokens refused", len(tokens))
}

// TestForgedSignatures: signature values that other verifiers have accepted.
func TestForgedSignatures(t *testing.T) {
	k := &keyring
	n := k.p256.Curve.Params().N.Bytes()
	one, zero := append(make([]byte, 31), 1), make([]byte, 32)
	a := with(t, set(ecJWK(k.p256, ""), rsaJWK(k.rsa, "")))
	for _, sig := range [][]byte{
		append(bytes.Clone(zero), zero...), append(bytes.Clone(one), zero...), append(bytes.Clone(zero), one...), append(bytes.Clone(one), one...),
		append(bytes.Clone(n), n...), append(bytes.Clone(n), one...), append(bytes.Clone(one), n...), nil, {0}, {1}, {0, 0}, bytes.Repeat([]byte{0xff}, 1000),
	} {
		for _, alg := range []string{"ES256", "ES384", "ES512", "RS256", "RS384", "RS512"} {
			forged := token(`{"alg":"`+alg+`"}`, `{"role":"admin"}`, func([]byte) []byte { return sig })
			if _, err := a.Identify([]byte("Bearer "+forged), noon); err == nil {
				t.Errorf("%s accepted %x", alg, sig)
			}
		}
	}
	// An RSA signature of the padding alone, cut or with rubbish after it.
	genuine := rs(crypto.SHA256, k.rsa)
	for _, spoil := range []func([]byte) []byte{
		func(s []byte) []byte { return s[1:] }, func(s []byte) []byte { return append(s, 0) }, func(s []byte) []byte { return append([]byte{0}, s...) },
	} {
		forged := token(`{"alg":"RS256"}`, `{"role":"admin"}`, func(body []byte) []byte { return spoil(genuine(body)) })
		if _, err := a.Identify([]byte("Bearer "+forged), noon); err == nil {
			t.Errorf("accepted a signature of another length")
		}
	}
	if err := rsa.VerifyPKCS1v15(&k.rsa.PublicKey, crypto.SHA256, digest(crypto.SHA256, []byte("x")), genuine([]byte("x"))); err != nil {
		t.Fatal(err)
	}
}

// FuzzIdentify: no header makes Identify panic, and a token is accepted only
// if its signature is the HMAC of the rest.
func FuzzIdentify(f *testing.F) {
	good := hs256(`{"role":"ada","exp":1800000000}`)
	for i, token := range hostile() {
		if i%7 == 0 && len(token) < 1000 {
			f.Add([]byte("Bearer " + token))
		}
	}
	f.Add([]byte("Bearer " + good))
	f.Add([]byte("bearer\t" + token(`{"alg":"HS256","crit":["x"],"typ":null}`, `{"a":[1e3,{"b":null}]}`, hs(crypto.SHA256, secret))))
	a := with(f, secret)
	f.Fuzz(func(t *testing.T, authorization []byte) {
		id, err := a.Identify(authorization, noon)
		if err != nil || id.Anonymous {
			return
		}
		fields := bytes.Fields(authorization)
		body, sig, _ := bytes.Cut(fields[len(fields)-1], []byte("."))
		payload, sig, _ := bytes.Cut(sig, []byte("."))
		mac := hmac.New(sha256.New, []byte(secret))
		fmt.Fprintf(mac, "%s.%s", body, payload)
		if want := b64(mac.Sum(nil)); want != string(sig) {
			t.Fatalf("%q was accepted as %+v", authorization, id)
		}
	})
}
