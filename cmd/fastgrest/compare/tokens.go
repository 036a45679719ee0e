package compare

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/pascaldekloe/jwt"
)

const (
	// tokenLife is how long a signed token is valid. It is replaced when half of that has passed.
	tokenLife = 5 * time.Minute
	roleMark  = "{role}"
	maxRoles  = 1000 // that are kept; the roles of a hostile log have no end
)

// tokens finds the token of a role.
type tokens struct {
	fixed  string            // --token, perhaps with roleMark
	byRole map[string]string // --tokens
	secret []byte            // --jwt-secret
	claims map[string]any    // --claims, with roleMark
	anon   string            // the role of requests without a token

	mu      sync.Mutex
	signed  map[string]signedToken
	without map[string]int // requests of a role for which there is no token
}

type signedToken struct {
	text   string
	expiry time.Time
}

// forRole returns the token, or "" if the request goes without one.
func (t *tokens) forRole(role string, now time.Time) (string, error) {
	if role != "" && role == t.anon {
		return "", nil
	}
	if role == noRole {
		if t.fixed != "" || t.secret != nil || len(t.byRole) > 0 {
			t.count(role)
		}
		return "", nil
	}
	switch token, found := t.byRole[role]; {
	case found:
		return token, nil
	case t.secret != nil && role != "":
		return t.sign(role, now)
	case t.fixed != "":
		return strings.ReplaceAll(t.fixed, roleMark, role), nil
	case role != "":
		t.count(role)
	}
	return "", nil
}

// noRole stands in a log for a request that had failed to authenticate. Logs of proxies have it everywhere.
const noRole = "-"

func (t *tokens) count(role string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.without[role] > 0 || len(t.without) < maxRoles {
		t.without[role]++
	}
}

func (t *tokens) sign(role string, now time.Time) (string, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if s := t.signed[role]; s.expiry.Sub(now) > tokenLife/2 {
		return s.text, nil
	}
	if len(t.signed) == maxRoles {
		clear(t.signed)
	}
	c := jwt.Claims{Set: fill(t.claims, role).(map[string]any)}
	expiry := now.Add(tokenLife).Truncate(time.Second)
	c.Issued = jwt.NewNumericTime(now.Truncate(time.Second))
	c.Expires = jwt.NewNumericTime(expiry)
	text, err := c.HMACSign(jwt.HS256, t.secret)
	if err != nil {
		return "", fail("cannot sign a token: %v", err)
	}
	t.signed[role] = signedToken{string(text), expiry}
	return string(text), nil
}

// fill puts the role into the strings of a value, so that the text of a role cannot add claims.
func fill(v any, role string) any {
	switch v := v.(type) {
	case string:
		return strings.ReplaceAll(v, roleMark, role)
	case []any:
		list := make([]any, len(v))
		for i, x := range v {
			list[i] = fill(x, role)
		}
		return list
	case map[string]any:
		object := make(map[string]any, len(v))
		for name, x := range v {
			object[name] = fill(x, role)
		}
		return object
	}
	return v
}

func newTokens(o *options) (*tokens, error) {
	t := &tokens{fixed: o.token, anon: o.anonRole, signed: map[string]signedToken{}, without: map[string]int{}}
	if !validHeader("Authorization", t.fixed) {
		return nil, fail("--token has a character that a header cannot have")
	}
	if o.tokens != "" {
		if err := t.readTokens(o.tokens); err != nil {
			return nil, err
		}
	}
	if o.jwtSecret != "" {
		if err := t.readSecret(o.jwtSecret, o.secretIsBase64); err != nil {
			return nil, err
		}
	}
	dec := json.NewDecoder(strings.NewReader(o.claims))
	dec.UseNumber()
	if err := dec.Decode(&t.claims); err != nil || dec.More() || t.claims == nil {
		return nil, fail("--claims is not a JSON object")
	}
	return t, nil
}

// readTokens reads lines with role=token. Empty lines and lines with # are comments.
func (t *tokens) readTokens(name string) error {
	text, err := os.ReadFile(name)
	if err != nil {
		return fail("--tokens: %v", err)
	}
	t.byRole = map[string]string{}
	number := 0
	for line := range strings.Lines(string(text)) {
		number++
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		i := strings.IndexByte(line, '=')
		if i < 0 || !validHeader("Authorization", line[i+1:]) {
			return fail("--tokens: line %d of %s is not role=token", number, name) // without its text, a secret
		}
		t.byRole[strings.TrimSpace(line[:i])] = strings.TrimSpace(line[i+1:])
	}
	return nil
}

// readSecret reads a secret for HS256: text, base64, or a JWK with a symmetric key.
func (t *tokens) readSecret(name string, isBase64 bool) error {
	text, err := os.ReadFile(name)
	if err != nil { // whose text repeats the name, which may be the secret by mistake
		return fail("--jwt-secret is the name of a file with the secret, and the file cannot be read: %v", errors.Unwrap(err))
	}
	t.secret = bytes.TrimSpace(text)
	switch {
	case bytes.HasPrefix(t.secret, []byte("{")):
		var keys jwt.KeyRegister
		if _, err := keys.LoadJWK(t.secret); err != nil {
			return fail("--jwt-secret: %s is not a JWK: %v", name, err)
		}
		if len(keys.Secrets) == 0 {
			return fail("--jwt-secret: %s has no symmetric key; a public key cannot sign tokens, use --tokens", name)
		}
		t.secret = keys.Secrets[0]
	case isBase64:
		standard := strings.NewReplacer("-", "+", "_", "/", ".", "=").Replace(string(t.secret))
		if t.secret, err = base64.StdEncoding.DecodeString(standard); err != nil {
			return fail("--jwt-secret: %s is not base64", name)
		}
	}
	if len(t.secret) == 0 {
		return fail("--jwt-secret: %s is empty", name)
	}
	return nil
}
