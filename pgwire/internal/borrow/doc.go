// Package borrow finds code that keeps borrowed bytes. The values that a Sink gets are
// valid during the call only. In builds with the race detector, as in CI, Poison
// overwrites them when the call returns. So a Sink that keeps a slice fails in the tests,
// and not from time to time in production.
package borrow
