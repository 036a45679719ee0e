// Package pgwire runs statements on a PostgreSQL connection: one write and one read
// per Flight, and no allocations.
//
//	Stmt      a statement; immutable, shared by all connections
//	Flight    statements with arguments, and one Sync: one round trip
//	Conn      a connection; runs one flight at a time
//	Sharing   sends several flights on a connection as one batch
//	Merge     says how reads become one statement
//	Sink      takes the rows of a statement while they are in the read buffer; a
//	          StreamSink passes them on while the flight runs
//
// pgconn makes the connection (hosts, TLS, authentication) and pgproto3 encodes and
// decodes most messages. This package has the loop between them.
//
// # Ownership of bytes
//
// What is added to a Flight is borrowed until Run returns. Large arguments are sent
// without being copied. What a Sink gets is borrowed during the call; in race builds it
// is overwritten afterwards.
//
// # Prepared statements
//
// A connection parses a statement in the first flight that executes it, after the steps
// before it: so what those set, such as a role, is in force. Each connection keeps a
// bounded number of parsed statements (stmtcache.go).
//
// # Session state
//
// Settings, locks and temporary tables that functions make for their session outlive
// the transaction. A flight that runs such functions says so (Flight.LeavesState). The
// next flight then begins with a session reset, in the same write. If the reset fails,
// the server does not run the flight (reset.go).
//
// # Failover
//
// If a write is refused because the transaction is read-only, there is reason to ask
// whether the server still has the role that target_session_attrs asks for
// (failover.go).
//
// # Errors
//
//   - *Error: the server refused a step. It skipped the steps after it and, without
//     Begin, rolled back the steps before it. The connection can be used, except after
//     Fatal; after Begin it is in a failed transaction (Conn.Rollback).
//   - The error of a Sink: all steps were executed and committed nevertheless.
//   - *ConnError: there is no complete response. Kind tells why; Sent and Begun tell
//     how far the flight got. IsBroken tells whether the connection can still be used:
//     it can if Kind is Unsendable, Unparsed or RolledBack, and sometimes Canceled.
//
// A transaction is committed for certain only when Run has returned without an error,
// whatever a Sink has seen: deferred constraints are checked last.
package pgwire
