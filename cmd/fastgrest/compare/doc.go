// Package compare sends the same requests to two servers and reports where the responses differ.
// It is the subcommand compare.
//
//	log lines --line.go--> request --input.go--> distinct requests
//	request --replay.go--> two responses --verdict.go--> verdict --tally.go--> report
//
// The old server is a PostgREST, the new one a fastgrest. A request goes to both at the same time.
// If the responses differ, both servers get the request once more, and only differences that occur
// twice are reported.
//
// Memory is bounded. A body passes through a digest, which keeps the first 1 MiB of it and hashes
// the rest. Differences are counted in a limited number of groups, each with one example.
//
// Secrets leave the package in requests only. A report masks tokens, passwords and keys, and escapes
// characters that could control a terminal.
//
// Run returns errDifferent after a report with differences (exit code 1), and a *failure if the
// servers could not be compared (exit code 2).
package compare
