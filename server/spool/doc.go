// Package spool holds large response bodies until their clients have received
// them. A body starts in pieces of memory and continues in a temporary file
// above a threshold. All bodies together are bounded.
//
// A body is written in parts of any size and sent once, at the client's pace.
// Memory and file space are released while the body is sent, at the latest by
// Close.
//
// The body is not streamed while PostgreSQL produces it. The head of the
// response must have the length, the number of rows and the headers that
// database functions set, and an error in the last row must become the
// response. SQL can compute most of that before the first row (count(*) over
// (), the settings in each row), but not the length. For 5,000 rows of 300
// bytes this costs PostgreSQL 1.2 to 2.1 ms more than the 6.4 ms of the query,
// a temporary file in PostgreSQL if there are many rows, and a database
// connection for as long as the client reads. To keep the same rows here costs
// the server 0.1 ms in memory or 0.7 ms in a file, and costs PostgreSQL
// nothing.
//
// Memory: written bytes are copied; nothing is borrowed. Many small parts are
// better built in the body's own memory (Room, Fill). Pieces are pooled.
//
// Errors: ErrFull, wrapped with the limit that was reached. A body that must be
// kept, because it reports a committed write, does not fail; it stays in
// memory.
package spool
