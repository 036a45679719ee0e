package auth

import "strconv"

// Kind says why a request has no identity.
type Kind uint8

const (
	SecretMissing Kind = iota // the request has a token, and no secret is configured

	// The token cannot be parsed or verified.
	EmptyToken
	WrongParts
	NoKey // no key matches, or no matching key verifies the token; see Details
	BadAlgorithm
	BadCrypto // the token is malformed

	// The request has no token, and no anonymous role is configured.
	TokenRequired

	// The signature is valid, and a claim refuses the token.
	ClaimsUnreadable
	Expired
	NotYetValid
	IssuedInFuture
	WrongAudience
	ExpNotNumber
	NbfNotNumber
	IatNotNumber
	AudNotText
)

// Group is the family a Kind belongs to; PostgREST has one code for each.
type Group uint8

const (
	GroupSecret   Group = iota // PGRST300
	GroupDecode                // PGRST301
	GroupRequired              // PGRST302
	GroupClaims                // PGRST303
)

// Group returns the group of a kind.
func (k Kind) Group() Group {
	switch {
	case k == SecretMissing:
		return GroupSecret
	case k < TokenRequired:
		return GroupDecode
	case k == TokenRequired:
		return GroupRequired
	default:
		return GroupClaims
	}
}

var messages = [...]string{
	SecretMissing:    "Server lacks JWT secret",
	EmptyToken:       "Empty JWT is sent in Authorization header",
	WrongParts:       "Expected 3 parts in JWT; got ",
	NoKey:            "No suitable key or wrong key type",
	BadAlgorithm:     "Wrong or unsupported encoding algorithm",
	BadCrypto:        "JWT cryptographic operation failed",
	TokenRequired:    "Anonymous access is disabled",
	ClaimsUnreadable: "Parsing claims failed",
	Expired:          "JWT expired",
	NotYetValid:      "JWT not yet valid",
	IssuedInFuture:   "JWT issued at future",
	WrongAudience:    "JWT not in audience",
	ExpNotNumber:     "The JWT 'exp' claim must be a number",
	NbfNotNumber:     "The JWT 'nbf' claim must be a number",
	IatNotNumber:     "The JWT 'iat' claim must be a number",
	AudNotText:       "The JWT 'aud' claim must be a string or an array of strings",
}

// Error tells why a request has no identity. Errors are shared between
// requests and must not be changed.
type Error struct {
	Kind    Kind
	Message string
	Details string // may be empty
}

func (e *Error) Error() string {
	if e.Details != "" {
		return e.Message + ": " + e.Details
	}
	return e.Message
}

// Challenge returns the value of the WWW-Authenticate header. It is "" for a
// server without a secret, which accepts no token.
func (e *Error) Challenge() string {
	switch e.Kind.Group() {
	case GroupSecret:
		return ""
	case GroupRequired:
		return "Bearer"
	default:
		return `Bearer error="invalid_token", error_description="` + e.Message + `"`
	}
}

// Errors without variable parts are allocated once.
var (
	errSecretMissing = refusal(SecretMissing, "")
	errEmptyToken    = refusal(EmptyToken, "")
	errNoneFits      = refusal(NoKey, "No suitable key was found to decode the JWT")
	errNoneVerifies  = refusal(NoKey, "None of the keys was able to decode the JWT")
	errUnsecured     = refusal(BadAlgorithm, "JWT is unsecured but expected 'alg' was not 'none'")
	errMalformed     = refusal(BadCrypto, "")
	errRequired      = refusal(TokenRequired, "")
	errClaims        = refusal(ClaimsUnreadable, "")
	errExpired       = refusal(Expired, "")
	errNotYet        = refusal(NotYetValid, "")
	errFuture        = refusal(IssuedInFuture, "")
	errAudience      = refusal(WrongAudience, "")
	errExpNumber     = refusal(ExpNotNumber, "")
	errNbfNumber     = refusal(NbfNotNumber, "")
	errIatNumber     = refusal(IatNotNumber, "")
	errAudText       = refusal(AudNotText, "")
)

func refusal(k Kind, details string) *Error {
	return &Error{Kind: k, Message: messages[k], Details: details}
}

func wrongParts(n int) *Error {
	return &Error{Kind: WrongParts, Message: messages[WrongParts] + strconv.Itoa(n)}
}
