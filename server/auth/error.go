package auth

import "strconv"

// Kind says why a request has no identity.
type Kind uint8

const (
	SecretMissing Kind = iota // the request has a token, and no secret is configured

	// KeysMissing: the keys that might verify the token are not known, or not yet. The
	// token may be valid.
	KeysMissing

	// The token cannot be parsed or verified.
	EmptyToken
	WrongParts
	NoKey // no key matches, or no matching key verifies the token; see Details
	BadAlgorithm
	BadCrypto // the token is malformed
	NoIssuer  // the token names no issuer, or not as a text
	UnknownIssuer

	// The request has no token, and no anonymous role is configured.
	TokenRequired

	// The signature is valid, and a claim refuses the token.
	ClaimsUnreadable
	Expired
	NotYetValid
	IssuedInFuture
	WrongAudience
	NoAudience
	ExpNotNumber
	NbfNotNumber
	IatNotNumber
	AudNotText
	RoleRefused // the issuer may not name the role
)

// Group is the family a Kind belongs to; PostgREST has one code for each.
type Group uint8

const (
	GroupSecret   Group = iota // PGRST300
	GroupKeys                  // PostgREST has no such code
	GroupDecode                // PGRST301
	GroupRequired              // PGRST302
	GroupClaims                // PGRST303
)

// Group returns the group of a kind.
func (k Kind) Group() Group {
	switch {
	case k == SecretMissing:
		return GroupSecret
	case k == KeysMissing:
		return GroupKeys
	case k < TokenRequired:
		return GroupDecode
	case k == TokenRequired:
		return GroupRequired
	default:
		return GroupClaims
	}
}

// Error tells why a request has no identity. Errors are shared between
// requests and must not be changed.
type Error struct {
	Kind    Kind
	Message string
	Details string // may be empty

	RetryAfter int // seconds until the keys are fetched again, of KeysMissing
}

func (e *Error) Error() string {
	if e.Details != "" {
		return e.Message + ": " + e.Details
	}
	return e.Message
}

// Challenge returns the value of the WWW-Authenticate header. It is "" for a
// server without a secret, which accepts no token, and if the keys are missing.
func (e *Error) Challenge() string {
	switch e.Kind.Group() {
	case GroupSecret, GroupKeys:
		return ""
	case GroupRequired:
		return "Bearer"
	default:
		return `Bearer error="invalid_token", error_description="` + e.Message + `"`
	}
}

// Errors without variable parts are allocated once.
var (
	errSecretMissing = refusal(SecretMissing, "Server lacks JWT secret", "")
	errEmptyToken    = refusal(EmptyToken, "Empty JWT is sent in Authorization header", "")
	errNoneFits      = refusal(NoKey, "No suitable key or wrong key type", "No suitable key was found to decode the JWT")
	errNoneVerifies  = refusal(NoKey, "No suitable key or wrong key type", "None of the keys was able to decode the JWT")
	errUnsecured     = refusal(BadAlgorithm, "Wrong or unsupported encoding algorithm", "JWT is unsecured but expected 'alg' was not 'none'")
	errMalformed     = refusal(BadCrypto, "JWT cryptographic operation failed", "")
	errCrit          = refusal(BadCrypto, "JWT has critical extensions", "")
	errNoIssuer      = refusal(NoIssuer, "JWT has no issuer", "")
	errIssText       = refusal(NoIssuer, "The JWT 'iss' claim must be a string", "")
	errIssuer        = refusal(UnknownIssuer, "JWT issuer is unknown", "")
	errRole          = refusal(RoleRefused, "JWT role is not allowed for its issuer", "")
	errRequired      = refusal(TokenRequired, "Anonymous access is disabled", "")
	errClaims        = refusal(ClaimsUnreadable, "Parsing claims failed", "")
	errExpired       = refusal(Expired, "JWT expired", "")
	errNotYet        = refusal(NotYetValid, "JWT not yet valid", "")
	errFuture        = refusal(IssuedInFuture, "JWT issued at future", "")
	errAudience      = refusal(WrongAudience, "JWT not in audience", "")
	errNoAudience    = refusal(NoAudience, "JWT has no audience", "")
	errExpNumber     = refusal(ExpNotNumber, "The JWT 'exp' claim must be a number", "")
	errNbfNumber     = refusal(NbfNotNumber, "The JWT 'nbf' claim must be a number", "")
	errIatNumber     = refusal(IatNotNumber, "The JWT 'iat' claim must be a number", "")
	errAudText       = refusal(AudNotText, "The JWT 'aud' claim must be a string or an array of strings", "")
)

func refusal(k Kind, message, details string) *Error {
	return &Error{Kind: k, Message: message, Details: details}
}

// keysMissing is the error of a token whose issuer's keys are not there.
func keysMissing(details string, retryAfter int) *Error {
	e := refusal(KeysMissing, "The keys that verify the JWT are not available", details)
	e.RetryAfter = retryAfter
	return e
}

func wrongParts(n int) *Error {
	return refusal(WrongParts, "Expected 3 parts in JWT; got "+strconv.Itoa(n), "")
}
