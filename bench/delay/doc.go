// Package delay is a proxy that delays the bytes between a server and
// PostgreSQL, as if the two were on different machines.
//
//	proxy.go  connections and the bytes that go through them
//	line.go   the clock: what is due when
//	alarm.go  waking up in time
//
// Each byte arrives half a round trip after it was sent, in order. The
// throughput is not limited: the bound on the bytes under way, per connection
// and direction, is far above what half a round trip can hold.
package delay
