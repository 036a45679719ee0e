// Package auth turns an Authorization header into an identity.
//
//	"Bearer eyJ..." -> token -> key(s) -> signature -> claims -> times, audience -> role
//	                     \________________ cache _____________/
//
// An Authenticator is built from one configuration and never changes; its keys
// and its cache live and die together, so a token verified with a key is never
// trusted under another. A reload makes a new Authenticator, or keeps the old
// one when Serves says that nothing it depends on has changed.
//
// What is cached is the outcome of the signature check: the claims, the role
// and the times. Times and audience are judged again on every use. A hit
// allocates nothing and takes no lock another hit could wait for.
//
// Signatures are checked by github.com/pascaldekloe/jwt; before it sees a
// token, the token's head has been read here, strictly, and the keys that may
// check it have been chosen. Role paths are RFC 9535 by
// github.com/theory/jsonpath.
//
// An Identity borrows nothing from the header it was made of and may be kept.
// All errors are *Error. Every byte of a token is hostile: parts, depth and
// sizes are bounded, and whatever is wrong or unusual is refused.
package auth
