// Package load is an HTTP load generator with a low CPU cost, because it runs
// on the machine of the server that it measures.
//
//	load.go     the closed loop: each of N keep-alive connections sends a
//	            request, reads the whole answer and sends the next
//	open.go     the open loop: requests at a constant rate, by vegeta
//	idle.go     connections on which nothing happens
//	request.go  requests are bytes made ahead, with a number drawn for each
//	            one patched in
//	answer.go   answers are read just far enough to know where they end
//
// A run is limited in time and connections, and to loopback addresses.
package load
