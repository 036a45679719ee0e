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
// this hook; only this package uses the library.
func init() {
	jwt.EvalCrit = func([]byte, []string, json.RawMessage) error { return nil }
}

// maxToken bounds the length of a token in bytes. A setting bounds the request
// head as well, but it may be larger.
const maxToken = 64 << 10

// verify checks the form and signature of a token and returns its claims.
func (keys *Keys) verify(token []byte) (map[string]any, *Error) {
	if len(token) == 0 {
		return nil, errEmptyToken
	}
	if dots := bytes.Count(token, []byte{'.'}); dots != 2 {
		return nil, wrongParts(dots + 1)
	}
	if len(token) > maxToken {
		return nil, errMalformed
	}
	head, rest, _ := bytes.Cut(token, []byte{'.'})
	payload, signature, _ := bytes.Cut(rest, []byte{'.'})

	h, refused := parseHead(head)
	if refused != nil {
		return nil, refused
	}
	claims, ok := decodePart(payload)
	if !ok {
		return nil, errMalformed
	}
	if h.alg == "none" {
		return nil, errUnsecured
	}
	if _, ok := decodePart(signature); !ok {
		return nil, errMalformed
	}
	if refused := keys.checkSignature(h, token); refused != nil {
		return nil, refused
	}
	object, ok := parseObject(claims)
	if !ok {
		return nil, errClaims
	}
	return object, nil
}

// checkSignature tries the keys that apply to the token, in order.
func (keys *Keys) checkSignature(h head, token []byte) *Error {
	refused := errNoneFits
	for i := range keys.list {
		k := &keys.list[i]
		if !slices.Contains(k.algs, h.alg) || h.hasID && !(k.hasID && k.id == h.id) {
			continue
		}
		switch err := k.check(h.alg, token); {
		case err == nil:
			return nil
		case errors.Is(err, jwt.ErrSigMiss):
			refused = errNoneVerifies
		default:
			// The signature is valid and the library refuses the payload, which is not an
			// object; or the payload is empty and the library has not checked the signature.
			return errClaims
		}
	}
	return refused
}

// head has the relevant fields of a token's first part.
type head struct {
	alg   string
	id    string
	hasID bool
}

// tokenAlgs are the algorithms that tokens may name. A token with another name
// is malformed, which is a different error from unverifiable.
var tokenAlgs = slices.Concat([]string{"none"}, hmacAlgs, rsaAlgs, ecdsaAlgs, eddsaAlgs)

func parseHead(part []byte) (h head, refused *Error) {
	text, ok := decodePart(part)
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
	if encrypted || !slices.Contains(tokenAlgs, h.alg) {
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

// decodePart decodes one part of a token. It accepts one spelling of the bytes
// only, so that a client cannot make many tokens out of one. It therefore refuses
// line ends, which the decoder skips, and nonzero spare bits in the last character.
func decodePart(part []byte) ([]byte, bool) {
	if !isBase64URL(part) {
		return nil, false
	}
	decoded, err := strictEncoding.AppendDecode(nil, part)
	return decoded, err == nil
}

var strictEncoding = base64.RawURLEncoding.Strict()

func isBase64URL(part []byte) bool {
	for _, c := range part {
		if !base64URL[c] {
			return false
		}
	}
	return true
}

var base64URL = func() (set [256]bool) {
	for _, c := range []byte("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") {
		set[c] = true
	}
	return set
}()
