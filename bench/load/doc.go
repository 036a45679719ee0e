// Package load is a closed-loop HTTP load generator that costs little itself,
// because it shares the machine with what it measures.
//
// Each of N keep-alive connections sends a request, reads the whole answer and
// sends the next. Requests are bytes made ahead, with a number drawn for each
// one patched in; answers are read just far enough to know where they end.
// A run is bounded in time and connections, and goes to loopback addresses only.
package load
