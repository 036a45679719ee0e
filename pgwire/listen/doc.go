// Package listen waits for notifications on one channel, on a connection of
// its own, for as long as its context lasts.
//
// When the connection is lost, it makes another one, with growing pauses
// between attempts. What is sent in the meantime is lost; Options.Connected is
// told when a connection is not the first, so that its owner can act as if
// there had been a notification.
package listen
