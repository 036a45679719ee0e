// Package socket reads and writes plain sockets at less cost than package net.
//
//	socket.go    Socket
//	attempt.go   one attempt to read or to write
//	raw_linux.go the system calls
//	call_unix.go the same by package syscall, which tells Go's scheduler
//	other.go     systems without any of this
//
// # Why
//
// Package net tells Go's scheduler about each system call. Then the scheduler's monitor
// wakes up, every 20 µs at first, because it may have to give the processor of the thread
// to another one. But a call on a socket of package net never waits: the socket is
// non-blocking, and Go waits in its poller. So the scheduler is not told here. On a machine
// that is not busy this saves a third of the CPU time of a request
// (cmd/fastgrest/manual/decisions/014-system-calls.md).
//
// # Memory
//
// A Socket is made once for a connection. Its calls allocate nothing.
package socket
