// Package servertest runs a server in the process of a test, as server.Run does for the program, and
// talks to it over unix sockets.
//
//	Launch    starts a server
//	Start     starts a server and waits until it listens
//	Server    its clients, its log, Do and Stop
//	Token     a token for it
//	Program   builds the program, for tests that run it as a process
//
// The server ends with its test, and a test that fails prints the server's log.
package servertest
