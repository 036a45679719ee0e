package auth

import (
	"encoding/json"

	"github.com/fastgrest/fastgrest/parser/jsontext"
)

// A claim that must be a number, or text, and is not, is an error of every use
// of the token, but a later one than an expiry before it: the order of the
// checks is part of the answer. So each claim's finding is kept apart.

// timeClaim is a claim that is a time.
type timeClaim struct {
	present   bool
	notNumber bool
	at        int64
}

func timeOf(claims map[string]any, name string) timeClaim {
	switch v := claims[name].(type) {
	case nil:
		return timeClaim{}
	case json.Number:
		return timeClaim{present: true, at: seconds(string(v))}
	default:
		return timeClaim{present: true, notNumber: true}
	}
}

// audienceError judges aud. A token may name no audience, or name several; it
// is for everybody if it names none.
func audienceError(claims map[string]any, wanted string) *Error {
	matches := func(name string) bool { return wanted == "" || name == wanted }
	switch v := claims["aud"].(type) {
	case nil:
		return nil
	case string:
		if !matches(v) {
			return errAudience
		}
		return nil
	case []any:
		found := len(v) == 0
		for _, item := range v {
			name, ok := item.(string)
			if !ok {
				return errAudText
			}
			found = found || matches(name)
		}
		if !found {
			return errAudience
		}
		return nil
	default:
		return errAudText
	}
}

// skew is how far clocks may be apart.
const skew = 30

// verified is a token whose signature stands: what a cache may keep.
type verified struct {
	identity      Identity
	exp, nbf, iat timeClaim
	audience      *Error
	noRole        bool // the token names no role and there is none for the anonymous
}

// valid judges a verified token at a time, in seconds.
func (v *verified) valid(now int64) *Error {
	switch {
	case v.exp.notNumber:
		return errExpNumber
	case v.exp.present && now-skew > v.exp.at:
		return errExpired
	case v.nbf.notNumber:
		return errNbfNumber
	case v.nbf.present && now+skew < v.nbf.at:
		return errNotYet
	case v.iat.notNumber:
		return errIatNumber
	case v.iat.present && now+skew < v.iat.at:
		return errFuture
	case v.audience != nil:
		return v.audience
	case v.noRole:
		return errRequired
	}
	return nil
}

// seconds is a number as a time in seconds. Numbers that are not whole or exceed
// 64 bits are 0, so a token with such an exp has expired, as in PostgREST.
func seconds(number string) int64 {
	n, _ := jsontext.ParseDecimal(number).Int64()
	return n
}
