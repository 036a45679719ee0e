package auth

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	_ "crypto/sha256"
	_ "crypto/sha512"
	"encoding/base64"
	"fmt"
	"strings"
	"testing"
	"time"
)

// These helpers build tokens from parts, without the library, so that any part
// can be wrong.

const secret = "a-secret-of-more-than-32-characters"

// noon is the current time in the tests.
var noon = time.Unix(1_700_000_000, 500_000_000)

var keyring = struct {
	rsa, otherRSA *rsa.PrivateKey
	p256, p384    *ecdsa.PrivateKey
	p521          *ecdsa.PrivateKey
	ed            ed25519.PrivateKey
}{
	rsa: must(rsa.GenerateKey(rand.Reader, 2048)), otherRSA: must(rsa.GenerateKey(rand.Reader, 2048)),
	p256: must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader)), p384: must(ecdsa.GenerateKey(elliptic.P384(), rand.Reader)),
	p521: must(ecdsa.GenerateKey(elliptic.P521(), rand.Reader)), ed: ed25519.NewKeyFromSeed([]byte(secret[:32])),
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func b64(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

// token signs a header and a payload without changing them.
func token(head, payload string, sign func(body []byte) []byte) string {
	body := b64([]byte(head)) + "." + b64([]byte(payload))
	return body + "." + b64(sign([]byte(body)))
}

func hs(hash crypto.Hash, key string) func([]byte) []byte {
	return func(body []byte) []byte {
		h := hmac.New(hash.New, []byte(key))
		h.Write(body)
		return h.Sum(nil)
	}
}

func rs(hash crypto.Hash, key *rsa.PrivateKey) func([]byte) []byte {
	return func(body []byte) []byte {
		return must(rsa.SignPKCS1v15(rand.Reader, key, hash, digest(hash, body)))
	}
}

func ps(hash crypto.Hash, key *rsa.PrivateKey) func([]byte) []byte {
	return func(body []byte) []byte {
		return must(rsa.SignPSS(rand.Reader, key, hash, digest(hash, body), &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash}))
	}
}

func es(hash crypto.Hash, key *ecdsa.PrivateKey) func([]byte) []byte {
	return func(body []byte) []byte {
		r, s, err := ecdsa.Sign(rand.Reader, key, digest(hash, body))
		if err != nil {
			panic(err)
		}
		size := (key.Curve.Params().BitSize + 7) / 8
		return append(r.FillBytes(make([]byte, size)), s.FillBytes(make([]byte, size))...)
	}
}

func ed(key ed25519.PrivateKey) func([]byte) []byte {
	return func(body []byte) []byte { return ed25519.Sign(key, body) }
}

func digest(hash crypto.Hash, body []byte) []byte {
	h := hash.New()
	h.Write(body)
	return h.Sum(nil)
}

// hs256 is an ordinary token with a payload.
func hs256(payload string) string {
	return token(`{"alg":"HS256","typ":"JWT"}`, payload, hs(crypto.SHA256, secret))
}

func rsaJWK(key *rsa.PrivateKey, more string) string {
	return fmt.Sprintf(`{"kty":"RSA","n":"%s","e":"AQAB"%s}`, b64(key.N.Bytes()), more)
}

func ecJWK(key *ecdsa.PrivateKey, more string) string {
	point := must(key.PublicKey.Bytes())[1:]
	return fmt.Sprintf(`{"kty":"EC","crv":"%s","x":"%s","y":"%s"%s}`, key.Curve.Params().Name,
		b64(point[:len(point)/2]), b64(point[len(point)/2:]), more)
}

func edJWK(key ed25519.PrivateKey, more string) string {
	return fmt.Sprintf(`{"kty":"OKP","crv":"Ed25519","x":"%s"%s}`, b64(key.Public().(ed25519.PublicKey)), more)
}

func octJWK(key, more string) string {
	return fmt.Sprintf(`{"kty":"oct","k":"%s"%s}`, b64([]byte(key)), more)
}

func set(keys ...string) string { return `{"keys":[` + strings.Join(keys, ",") + `]}` }

// with makes an Authenticator of a secret and the usual options.
func with(tb testing.TB, jwtSecret string) *Authenticator {
	tb.Helper()
	return newAuthenticator(tb, Options{Secret: []byte(jwtSecret), RoleClaimKey: "$.role", AnonRole: "anon", CacheMaxEntries: 100})
}

func newAuthenticator(tb testing.TB, o Options) *Authenticator {
	tb.Helper()
	if o.Skew == 0 {
		o.Skew = 30 * time.Second
	}
	a, err := New(o)
	if err != nil {
		tb.Fatal(err)
	}
	return a
}

// outcome formats an identity or an error as one line.
func outcome(a *Authenticator, authorization string, now time.Time) string {
	var header []byte
	if authorization != "" {
		header = []byte(authorization)
	}
	id, err := a.Identify(header, now)
	if err != nil {
		return err.Error()
	}
	if id.Anonymous {
		return "anonymous " + id.Role + " " + string(id.Claims)
	}
	return id.Role + " " + string(id.Claims)
}
