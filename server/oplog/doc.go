// Package oplog is the process's voice: access lines on standard output,
// diagnostics on standard error, in PostgREST's formats and words, so that
// whatever reads a PostgREST's log reads ours.
//
//	127.0.0.1 - web_anon [26/Jul/2026:01:56:38 +0000] "GET /genre HTTP/1.1" 200 56 "" "curl/8.7.1"
//	26/Jul/2026:01:56:38 +0000: Schema cache queried in 3.8 milliseconds
//
// There is one method per thing that can happen; what is said, and from which
// level on, is decided here and nowhere else. Methods take plain values: error
// objects come in as the JSON text that a client would have received, because
// only the server knows how to write one.
//
// or, in the JSON format, as one object per line (json.go).
//
// A line is appended to a buffer under a short lock and allocates nothing. A
// background goroutine writes the buffer out within FlushDelay of its first
// line; while nothing is logged, nothing runs. Diagnostics that describe the life of
// the process are written before their method returns, as the next thing may
// be a crash; lines that come with requests wait. Standard error goes first, so
// that the cause of a failed request stands above its access line when both
// streams share a file. A reader that does not keep up is waited for: lines are
// never dropped and never pile up beyond maxPending bytes.
//
// The package owns no bytes of its callers after a method returns. Errors of
// the streams themselves have nowhere to be told and are ignored.
package oplog
