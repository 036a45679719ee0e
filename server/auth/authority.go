package auth

import (
	"slices"

	"github.com/fastgrest/fastgrest/parser/jsontext"
)

// authority has the keys that verify a token, and the rules for the claims of that token.
// The jwt-secret is an authority, and so is each of the jwt-issuers.
type authority struct {
	keys   *Keys     // of the configuration; nil: those of source
	source KeySource // nil: keys

	algs            []string // empty: those of the keys
	audiences       []string // accepted in aud; empty: any
	requireAudience bool
	path            *RolePath
	roles           []string // that tokens may name; empty: any
	anonRole        string   // of tokens without a role; "": they are refused
}

// configured reports whether the authority has keys, or will have some.
func (from *authority) configured() bool { return from.keys != nil || from.source != nil }

// strict is that of Keys.
func (from *authority) strict() bool {
	return from.source != nil || from.keys != nil && from.keys.strict
}

// authorityOf returns the authority that has to verify a token. The iss claim, which is
// not verified yet, selects an issuer, and then only keys of that issuer count. Tokens of
// other issuers are for the jwt-secret, if there is one.
func (a *Authenticator) authorityOf(token []byte) (*authority, *Error) {
	if len(a.issuers) == 0 {
		return a.secret, nil
	}
	_, payload, _, refused := split(token)
	if refused != nil {
		return nil, refused
	}
	refused = errMalformed
	if text, ok := decodePart(payload, false); ok { // its authority may be stricter
		claims, ok := parseObject(text)
		switch iss := claims["iss"].(type) {
		case string:
			if from := a.issuers[iss]; from != nil {
				return from, nil
			}
			refused = errIssuer
		case nil:
			if refused = errNoIssuer; !ok {
				refused = errClaims
			}
		default:
			refused = errIssText
		}
	}
	if a.secret.configured() {
		return a.secret, nil
	}
	return nil, refused
}

// verify checks the signature of a token, and everything else that does not depend on
// the time.
func (from *authority) verify(token []byte) (v verified, refused *Error) {
	keys := from.keys
	if from.source != nil {
		if keys = from.source.Keys(); keys == nil {
			return v, keysMissing("They were not fetched yet.", from.source.RetryAfter())
		}
	}
	by, claims, unknown, refused := keys.verify(token, from.algs)
	if refused != nil {
		if unknown && from.source != nil && from.source.Unknown() {
			refused = keysMissing("No known key fits the token, and the keys are being fetched.", from.source.RetryAfter())
		}
		return v, refused
	}
	v = from.judge(claims)
	v.source, v.by = from.source, by
	return v, nil
}

// judge computes everything about claims that does not depend on the time. It changes
// them.
func (from *authority) judge(claims map[string]any) verified {
	strict := from.strict()
	v := verified{
		exp:      timeOf(claims, "exp", strict),
		nbf:      timeOf(claims, "nbf", strict),
		iat:      timeOf(claims, "iat", strict),
		audience: audienceError(claims, from.audiences, from.requireAudience),
	}
	role := from.anonRole
	found := role != ""
	if value, ok := from.path.find(claims); ok {
		found = true
		if text, isText := value.(string); isText {
			role = text
		} else { // PostgREST takes the JSON text of other types
			role = string(jsontext.AppendValue(nil, value))
		}
		if len(from.roles) > 0 && !slices.Contains(from.roles, role) {
			v.role = errRole
		}
	}
	if !found {
		v.noRole = true
		return v
	}
	claims["role"] = role
	v.identity = Identity{Role: role, Claims: jsontext.AppendValue(nil, claims)}
	return v
}
