package auth

import (
	"errors"

	"github.com/pascaldekloe/jwt"
)

// Sign makes an HS256 token of a JSON object of claims: for demonstrations and
// tests. An exp claim, if there is to be one, is the caller's.
func Sign(claims, secret []byte) ([]byte, error) {
	object, ok := parseObject(claims)
	if !ok {
		return nil, errors.New("the claims are not a JSON object")
	}
	c := jwt.Claims{Set: object}
	return c.HMACSign(jwt.HS256, secret)
}
