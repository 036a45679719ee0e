package auth

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"net/url"
	"slices"
	"unicode/utf8"

	"github.com/pascaldekloe/jwt"

	"github.com/fastgrest/fastgrest/parser/jsontext"
)

// A KeySource has the keys of a key set that is fetched while tokens are verified. Its
// methods are called by many goroutines and never wait.
type KeySource interface {
	// Keys returns the keys in force. It is nil as long as there are none.
	Keys() *Keys

	// Unknown says that a token may be signed by a key that is not in force. It reports
	// whether the key set is being fetched for such a token, or will be, after a failure.
	Unknown() bool

	// RetryAfter returns in how many seconds there may be other keys, at least 1.
	RetryAfter() int
}

// Remote says where a key set is fetched from: URL or, if that is empty, where the
// OpenID Connect configuration of Issuer says.
type Remote struct{ URL, Issuer string }

// String returns the address that is fetched first.
func (r Remote) String() string {
	if r.URL != "" {
		return r.URL
	}
	return r.Issuer
}

// Bounds of what a provider sends. Providers have two or three keys of 2048 or 4096 bits.
// The time of each check of a signature grows with the square of the modulus.
const (
	maxSetKeys = 100
	maxKey     = 64 << 10 // bytes of JSON, with the certificates
	maxModulus = 8192     // bits
)

// ParseKeySet parses a key set that was fetched. Keys that before has, which may be nil,
// are those of before, and if nothing has changed it returns before.
//
// Keys that cannot be used are skipped: they are for other programs. So are symmetric
// keys, because with such a key each reader of the set could sign tokens. A set without
// a usable key is an error.
func ParseKeySet(text []byte, before *Keys) (*Keys, error) {
	object, ok := parseObject(text)
	members, isSet := object["keys"].([]any)
	switch {
	case !ok || !isSet:
		return nil, errors.New("it is not a JSON Web Key Set")
	case len(members) > maxSetKeys:
		return nil, fmt.Errorf("it has more than %d keys", maxSetKeys)
	}
	keys := &Keys{strict: true}
	for _, m := range members {
		member, _ := m.(map[string]any)
		k, err := issuerKey(member)
		if err != nil || len(k.algs) == 0 || member["kty"] == "oct" {
			continue
		}
		keys.list = append(keys.list, before.same(&k))
	}
	if len(keys.list) == 0 {
		return nil, errors.New("it has no usable key")
	}
	if before != nil && slices.Equal(keys.list, before.list) {
		return before, nil
	}
	return keys, nil
}

// parseIssuerKeys parses a key set of the configuration, in which a mistake is an error. A
// symmetric key must be as long as a plain secret (RFC 7518, 3.2).
func parseIssuerKeys(object map[string]any) (*Keys, error) {
	members, isSet := object["keys"].([]any)
	if !isSet {
		return nil, errors.New("keys must be an array")
	}
	keys := &Keys{strict: true}
	for i, m := range members {
		member, ok := m.(map[string]any)
		if !ok {
			return nil, fmt.Errorf("key %d is not an object", i+1)
		}
		k, err := issuerKey(member)
		if err != nil {
			return nil, fmt.Errorf("key %d: %w", i+1, err)
		}
		if secret, _ := bytesOf(member, "k"); member["kty"] == "oct" && len(k.algs) > 0 && len(secret) < minSecret {
			return nil, fmt.Errorf("key %d: k must have at least %d bytes", i+1, minSecret)
		}
		keys.list = append(keys.list, &k)
	}
	if !slices.ContainsFunc(keys.list, func(k *key) bool { return len(k.algs) > 0 }) {
		return nil, errors.New("there is no usable key")
	}
	return keys, nil
}

// issuerKey parses a key of an issuer. A key with key_ops is used if it is for checking
// signatures (RFC 7517, 4.3), and an EC key for the algorithm of its curve only (RFC 7518, 3.4).
func issuerKey(member map[string]any) (key, error) {
	k, err := parseKey(member, issuerAlgs)
	if err != nil || len(k.algs) == 0 {
		return k, err
	}
	switch member["kty"] {
	case "EC":
		i := slices.Index([]any{"P-256", "P-384", "P-521"}, member["crv"])
		k.algs = slices.DeleteFunc(slices.Clone(k.algs), func(alg string) bool { return alg != ecdsaAlgs[i] })
		k.check = ofLength([]int{64, 96, 132}[i], k.check)
	case "RSA":
		err = checkRSA(member)
	}
	if ops := member["key_ops"]; ops != nil {
		if list, _ := ops.([]any); !slices.Contains(list, any("verify")) {
			k.algs = nil
		}
	}
	if k.text = string(jsontext.AppendValue(nil, member)); len(k.text) > maxKey {
		err = fmt.Errorf("it is longer than %d bytes", maxKey)
	}
	return k, err
}

// ofLength checks signatures of one length (RFC 7518, 3.4). The library accepts zeros before
// the two numbers, with which a client could make many tokens out of one.
func ofLength(size int, check func(alg string, token []byte) error) func(string, []byte) error {
	return func(alg string, token []byte) error {
		if signature := token[bytes.LastIndexByte(token, '.')+1:]; strictEncoding.DecodedLen(len(signature)) != size {
			return jwt.ErrSigMiss
		}
		return check(alg, token)
	}
}

// checkRSA refuses RSA keys that can verify nothing, or take too long. rsaKey has accepted
// the key.
func checkRSA(member map[string]any) error {
	n, _ := bytesOf(member, "n")
	e, _ := bytesOf(member, "e")
	switch {
	case len(bytes.TrimLeft(n, "\x00")) > maxModulus/8:
		return fmt.Errorf("RSA key: n has more than %d bits", maxModulus)
	case n[len(n)-1]&1 == 0 || e[len(e)-1]&1 == 0:
		return errors.New("RSA key: n or e is even")
	}
	return nil
}

// same returns the key of keys that has the text of k, else k.
func (keys *Keys) same(k *key) *key {
	if keys != nil {
		for _, old := range keys.list {
			if old.text == k.text {
				return old
			}
		}
	}
	return k
}

// Len returns the number of keys.
func (keys *Keys) Len() int { return len(keys.list) }

// ParseKeySetURL parses the address of a key set: https, or http on this machine.
func ParseKeySetURL(text string) (*url.URL, error) {
	u, err := url.Parse(text)
	switch {
	case err != nil || !utf8.ValidString(text) || u.Hostname() == "" || u.User != nil || u.Fragment != "":
		return nil, errors.New("it must be a URL with a host, and without a user and a fragment")
	case u.Scheme == "https", u.Scheme == "http" && isLoopback(u.Hostname()):
		return u, nil
	}
	return nil, errors.New("it must be a URL with https, or with http and a loopback address")
}

func isLoopback(host string) bool {
	return host == "localhost" || net.ParseIP(host).IsLoopback()
}
