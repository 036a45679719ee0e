// Package life is the loop that changes what a running server has in force:
// the configuration, the schema cache (catalog) and the listener.
//
// # Wishes
//
// A Wish asks for a reload. Signals, notifications, polls, the connection pool
// and requests that suspect an outdated catalog ask with Wishes.Ask, from any
// goroutine and without waiting. Wishes of one kind that wait are one wish.
//
// # States
//
// The catalog is in one of these states:
//
//	starting   the first load waits for the listener, at most listenPatience
//	loading    a catalog is being read
//	loaded     the last catalog that was read is in force
//	retrying   the last load failed, and the next one is planned
//	stopping   the process ends: nothing more is read or put in force
//
// A configuration can be read in each of these states, except the last one. What
// a wish asks for begins at once, or waits for what is being read:
//
//	            configuration wished             catalog wished
//	starting    read at once                     load at once
//	loading     read at once                     load after this load
//	loaded      read at once                     load at once
//	retrying    read at once; load at once,      load at once
//	            if the configuration changed
//
// While a configuration is being read, a load waits until the configuration is in
// force, because the catalog depends on it. After a second wish for the configuration
// it is read once more. If the database keeps settings, loading a catalog reads the
// configuration first, unless the loop has just read it for the same wishes, as for
// SIGHUP.
//
// # Who does what
//
// Loop.Run is one goroutine. It tells a World to read, and calls Install of the
// Config or Catalog that comes back. Install is quick and runs in the loop. Reading
// can take long and can fail. So it runs in goroutines beside the loop, and the loop
// receives every wish at once. The loop blocks only when it stops a listener, until
// the listener has ended.
//
// The package knows nothing about HTTP, plans or tokens.
package life
