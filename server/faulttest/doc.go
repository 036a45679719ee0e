// Package faulttest breaks connections between a server and PostgreSQL on
// purpose, at exactly the place a test asks for.
//
//	Proxy     stands between the two and passes messages on
//	Tamper    changes or delays what goes through
//	Cut       where the next flight's connection is to break
//	Exchange  what went through, message by message
//
// The tests of this package run the whole server against the proxy and cut
// every kind of write at every message: no client may be told that a write
// succeeded that did not, and none may be told that it failed when it did not.
package faulttest
