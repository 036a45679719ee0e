package auth

import (
	"bytes"
	"reflect"
	"time"
)

// Options configure an Authenticator.
type Options struct {
	Secret          []byte        // decoded; nil: none
	SecretURL       string        // of a key set, in place of Secret
	Issuers         []Issuer      // as ParseIssuers returns them
	Audiences       []string      // accepted in aud; empty: any
	RequireAudience bool          // a token without aud is refused
	Skew            time.Duration // how far clocks may differ, in whole seconds
	RoleClaimKey    string
	AnonRole        string // "": requests without a role are refused
	CacheMaxEntries int    // 0 or less: no cache
	CacheMaxBytes   int    // 0: 16 KiB for each entry, at most 64 MiB

	// Source returns the keys of SecretURL and of issuers whose keys are fetched. It is
	// called by New.
	Source func(Remote) KeySource
}

// Remotes returns the key sets that have to be fetched.
func (o *Options) Remotes() (list []Remote) {
	if o.SecretURL != "" {
		list = append(list, Remote{URL: o.SecretURL})
	}
	for i := range o.Issuers {
		if r, ok := o.Issuers[i].remote(); ok {
			list = append(list, r)
		}
	}
	return list
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
	secret    *authority
	issuers   map[string]*authority // by iss
	cache     *cache                // nil: caching is off
	anonymous verified
}

// New builds an Authenticator. It returns the errors of ParseKeys, ParseRolePath and
// ParseIssuers.
func New(o Options) (*Authenticator, error) {
	a := &Authenticator{options: o, issuers: map[string]*authority{}}
	path, err := ParseRolePath(o.RoleClaimKey)
	if err != nil {
		return nil, err
	}
	a.secret = &authority{audiences: o.Audiences, requireAudience: o.RequireAudience, path: path, anonRole: o.AnonRole}
	switch {
	case o.SecretURL != "":
		a.secret.source = o.Source(Remote{URL: o.SecretURL})
	case o.Secret != nil:
		a.options.Secret = bytes.Clone(o.Secret)
		if a.secret.keys, err = ParseKeys(a.options.Secret); err != nil {
			return nil, err
		}
	}
	for i := range o.Issuers {
		issuer := &o.Issuers[i]
		if a.issuers[issuer.Name], err = issuer.authority(a.secret, o.Source); err != nil {
			return nil, err
		}
	}
	if a.secret.configured() || len(a.issuers) > 0 {
		a.cache = newCache(o.CacheMaxEntries, o.CacheMaxBytes)
	}
	// A request without a token has empty claims. A path that finds a role in an
	// empty object, such as $, therefore names the anonymous role. No audience is asked
	// of such a request.
	a.anonymous = a.secret.judge(map[string]any{})
	a.anonymous.identity.Anonymous = true
	return a, nil
}

// Serves reports whether a is equivalent to an Authenticator made with o.
func (a *Authenticator) Serves(o Options) bool {
	mine := a.options
	mine.Source, o.Source = nil, nil
	return reflect.DeepEqual(mine, o)
}

// Remotes returns the key sets that a reads.
func (a *Authenticator) Remotes() []Remote { return a.options.Remotes() }

// Deprecated reports whether the role path has the syntax of older releases. It
// returns the text for the warning.
func (a *Authenticator) Deprecated() (path string, deprecated bool) {
	return a.secret.path.String(), a.secret.path.Deprecated()
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
		refused = v.valid(now.Unix(), int64(a.options.Skew/time.Second))
	}
	if refused != nil {
		return Identity{}, refused
	}
	return v.identity, nil
}

// lookup returns the verified token, from the cache if possible. Refused tokens
// are not cached, because a client can make any number of them.
func (a *Authenticator) lookup(token []byte) (*verified, *Error) {
	if !a.secret.configured() && len(a.issuers) == 0 {
		return nil, errSecretMissing
	}
	cached := false
	if a.cache != nil {
		v := a.cache.get(token)
		if v != nil && v.current() {
			return v, nil
		}
		cached = v != nil
	}
	from, refused := a.authorityOf(token)
	if refused != nil {
		return nil, refused
	}
	v, refused := from.verify(token)
	switch {
	case refused == nil && a.cache != nil:
		a.cache.put(token, &v)
	case refused != nil && cached:
		a.cache.drop(token)
	}
	return &v, refused
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
