// Package borrow makes it hurt to keep borrowed bytes. What a Sink is given
// is valid during the call; in race builds, which is how the tests run in CI,
// it is garbage the moment the call returns, so that a Sink that kept a slice
// fails there and not, now and then, in production.
package borrow
