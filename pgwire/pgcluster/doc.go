// Package pgcluster runs a private PostgreSQL in a folder. The demo, the
// benchmarks and the tests use it, so none of them needs a database to be set up.
//
//	Find      finds the server programs on this machine
//	Start     runs initdb, configures and starts postgres, and waits for it
//	Cluster   a running server: its address, SQL to set it up, Stop
//
// Guarantees:
//
//   - The folder is marked and locked. Start clears it unless the caller keeps
//     it, and Stop removes it. A folder with other files in it is an error.
//   - PostgreSQL does not run as root. For root, the programs run as the account
//     "postgres" or "nobody", which owns the folder.
//   - No server is left running. Stop ends it. On Linux it also ends when our
//     process dies. The next Start in the same folder removes what a crash left.
//   - Durability is off (fsync and others), because the data can be made again.
//
// Errors are of type *Error: what failed, the last line of the program that
// failed, and possibly a hint.
package pgcluster
