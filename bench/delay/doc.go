// Package delay is a proxy that delays the bytes between a server and
// PostgreSQL, as if the two were on different machines.
//
//	proxy.go  connections and their bytes
//	line.go   the parcels under way, in order of delivery
//	alarm.go  a precise sleep
//
// Each byte arrives half a round trip after it was sent, in order. The
// throughput is not limited: the bound on the bytes under way, per connection
// and direction, is far above what half a round trip can hold.
package delay
