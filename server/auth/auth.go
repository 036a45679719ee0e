package auth

import (
	"bytes"
	"time"
)

// Options configure an Authenticator.
type Options struct {
	Secret          []byte // decoded; nil: no token can be accepted
	Audience        string // "": any
	RoleClaimKey    string
	AnonRole        string // "": requests without a role are refused
	CacheMaxEntries int    // 0 or less: no cache
	CacheMaxBytes   int    // 0: 16 KiB for each entry, at most 64 MiB
}

// Identity is who a request acts as.
type Identity struct {
	Role      string
	Claims    []byte // the claims as a JSON object, with the role as "role"; read-only
	Anonymous bool   // the request had no token
}

// Authenticator maps Authorization headers to identities. It is safe for
// concurrent use. Only its cache changes after New.
type Authenticator struct {
	options   Options
	keys      *Keys
	path      *RolePath
	cache     *cache // nil: caching is off
	anonymous verified
}

// New builds an Authenticator. It returns the errors of ParseKeys and
// ParseRolePath.
func New(o Options) (*Authenticator, error) {
	a := &Authenticator{options: o}
	var err error
	if a.path, err = ParseRolePath(o.RoleClaimKey); err != nil {
		return nil, err
	}
	if o.Secret != nil {
		a.options.Secret = bytes.Clone(o.Secret)
		if a.keys, err = ParseKeys(a.options.Secret); err != nil {
			return nil, err
		}
		a.cache = newCache(o.CacheMaxEntries, o.CacheMaxBytes)
	}
	// A request without a token has empty claims. A path that finds a role in an
	// empty object, such as $, therefore names the anonymous role.
	a.anonymous = a.judge(map[string]any{})
	a.anonymous.identity.Anonymous = true
	return a, nil
}

// Serves reports whether a is equivalent to an Authenticator made with o.
func (a *Authenticator) Serves(o Options) bool {
	mine := a.options
	return bytes.Equal(mine.Secret, o.Secret) && (mine.Secret == nil) == (o.Secret == nil) &&
		mine.Audience == o.Audience && mine.RoleClaimKey == o.RoleClaimKey && mine.AnonRole == o.AnonRole &&
		mine.CacheMaxEntries == o.CacheMaxEntries && mine.CacheMaxBytes == o.CacheMaxBytes
}

// Deprecated reports whether the role path has the syntax of older releases. It
// returns the text for the warning.
func (a *Authenticator) Deprecated() (path string, deprecated bool) {
	return a.path.String(), a.path.Deprecated()
}

// Identify returns the identity for the value of an Authorization header at a
// time. A nil header, or one of another scheme, is a request without a token.
func (a *Authenticator) Identify(authorization []byte, now time.Time) (Identity, error) {
	token, ok := bearer(authorization)
	if !ok {
		if a.anonymous.noRole {
			return Identity{}, errRequired
		}
		return a.anonymous.identity, nil
	}
	v, refused := a.lookup(token)
	if refused == nil {
		refused = v.valid(now.Unix())
	}
	if refused != nil {
		return Identity{}, refused
	}
	return v.identity, nil
}

// lookup returns the verified token, from the cache if possible. Refused tokens
// are not cached, because a client can make any number of them.
func (a *Authenticator) lookup(token []byte) (*verified, *Error) {
	if a.keys == nil {
		return nil, errSecretMissing
	}
	if a.cache != nil {
		if v := a.cache.get(token); v != nil {
			return v, nil
		}
	}
	claims, refused := a.keys.verify(token)
	if refused != nil {
		return nil, refused
	}
	v := a.judge(claims)
	if a.cache != nil {
		a.cache.put(token, &v)
	}
	return &v, nil
}

// judge computes everything that does not depend on the time. It changes claims.
func (a *Authenticator) judge(claims map[string]any) verified {
	v := verified{
		exp:      timeOf(claims, "exp"),
		nbf:      timeOf(claims, "nbf"),
		iat:      timeOf(claims, "iat"),
		audience: audienceError(claims, a.options.Audience),
	}
	role := a.options.AnonRole
	found := role != ""
	if value, ok := a.path.find(claims); ok {
		found = true
		if text, isText := value.(string); isText {
			role = text
		} else { // PostgREST takes the JSON text of other types
			role = string(appendJSON(nil, value))
		}
	}
	if !found {
		v.noRole = true
		return v
	}
	claims["role"] = role
	v.identity = Identity{Role: role, Claims: appendJSON(nil, claims)}
	return v
}

// bearer returns the token of a header of the bearer scheme. The scheme ends at
// the first space and is case-insensitive.
func bearer(authorization []byte) (token []byte, ok bool) {
	const scheme = "bearer"
	if len(authorization) < len(scheme) {
		return nil, false
	}
	for i := range len(scheme) {
		if authorization[i]|0x20 != scheme[i] {
			return nil, false
		}
	}
	rest := authorization[len(scheme):]
	if len(rest) > 0 && !isSpace(rest[0]) {
		return nil, false
	}
	for len(rest) > 0 && isSpace(rest[0]) {
		rest = rest[1:]
	}
	return rest, true
}

func isSpace(c byte) bool { return c == ' ' || c >= '\t' && c <= '\r' || c == 0xA0 }
