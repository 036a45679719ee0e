// Package load is an HTTP load generator with a low CPU cost, because it runs
// on the machine of the server that it measures.
//
//	load.go     the closed loop: each of N keep-alive connections sends a
//	            request, reads the whole response and sends the next
//	open.go     the open loop: requests at a constant rate, by vegeta
//	idle.go     idle connections
//	request.go  requests, rendered in advance except for the drawn values
//	answer.go   responses, parsed only as far as their framing needs
//
// A run is limited in time and connections, and to loopback addresses.
package load
