package auth

import (
	"encoding/json"
	"math"
	"slices"
	"strconv"

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

// timeOf reads a claim. strict is that of Keys.
func timeOf(claims map[string]any, name string, strict bool) timeClaim {
	switch v := claims[name].(type) {
	case nil:
		return timeClaim{}
	case json.Number:
		if strict {
			return timeClaim{present: true, at: wholeSeconds(string(v))}
		}
		return timeClaim{present: true, at: seconds(string(v))}
	default:
		return timeClaim{present: true, notNumber: true}
	}
}

// audienceError checks aud. A token may name several audiences, one of which must be
// among the accepted ones; without accepted ones, any will do. A token without an
// audience is valid for all, unless it is required.
func audienceError(claims map[string]any, accepted []string, required bool) *Error {
	matches := func(name string) bool { return len(accepted) == 0 || slices.Contains(accepted, name) }
	switch v := claims["aud"].(type) {
	case nil:
		if required {
			return errNoAudience
		}
		return nil
	case string:
		if !matches(v) {
			return errAudience
		}
		return nil
	case []any:
		if len(v) == 0 && required {
			return errNoAudience
		}
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

// verified is a token with a valid signature, as stored in the cache.
type verified struct {
	identity      Identity
	exp, nbf, iat timeClaim
	audience      *Error
	noRole        bool   // neither the token nor the configuration names a role
	role          *Error // the role is not one that the issuer may name

	source KeySource // nil: the keys never change
	by     *key      // of source
}

// current reports whether the key that has verified the token still counts.
func (v *verified) current() bool {
	if v.source == nil { // fast path
		return true
	}
	keys := v.source.Keys()
	return keys != nil && slices.Contains(keys.list, v.by)
}

// valid checks a verified token at a time in seconds. Clocks may differ by skew
// seconds.
func (v *verified) valid(now, skew int64) *Error {
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
	case v.role != nil:
		return v.role
	}
	return nil
}

// seconds converts a number to a time in seconds. Fractions and numbers that
// exceed 64 bits become 0, so a token with such an exp has expired, as in PostgREST.
func seconds(number string) int64 {
	n, _ := jsontext.ParseDecimal(number).Int64()
	return n
}

// wholeSeconds cuts off fractions, which RFC 7519 permits, and the largest times.
func wholeSeconds(number string) int64 {
	const longest = 1 << 62 // so that adding the skew cannot overflow
	n, _ := strconv.ParseFloat(number, 64)
	return int64(max(min(math.Floor(n), longest), -longest))
}
