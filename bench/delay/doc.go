// Package delay stands between a server and PostgreSQL and makes the way
// longer, as if the two were on different machines.
//
//	proxy.go  connections and the bytes that go through them
//	line.go   the clock: what is due when
//	alarm.go  waking up in time
//
// Each byte arrives half a round trip after it was sent, in order. Nothing
// else is slower: any number of bytes may be under way, up to a bound per
// connection and direction that is far above what half a round trip can hold.
package delay
