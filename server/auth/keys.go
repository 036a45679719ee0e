package auth

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"encoding/base64"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strings"

	"github.com/pascaldekloe/jwt"
)

// Keys are the keys of one jwt-secret or of one issuer. They never change.
type Keys struct {
	list []*key

	// strict has tokens checked as RFC 7515, 7518 and 7519 say, and not as PostgREST does
	// it: PS256 and its like are accepted, critical extensions are refused, and times may
	// have fractions.
	strict bool
}

// key checks signatures. It applies to a token if their algorithms match and,
// where the token names a key, the names are equal.
type key struct {
	id    string
	hasID bool
	algs  []string // the algorithms it may be used with; empty: the key is never used
	text  string   // the JSON Web Key, if it is one of a set that may change
	check func(alg string, token []byte) error
}

// minSecret is the minimum length for HS256, in bytes.
const minSecret = 32

// ParseKeys parses a secret: a JSON Web Key, a set of them, or otherwise a plain
// secret for HS256.
//
// PostgREST treats a malformed JSON Web Key as a plain secret, and so accepts
// tokens signed with a public text. Here it is an error. Keys of unsupported
// types are skipped, as in PostgREST, because other programs may use the set too.
func ParseKeys(secret []byte) (*Keys, error) {
	if object, ok := parseObject(secret); ok {
		return parseKeySet(object)
	}
	if len(secret) < minSecret {
		return nil, errors.New("The JWT secret must be at least 32 characters long.")
	}
	k, err := hmacKey(secret, []string{jwt.HS256})
	if err != nil {
		return nil, err
	}
	return &Keys{list: []*key{&k}}, nil
}

func parseKeySet(object map[string]any) (*Keys, error) {
	members, isSet := object["keys"].([]any)
	if !isSet {
		members = []any{object}
	}
	keys := &Keys{list: []*key{}}
	for i, m := range members {
		member, ok := m.(map[string]any)
		if !ok {
			return nil, fmt.Errorf("The JWT secret is not a usable JSON Web Key Set: key %d is not an object", i+1)
		}
		k, err := parseKey(member, postgrestAlgs)
		if err != nil {
			return nil, fmt.Errorf("The JWT secret is not a usable JSON Web Key: %w", err)
		}
		keys.list = append(keys.list, &k)
	}
	return keys, nil
}

var (
	hmacAlgs  = []string{jwt.HS256, jwt.HS384, jwt.HS512}
	rsaAlgs   = []string{jwt.RS256, jwt.RS384, jwt.RS512}
	pssAlgs   = []string{jwt.PS256, jwt.PS384, jwt.PS512}
	ecdsaAlgs = []string{jwt.ES256, jwt.ES384, jwt.ES512}
	eddsaAlgs = []string{jwt.EdDSA}
)

// The algorithms of each type of key: those that PostgREST supports, and those of the
// keys of issuers.
var (
	postgrestAlgs = map[string][]string{"oct": hmacAlgs, "RSA": rsaAlgs, "EC": ecdsaAlgs, "OKP": eddsaAlgs}
	issuerAlgs    = map[string][]string{"oct": hmacAlgs, "RSA": slices.Concat(rsaAlgs, pssAlgs), "EC": ecdsaAlgs, "OKP": eddsaAlgs}
)

func parseKey(object map[string]any, algsOfType map[string][]string) (key, error) {
	kty, _ := object["kty"].(string)
	parse, known := map[string]func(map[string]any, []string) (key, error){
		"oct": octKey, "RSA": rsaKey, "EC": ecKey, "OKP": okpKey,
	}[kty]
	algs, usable := algsOf(object, algsOfType[kty])
	if !known || !usable {
		return key{}, nil
	}
	k, err := parse(object, algs)
	if err != nil {
		return key{}, fmt.Errorf("%s key: %w", kty, err)
	}
	switch use := object["use"].(type) {
	case nil:
	case string:
		if use == "enc" {
			k.algs = nil
		} else if use != "sig" {
			return key{}, fmt.Errorf("%s key: 'use' must be either 'sig' or 'enc'", kty)
		}
	default:
		return key{}, fmt.Errorf("%s key: 'use' must be a text", kty)
	}
	switch id := object["kid"].(type) {
	case nil:
	case string:
		k.id, k.hasID = id, true
	default:
		return key{}, fmt.Errorf("%s key: 'kid' must be a text", kty)
	}
	return k, nil
}

// algsOf narrows the algorithms of a type to the one the key names. If that is
// not a signature algorithm of the type, the key is never used.
func algsOf(object map[string]any, all []string) (algs []string, usable bool) {
	named := object["alg"]
	if named == nil {
		return all, true
	}
	for i := range all {
		if named == all[i] {
			return all[i : i+1], true
		}
	}
	return nil, false
}

func hmacKey(secret []byte, algs []string) (key, error) {
	checks := map[string]*jwt.HMAC{}
	for _, alg := range algs {
		h, err := jwt.NewHMAC(alg, secret)
		if err != nil {
			return key{}, err
		}
		checks[alg] = h
	}
	return key{algs: algs, check: func(alg string, token []byte) error {
		_, err := checks[alg].Check(token)
		return err
	}}, nil
}

func octKey(object map[string]any, algs []string) (key, error) {
	secret, err := bytesOf(object, "k")
	if err != nil {
		return key{}, err
	}
	if len(secret) == 0 {
		return key{}, errors.New("k is empty")
	}
	return hmacKey(secret, algs)
}

func rsaKey(object map[string]any, algs []string) (key, error) {
	n, err := bytesOf(object, "n")
	if err != nil {
		return key{}, err
	}
	e, err := bytesOf(object, "e")
	if err != nil {
		return key{}, err
	}
	exponent := new(big.Int).SetBytes(e)
	if !exponent.IsInt64() || exponent.Int64() < 2 || exponent.Int64() > 1<<31-1 {
		return key{}, errors.New("e is out of range")
	}
	public := &rsa.PublicKey{N: new(big.Int).SetBytes(n), E: int(exponent.Int64())}
	if public.N.BitLen() < 1024 {
		return key{}, errors.New("n has less than 1024 bits")
	}
	return key{algs: algs, check: func(_ string, token []byte) error {
		_, err := jwt.RSACheck(token, public)
		return err
	}}, nil
}

func ecKey(object map[string]any, algs []string) (key, error) {
	name, _ := object["crv"].(string)
	var curve elliptic.Curve
	switch name {
	case "P-256":
		curve = elliptic.P256()
	case "P-384":
		curve = elliptic.P384()
	case "P-521":
		curve = elliptic.P521()
	case "":
		return key{}, errors.New("crv is required")
	default:
		return key{}, nil
	}
	x, err := bytesOf(object, "x")
	if err != nil {
		return key{}, err
	}
	y, err := bytesOf(object, "y")
	if err != nil {
		return key{}, err
	}
	size := (curve.Params().BitSize + 7) / 8
	point := make([]byte, 1+2*size)
	point[0] = 4 // uncompressed
	if !fill(point[1:1+size], x) || !fill(point[1+size:], y) {
		return key{}, errors.New("x or y is too long")
	}
	public, err := ecdsa.ParseUncompressedPublicKey(curve, point)
	if err != nil {
		return key{}, fmt.Errorf("x and y are not on curve %s", name)
	}
	return key{algs: algs, check: func(_ string, token []byte) error {
		_, err := jwt.ECDSACheck(token, public)
		return err
	}}, nil
}

// fill copies a number right-aligned into its field.
func fill(place, number []byte) bool {
	for len(number) > len(place) && number[0] == 0 {
		number = number[1:]
	}
	if len(number) > len(place) {
		return false
	}
	copy(place[len(place)-len(number):], number)
	return true
}

// okpKey supports Ed25519. Go has no Ed448, so such a key is never used.
func okpKey(object map[string]any, algs []string) (key, error) {
	name, _ := object["crv"].(string)
	if name == "" {
		return key{}, errors.New("crv is required")
	}
	x, err := bytesOf(object, "x")
	if err != nil {
		return key{}, err
	}
	if name != "Ed25519" {
		return key{}, nil
	}
	if len(x) != ed25519.PublicKeySize {
		return key{}, errors.New("x has the wrong length")
	}
	public := ed25519.PublicKey(x)
	return key{algs: algs, check: func(_ string, token []byte) error {
		_, err := jwt.EdDSACheck(token, public)
		return err
	}}, nil
}

func bytesOf(object map[string]any, name string) ([]byte, error) {
	text, ok := object[name].(string)
	if !ok {
		return nil, errors.New(name + " is required")
	}
	decoded, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil || strings.ContainsAny(text, "\r\n") { // which the decoder skips
		return nil, errors.New(name + " is not base64url")
	}
	return decoded, nil
}
