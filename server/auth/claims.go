package auth

import (
	"encoding/json"

	"github.com/fastgrest/fastgrest/parser/jsontext"
)

// A claim with the wrong type is an error of every use of the token. The result
// of each claim is kept separately, because the order of the checks decides which
// error the response has: an expiry comes before a wrong type that is checked later.

// timeClaim is a claim that holds a time.
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

// audienceError checks aud. A token may name several audiences; one without an
// audience is valid for all.
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

// skew is the tolerated difference between clocks.
const skew = 30

// verified is a token with a valid signature, as stored in the cache.
type verified struct {
	identity      Identity
	exp, nbf, iat timeClaim
	audience      *Error
	noRole        bool // neither the token nor the configuration names a role
}

// valid checks a verified token at a time in seconds.
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

// seconds converts a number to a time in seconds. Fractions and numbers that
// exceed 64 bits become 0, so a token with such an exp has expired, as in PostgREST.
func seconds(number string) int64 {
	n, _ := jsontext.ParseDecimal(number).Int64()
	return n
}
