// Package faulttest breaks connections between the server and PostgreSQL at an
// exact position.
//
//	Proxy     forwards messages between the two
//	Tamper    changes or delays bytes
//	Cut       the position at which the connection breaks during the next flight
//	Exchange  the recorded messages
//
// The tests run the whole server against the proxy and cut every kind of write
// at every message. A client must not be told that a write succeeded if it did
// not, or that it failed if it succeeded.
package faulttest
