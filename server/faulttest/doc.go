// Package faulttest breaks connections between the server and PostgreSQL at an
// exact position.
//
//	Proxy     stands between the two and passes messages on
//	Tamper    changes or delays what goes through
//	Cut       where the next flight's connection is to break
//	Exchange  what went through, message by message
//
// The tests run the whole server against the proxy and cut every kind of write
// at every message. A client must not be told that a write succeeded if it did
// not, or that it failed if it succeeded.
package faulttest
