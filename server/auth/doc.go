// Package auth turns an Authorization header into an identity.
//
//	"Bearer eyJ..." -> token -> key(s) -> signature -> claims -> times, audience -> role
//	                     \________________ cache _____________/
//
//	auth.go       Authenticator: from a header to an Identity
//	authority.go  what verifies a token: keys, and rules for its claims
//	issuer.go     jwt-issuers
//	token.go      the form of a token, and its signature
//	keys.go       JSON Web Keys, and the jwt-secret
//	keyset.go     key sets that are fetched, and keys of issuers
//	claims.go     times and audience
//	path.go       the path of the role; legacy.go, canonical.go
//	cache.go      verified tokens
//	json.go       JSON of tokens and keys, read in one way only
//	error.go      why a request has no identity
//
// Two kinds of authorities verify tokens: the jwt-secret, and the issuers of
// jwt-issuers. The iss claim selects an issuer before it is verified, and then only
// keys of that issuer count. The algorithm has to be one of the key's.
//
// An Authenticator is built from one configuration. The keys of the configuration never
// change, and the cache belongs to them. Keys that are fetched come from a KeySource,
// one immutable set after the other. A cached token counts as long as the key that has
// verified it is in the set in force, so a token verified with one key is never trusted
// under another. A reload makes a new Authenticator, unless Serves reports that the old
// one is equivalent.
//
// The cache stores the result of the signature check: claims, role, times and key.
// Times and audience are checked on every use. A hit allocates nothing and takes
// no lock that another hit could hold.
//
// github.com/pascaldekloe/jwt checks signatures. Before it gets a token, this
// package has parsed the token's header strictly and selected the keys. Role
// paths are RFC 9535, by github.com/theory/jsonpath.
//
// An Identity does not refer to the header it was made from and may be kept. All
// errors are *Error. Every byte of a token is hostile: the number of parts, depth
// and sizes are bounded, and unusual forms are refused.
package auth
