// Package keysets fetches key sets by URL and keeps them up to date.
//
//	Remote --> discovery --> address --> GET --> key set --> *auth.Keys, swapped atomically
//	              \____________________ one goroutine ____________________/
//
//	store.go  Store: the sets that are fetched, from start to end
//	set.go    one set: its keys, its times and its goroutine
//	fetch.go  one fetch: discovery, GET, bounds, lifetime
//
// A Store has one goroutine for each key set. Verifying a token reads the keys in force
// through auth.KeySource and never waits for the network. A set is fetched again when its
// lifetime ends. The lifetime is that of Cache-Control, within Limits. A token with an
// unknown key is a reason to fetch at once, at most once in Limits.Unknown for each set.
// Until such a fetch succeeds, the token may be valid.
//
// If a fetch fails, the last set stays in force, however old it is, and the fetch is
// repeated after growing pauses. Figures has the age of each set and its failures.
//
// Only https is used, or http on this machine. Redirects to other hosts, documents of more
// than 1 MiB and fetches of more than 10 seconds fail. Discovery is OpenID Connect
// Discovery 1.0, by github.com/coreos/go-oidc.
package keysets
