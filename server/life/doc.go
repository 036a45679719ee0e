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
// While a configuration is being read, a load waits until it is in force, because
// the catalog depends on it; a second wish for the configuration has it read once
// more after that. Loading a catalog reads the configuration first where the
// database keeps settings, unless the loop has just read it for the same wishes,
// as for SIGHUP.
//
// # Who does what
//
// Loop.Run is one goroutine. It has a World read, and calls Install of the Config
// or Catalog that comes back. Install is quick and runs in the loop. Reading can
// take long and fail. It runs in goroutines beside the loop, so that the loop hears
// every wish at once. The loop blocks only while a listener that it stops ends.
//
// The package knows nothing about HTTP, plans or tokens.
package life
