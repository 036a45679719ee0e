// Package oplog writes the log: access lines to standard output and diagnostics
// to standard error. It uses PostgREST's formats and texts, so programs that
// parse PostgREST's log can parse this one.
//
//	127.0.0.1 - web_anon [26/Jul/2026:01:56:38 +0000] "GET /genre HTTP/1.1" 200 56 "" "curl/8.7.1"
//	26/Jul/2026:01:56:38 +0000: Schema cache queried in 3.8 milliseconds
//
// There is one method per event. The method decides the text and the level.
// Methods take plain values. An error object is passed as the JSON text that a
// client would receive, because only the server can render it.
//
// In the JSON format each line is one object (json.go).
//
// A line is appended to a buffer under a short lock, without an allocation. A
// background goroutine writes the buffer within FlushDelay of its first line;
// it sleeps while nothing is logged. Diagnostics about the process itself are
// written before their method returns, because a crash may follow. Lines about
// requests wait in the buffer. Standard error is written first, so the cause of
// a failed request is above its access line if both streams go to the same
// file. If a stream is slow, methods wait for it: lines are never dropped, and
// the buffer never exceeds maxPending bytes.
//
// The package keeps no bytes of its callers after a method returns. It ignores
// write errors of the two streams, because it has no other place to report
// them.
package oplog
