// Package pgwire runs statements on a PostgreSQL connection with as little
// as the protocol allows: one write and one read per Flight, and no
// allocations.
//
//	Stmt      what to run; immutable, shared
//	Flight    some statements with arguments, and one Sync: one round trip
//	Conn      runs flights, one at a time
//	Sink      takes the rows of a statement while they lie in the wire buffer
//
// pgconn makes the connection (hosts, TLS, authentication), pgproto3 knows
// what messages look like, and the loop between them is ours.
//
// # Who owns the bytes
//
// What goes into a Flight is borrowed until Run returns; large arguments are
// sent from where they lie. What comes out of a Sink is borrowed during the
// call only; in race builds it is overwritten right after.
//
// # Prepared statements
//
// A statement is parsed within the first flight on a connection that needs
// it, after the steps that precede it: what those set, such as a role, is in
// force. Each connection remembers a bounded number of them.
//
// # What code leaves in a session
//
// Settings, locks and temporary tables that functions make for their session
// outlive the transaction. A flight that runs such functions says so (LeavesState);
// the next flight then begins with a session reset, in the same write. If the
// reset fails, the server does not run the flight (reset.go).
//
// # Servers that lose their role
//
// A write that is refused because nobody may write is reason to ask whether the
// server still is what target_session_attrs wants (failover.go).
//
// # Errors, and what they leave behind
//
//   - *Error: the server refused a step. It skipped the rest, and without
//     Begin it undid what went before. The connection is as good as before,
//     except after Fatal; after Begin it is in a failed transaction (Rollback).
//   - the error of a Sink: everything was executed and committed nevertheless.
//   - *ConnError: there was no answer, or none that can be trusted. Kind says
//     why, Sent and Answered how far it went. Unless the Kind is Unsendable,
//     Canceled or RolledBack, the connection is broken; IsBroken tells.
//
// Until Run has returned without an error, nothing is committed for sure,
// whatever a Sink has seen: deferred constraints are checked last.
package pgwire
