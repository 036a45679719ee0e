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
// Beside that, a configuration may be being read in any state. A wish is heard
// in every state. What it asks for begins at once, or waits for what is being
// read:
//
//	            configuration wished             catalog wished
//	starting    read at once                     load at once
//	loading     read at once                     load after this load
//	loaded      read at once                     load at once
//	retrying    read at once; load at once,      load at once
//	            if the configuration changed
//
// A configuration that is being read delays the load until it is in force,
// because the catalog depends on it. While one is being read, a second one is
// read after it.
//
// # Who does what
//
// Loop.Run is one goroutine. It puts in force what was read, through the
// World, and blocks on nothing but the end of a listener that it stops. What
// asks the database runs in goroutines beside it, which can take long and fail.
// The package knows nothing about HTTP, plans or tokens.
package life
