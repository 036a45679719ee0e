package issuertest

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"io"
	"maps"
	"math/big"
	"net/http"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/pascaldekloe/jwt"

	"github.com/fastgrest/fastgrest/server/auth"
	"github.com/fastgrest/fastgrest/server/keysets"
)

// shape is what the documents and tokens of a provider look like. The values of keys are
// ours; names, addresses and the members that are there are those of the provider.
type shape struct {
	name         string // as the manual has it, before the example
	address      string // of the key set
	discovery    string // members of the discovery document that matter; "": the manual has the address
	cacheControl string // of the key set
	alg          string
	key          map[string]any // members of each key besides the values
	others       string         // further keys of the set
	claims       string
	role         string // that the server finds with the example of the manual
}

var shapes = []shape{
	{
		name: "Keycloak", address: "https://sso.library.example/realms/library/protocol/openid-connect/certs",
		discovery:    `{"issuer":"https://sso.library.example/realms/library","jwks_uri":"https://sso.library.example/realms/library/protocol/openid-connect/certs","id_token_signing_alg_values_supported":["PS384","RS384","EdDSA","ES384","HS256","HS512","ES256","RS256","HS384","ES512","PS256","PS512","RS512"]}`,
		cacheControl: "no-cache", alg: "RS256",
		key:    map[string]any{"use": "sig", "x5c": []string{"MIICmzCCAYMCBg"}, "x5t": "f_Zk", "x5t#S256": "Yq8k"},
		others: `{"kid":"enc","kty":"RSA","alg":"RSA-OAEP","use":"enc","n":"AQAB","e":"AQAB","x5c":["MIICmzCCAYMCBg"]}`,
		claims: `{"jti":"a9","iss":"https://sso.library.example/realms/library","aud":["library-api","account"],"sub":"f2","typ":"Bearer","azp":"web","acr":"1","realm_access":{"roles":["offline_access","uma_authorization","librarian"]},"resource_access":{"account":{"roles":["view-profile"]}},"scope":"openid email"}`,
		role:   "librarian",
	},
	{
		name: "Auth0", address: "https://library.eu.auth0.com/.well-known/jwks.json",
		discovery:    `{"issuer":"https://library.eu.auth0.com/","jwks_uri":"https://library.eu.auth0.com/.well-known/jwks.json"}`,
		cacheControl: "public, max-age=15, stale-while-revalidate=15, stale-if-error=86400", alg: "RS256",
		key:    map[string]any{"use": "sig", "x5t": "OUVG", "x5c": []string{"MIIC+DCCAeCgAwIBAgIJ"}},
		claims: `{"https://library.example/role":"member","iss":"https://library.eu.auth0.com/","sub":"auth0|5f7c","aud":["https://library.example","https://library.eu.auth0.com/userinfo"],"azp":"my_client_id","scope":"openid profile"}`,
		role:   "member",
	},
	{
		name: "Supabase", address: "https://PROJECT.supabase.co/auth/v1/.well-known/jwks.json", cacheControl: "public, max-age=600", alg: "ES256",
		key:    map[string]any{"use": "sig", "ext": true, "key_ops": []string{"verify"}},
		claims: `{"iss":"https://PROJECT.supabase.co/auth/v1","sub":"9a","aud":"authenticated","email":"a@library.example","phone":"","app_metadata":{"provider":"email","providers":["email"]},"user_metadata":{},"role":"authenticated","aal":"aal1","amr":[{"method":"password","timestamp":1700000000}],"session_id":"7c","is_anonymous":false}`,
		role:   "authenticated",
	},
	{
		name: "Google", address: "https://www.googleapis.com/oauth2/v3/certs",
		discovery:    `{"issuer":"https://accounts.google.com","jwks_uri":"https://www.googleapis.com/oauth2/v3/certs","id_token_signing_alg_values_supported":["RS256"]}`,
		cacheControl: "public, max-age=21322, must-revalidate, no-transform", alg: "RS256",
		key:    map[string]any{"use": "sig"},
		claims: `{"iss":"https://accounts.google.com","azp":"CLIENT.apps.googleusercontent.com","aud":"CLIENT.apps.googleusercontent.com","sub":"1101","hd":"library.example","email":"a@library.example","email_verified":true,"at_hash":"HK6E"}`,
		role:   "member",
	},
}

// documents is the network: documents by their address.
type documents map[string]string

func (d documents) RoundTrip(r *http.Request) (*http.Response, error) {
	text, ok := d[r.URL.String()]
	response := &http.Response{StatusCode: 200, Status: "200 OK", Header: http.Header{}, Body: io.NopCloser(strings.NewReader(text)), Request: r}
	if !ok {
		response.StatusCode, response.Status = 404, "404 Not Found"
	}
	response.Header.Set("Cache-Control", d["Cache-Control"])
	return response, nil
}

func (documents) KeysFetched(string, int)                  {}
func (documents) KeysFailed(string, string, time.Duration) {}

// TestShapes: the examples of the manual accept tokens of well-known providers, and only
// for the right role and audience.
func TestShapes(t *testing.T) {
	page, err := os.ReadFile("../../cmd/fastgrest/manual/tokens.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range shapes {
		t.Run(s.name, func(t *testing.T) {
			example := regexp.MustCompile(`(?s)\*\*` + s.name + `\*\*[^\n]*\n(?:[^\n]+\n)*\n` + "```json norun\n(.*?)\n```").FindSubmatch(page)
			if example == nil {
				t.Fatal("the manual has no example")
			}
			issuers, err := auth.ParseIssuers(example[1])
			if err != nil {
				t.Fatal(err)
			}
			key, sign := s.newKey(t)
			set, err := json.Marshal(key)
			if err != nil {
				t.Fatal(err)
			}
			network := documents{s.address: `{"keys":[` + strings.Trim(s.others+","+string(set), ",") + `]}`, "Cache-Control": s.cacheControl}
			if s.discovery != "" {
				network[strings.TrimSuffix(issuers[0].Name, "/")+"/.well-known/openid-configuration"] = s.discovery
			}
			store := keysets.New(keysets.Options{Transport: network, Log: network})
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			a, err := auth.New(auth.Options{Issuers: issuers, Source: store.Source, RoleClaimKey: "$.role", CacheMaxEntries: 9})
			if err != nil {
				t.Fatal(err)
			}
			go store.Run(ctx)
			store.Wait(ctx)
			f := func(claims, want string) {
				t.Helper()
				var object map[string]any
				if err := json.Unmarshal([]byte(claims), &object); err != nil {
					t.Fatal(err)
				}
				id, err := a.Identify(append([]byte("Bearer "), sign(object)...), time.Now())
				got := id.Role
				if err != nil {
					got = err.Error()
				}
				if got != want {
					t.Errorf("got %q, want %q: %s", got, want, store.Figures()[0].Problem)
				}
			}
			f(s.claims, s.role)
			f(regexp.MustCompile(`"aud":("[^"]*"|\[[^\]]*\])`).ReplaceAllString(s.claims, `"aud":"other"`), "JWT not in audience")
			f(strings.Replace(s.claims, `"iss":"`, `"iss":"x`, 1), "JWT issuer is unknown")
			if s.role != "member" || s.name == "Auth0" {
				refused := strings.ReplaceAll(s.claims, `"`+s.role+`"`, `"service_role"`)
				refused = strings.Replace(refused, `"aud":"service_role"`, `"aud":"authenticated"`, 1)
				want := "JWT role is not allowed for its issuer"
				if s.name == "Keycloak" { // the path of the role finds none
					want = "Anonymous access is disabled"
				}
				f(refused, want)
			}
			if s.name == "Google" { // whose tokens name no role
				f(strings.Replace(s.claims, `"azp"`, `"role":"service_role","azp"`, 1), "JWT role is not allowed for its issuer")
			}
		})
	}
}

// newKey makes a key of the shape, and a function that signs claims with it.
func (s *shape) newKey(t *testing.T) (jwk map[string]any, sign func(claims map[string]any) []byte) {
	t.Helper()
	jwk = maps.Clone(s.key)
	jwk["kid"], jwk["alg"] = "of "+s.name, s.alg
	must := func(token []byte, err error) []byte {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return bytes.Clone(token)
	}
	if s.alg == jwt.ES256 {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		point := must(key.PublicKey.Bytes())
		jwk["kty"], jwk["crv"], jwk["x"], jwk["y"] = "EC", "P-256", encode(point[1:33]), encode(point[33:])
		return jwk, func(claims map[string]any) []byte {
			return must((&jwt.Claims{KeyID: "of " + s.name, Set: claims}).ECDSASign(s.alg, key))
		}
	}
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	jwk["kty"], jwk["n"], jwk["e"] = "RSA", encode(key.N.Bytes()), encode(big.NewInt(int64(key.E)).Bytes())
	return jwk, func(claims map[string]any) []byte {
		return must((&jwt.Claims{KeyID: "of " + s.name, Set: claims}).RSASign(s.alg, key))
	}
}
