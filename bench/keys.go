package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/pascaldekloe/jwt"

	"github.com/fastgrest/fastgrest/bench/load"
)

// manyTokens is the default number of users for {token}, each with one token.
const manyTokens = 100_000

// tokenRole is the role of all tokens. It has the privileges of the anonymous
// role.
const tokenRole = "member"

// keys are the secrets of this run, and the tokens signed with them. {jwks} is a set with one key of each kind,
// for PGRST_JWT_SECRET. {HS256}, {RS256} and {ES256} are tokens. {issuers} is an issuer whose key set this process
// serves, for PGRST_JWT_ISSUERS, and {issued} is an RS256 token of it. {token} is replaced by the load generator, which
// takes the next of many HS256 tokens for each request.
type keys struct {
	secret []byte
	rsa    *rsa.PrivateKey
	ecdsa  *ecdsa.PrivateKey
	many   *load.Tokens
	served net.Listener // of the key set; nil until a mix has {issuers}
}

// issuerName is the iss claim of {issued}.
const issuerName = "https://issuer.example"

func newKeys() (k *keys, err error) {
	k = &keys{secret: make([]byte, 32), many: &load.Tokens{}}
	if _, err = rand.Read(k.secret); err != nil {
		return nil, err
	}
	if k.rsa, err = rsa.GenerateKey(rand.Reader, 2048); err != nil {
		return nil, err
	}
	k.ecdsa, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	return k, err
}

func (k *keys) replace(text string) (string, error) {
	if strings.Contains(text, "{jwks}") {
		set, err := k.set()
		if err != nil {
			return "", err
		}
		text = strings.ReplaceAll(text, "{jwks}", set)
	}
	if strings.Contains(text, "{issuers}") {
		if err := k.serve(); err != nil {
			return "", err
		}
		text = strings.ReplaceAll(text, "{issuers}", fmt.Sprintf(`[{"issuer":%q,"audiences":["bench"],"roles":[%q],"jwks_uri":"http://%s/"}]`, issuerName, tokenRole, k.served.Addr()))
	}
	if strings.Contains(text, "{issued}") {
		token, err := k.sign(jwt.RS256, "user of the issuer", issuerName)
		if err != nil {
			return "", err
		}
		text = strings.ReplaceAll(text, "{issued}", token)
	}
	for _, alg := range []string{jwt.HS256, jwt.RS256, jwt.ES256} {
		if !strings.Contains(text, "{"+alg+"}") {
			continue
		}
		token, err := k.sign(alg, "user of "+alg)
		if err != nil {
			return "", err
		}
		text = strings.ReplaceAll(text, "{"+alg+"}", token)
	}
	if strings.Contains(text, "{token}") && len(k.many.List) == 0 {
		for i := range manyTokens {
			token, err := k.sign(jwt.HS256, fmt.Sprintf("user %d", i))
			if err != nil {
				return "", err
			}
			k.many.List = append(k.many.List, token)
		}
	}
	return text, nil
}

// serve serves the key set on a port of this machine until the process ends.
func (k *keys) serve() (err error) {
	if k.served != nil {
		return nil
	}
	set, err := k.set()
	if err != nil {
		return err
	}
	if k.served, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		return err
	}
	handler := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, set) })
	go func() { _ = (&http.Server{Handler: handler, ReadHeaderTimeout: time.Minute}).Serve(k.served) }()
	return nil
}

// tokens returns the tokens of the first users.
func (k *keys) tokens(users int) *load.Tokens {
	if users >= len(k.many.List) {
		return k.many
	}
	return &load.Tokens{List: k.many.List[:users]}
}

// sign makes a token with the usual claims. alg selects the key. An issuer is the iss claim of the token.
func (k *keys) sign(alg, subject string, issuer ...string) (string, error) {
	tomorrow := time.Now().Add(24 * time.Hour).Truncate(time.Second) // PostgREST treats an exp with a fraction as expired
	c := jwt.Claims{KeyID: alg, Set: map[string]any{"role": tokenRole},
		Registered: jwt.Registered{Subject: subject, Expires: jwt.NewNumericTime(tomorrow)}}
	if len(issuer) > 0 {
		c.Issuer, c.Audiences = issuer[0], []string{"bench"}
	}
	var (
		token []byte
		err   error
	)
	switch alg {
	case jwt.HS256:
		token, err = c.HMACSign(alg, k.secret)
	case jwt.RS256:
		token, err = c.RSASign(alg, k.rsa)
	default:
		token, err = c.ECDSASign(alg, k.ecdsa)
	}
	return string(token), err
}

func (k *keys) set() (string, error) {
	point, err := k.ecdsa.PublicKey.Bytes() // 4, x, y
	if err != nil {
		return "", err
	}
	half := (len(point) - 1) / 2
	encode := base64.RawURLEncoding.EncodeToString
	set, err := json.Marshal(map[string]any{"keys": []map[string]string{
		{"kty": "oct", "kid": jwt.HS256, "alg": jwt.HS256, "k": encode(k.secret)},
		{"kty": "RSA", "kid": jwt.RS256, "alg": jwt.RS256, "n": encode(k.rsa.N.Bytes()), "e": encode(big.NewInt(int64(k.rsa.E)).Bytes())},
		{"kty": "EC", "kid": jwt.ES256, "alg": jwt.ES256, "crv": "P-256", "x": encode(point[1 : 1+half]), "y": encode(point[1+half:])},
	}})
	return string(set), err
}
