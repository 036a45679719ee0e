// Package listen waits for notifications on one channel, on a separate connection, until
// its context ends.
//
// When the connection is lost, it makes another one, with growing pauses between
// attempts. Notifications that are sent in the meantime are lost. Session.Again tells
// Options.Connected that this is a later connection, so that it can act as if there had
// been a notification.
package listen
