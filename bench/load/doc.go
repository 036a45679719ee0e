// Package load is an HTTP load generator that costs little itself, because it
// shares the machine with what it measures.
//
//	load.go     the closed loop: each of N keep-alive connections sends a
//	            request, reads the whole answer and sends the next
//	open.go     the open loop: requests at a constant rate, by vegeta
//	idle.go     connections on which nothing happens
//	request.go  requests are bytes made ahead, with a number drawn for each
//	            one patched in
//	answer.go   answers are read just far enough to know where they end
//
// A run is bounded in time and connections, and goes to loopback addresses only.
package load
