package auth

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"slices"
	"strings"

	"github.com/pascaldekloe/jwt"
)

// PostgREST ignores crit, and tokens that have it are in use. The library calls
// this hook; only this package uses the library. parseHead refuses crit where it counts.
func init() {
	jwt.EvalCrit = func([]byte, []string, json.RawMessage) error { return nil }
}

// maxToken bounds the length of a token in bytes. A setting bounds the request
// head as well, but it may be larger.
const maxToken = 64 << 10

// split returns the three parts of a token.
func split(token []byte) (head, payload, signature []byte, refused *Error) {
	if len(token) == 0 {
		return nil, nil, nil, errEmptyToken
	}
	if dots := bytes.Count(token, []byte{'.'}); dots != 2 {
		return nil, nil, nil, wrongParts(dots + 1)
	}
	if len(token) > maxToken {
		return nil, nil, nil, errMalformed
	}
	head, rest, _ := bytes.Cut(token, []byte{'.'})
	payload, signature, _ = bytes.Cut(rest, []byte{'.'})
	return head, payload, signature, nil
}

// verify checks the form and signature of a token. It returns the key that has
// verified it, and its claims. With algs only these algorithms are accepted. unknown:
// the token was refused, and a key that is not among the keys might verify it.
func (keys *Keys) verify(token []byte, algs []string) (by *key, claims map[string]any, unknown bool, refused *Error) {
	head, payload, signature, refused := split(token)
	if refused != nil {
		return nil, nil, false, refused
	}
	h, refused := parseHead(head, keys.strict)
	if refused != nil {
		return nil, nil, false, refused
	}
	text, ok := decodePart(payload, keys.strict)
	if !ok {
		return nil, nil, false, errMalformed
	}
	if h.alg == "none" {
		return nil, nil, false, errUnsecured
	}
	if _, ok := decodePart(signature, keys.strict); !ok {
		return nil, nil, false, errMalformed
	}
	if len(algs) > 0 && !slices.Contains(algs, h.alg) {
		return nil, nil, false, errNoneFits
	}
	by, refused = keys.checkSignature(h, token)
	if refused != nil {
		return nil, nil, refused != errClaims && !keys.hasNamed(h), refused
	}
	if claims, ok = parseObject(text); !ok {
		return nil, nil, false, errClaims
	}
	return by, claims, false, nil
}

// checkSignature tries the keys that apply to the token, in order.
func (keys *Keys) checkSignature(h head, token []byte) (*key, *Error) {
	refused := errNoneFits
	for _, k := range keys.list {
		if !slices.Contains(k.algs, h.alg) || h.hasID && !(k.hasID && k.id == h.id) {
			continue
		}
		switch err := k.check(h.alg, token); {
		case err == nil:
			return k, nil
		case errors.Is(err, jwt.ErrSigMiss):
			refused = errNoneVerifies
		default:
			// The signature is valid and the library refuses the payload, which is not an
			// object; or the payload is empty and the library has not checked the signature.
			return nil, errClaims
		}
	}
	return nil, refused
}

// hasNamed reports whether the key that a token names is among the keys.
func (keys *Keys) hasNamed(h head) bool {
	return h.hasID && slices.ContainsFunc(keys.list, func(k *key) bool { return k.hasID && k.id == h.id })
}

// head has the relevant fields of a token's first part.
type head struct {
	alg   string
	id    string
	hasID bool
}

// tokenAlgs are the algorithms that tokens may name. A token with another name
// is malformed, which is a different error from unverifiable.
var (
	tokenAlgs       = slices.Concat([]string{"none"}, hmacAlgs, rsaAlgs, ecdsaAlgs, eddsaAlgs)
	strictTokenAlgs = slices.Concat(tokenAlgs, pssAlgs)
)

// parseHead parses the first part of a token. strict is that of Keys.
func parseHead(part []byte, strict bool) (h head, refused *Error) {
	text, ok := decodePart(part, strict)
	if !ok {
		return h, errMalformed
	}
	object, repeated, ok := scanObject(text)
	if !ok || repeated || ambiguous(object) {
		return h, errMalformed
	}
	h.alg, _ = object["alg"].(string)
	if h.alg == "none" {
		return h, nil
	}
	// Encrypted tokens have five parts, so one with three parts and enc is refused.
	_, encrypted := object["enc"]
	known := tokenAlgs
	if strict {
		known = strictTokenAlgs
	}
	if encrypted || !slices.Contains(known, h.alg) {
		return h, errMalformed
	}
	for _, name := range []string{"typ", "cty", "kid"} {
		switch v := object[name].(type) {
		case nil:
		case string:
			if name == "kid" {
				h.id, h.hasID = v, true
			}
		default:
			return h, errMalformed
		}
	}
	if crit, has := object["crit"]; has && !isCrit(crit) {
		return h, errMalformed
	} else if has && strict { // RFC 7515, 4.1.11: no extension is understood here
		return h, errCrit
	}
	return h, nil
}

// ambiguous reports keys that the library could take for one we know: it ignores
// case and uses the last of repeated keys.
func ambiguous(object map[string]any) bool {
	for key := range object {
		for _, name := range []string{"alg", "kid", "crit"} {
			if key != name && strings.EqualFold(key, name) {
				return true
			}
		}
	}
	return false
}

// isCrit reports whether a crit parameter has the form that RFC 7515 requires.
func isCrit(v any) bool {
	names, ok := v.([]any)
	for _, n := range names {
		if _, text := n.(string); !text {
			return false
		}
	}
	return ok && len(names) > 0
}

// decodePart decodes one part of a token. It refuses line ends, which the decoder skips.
// The last character may have spare bits, which PostgREST ignores. With strict, see Keys, it
// refuses spare bits that are not zero, so that a client cannot make many tokens out of one.
func decodePart(part []byte, strict bool) ([]byte, bool) {
	if bytes.ContainsAny(part, "\r\n") {
		return nil, false
	}
	encoding := base64.RawURLEncoding
	if strict {
		encoding = strictEncoding
	}
	decoded, err := encoding.AppendDecode(nil, part)
	return decoded, err == nil
}

var strictEncoding = base64.RawURLEncoding.Strict()
