// Package cors decides which CORS headers a response has, like wai-cors, the
// middleware of PostgREST, with PostgREST's policy.
//
//	header values -> Simple or Preflight -> headers, appended to the caller's slice
//
// Requests without an Origin header and web socket upgrades get no CORS headers.
// Otherwise, without server-cors-allowed-origins all origins are allowed, and the
// response has "*". With a list, the response to an origin in the list repeats the
// origin and allows credentials. The response to another origin has no CORS
// headers, so the browser hides it from the page.
//
// An OPTIONS request with an allowed origin is a preflight if it names a method
// that the server supports. Its response is sent before authentication and for all
// paths, has status 200, an empty body and no Content-Length, and is not logged.
// The API responds to other OPTIONS requests, without CORS headers.
//
// nil in a Request is an absent header, which differs from an empty one, as in
// fasthttp's Peek. The first of repeated headers counts. The values of headers from
// Preflight are parts of the request and of scratch. No function fails.
package cors
