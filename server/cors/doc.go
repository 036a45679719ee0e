// Package cors decides which CORS headers an answer carries, as PostgREST's
// middleware does (the Haskell package wai-cors with the policy PostgREST gives
// it). It is pure: header values in, headers appended to the caller's slice.
//
// Without an Origin header, and for requests that upgrade to a web socket,
// there is nothing to say. Otherwise, with server-cors-allowed-origins unset
// any origin is welcome and is told "*"; with a list, an origin in it is
// repeated and may send credentials, and one that is not gets no CORS header
// at all, but is answered all the same: keeping the answer from the page is the
// browser's part.
//
// OPTIONS with an allowed origin is a preflight if it names a method we serve.
// It is answered here, with status 200 and an empty body of unsaid length,
// before authentication and whatever the path; it is not logged. Any other
// OPTIONS goes on to the API without CORS headers.
//
// In a Request nil means that the header is absent, which is not the same as
// empty; fasthttp's Peek keeps the two apart. Of repeated headers the first counts. Headers
// returned by Preflight borrow from the request and from scratch.
package cors
