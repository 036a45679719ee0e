// Command bench measures the throughput, latency and CPU time of requests and
// compares them with PostgreSQL running the same SQL alone.
//
//	main.go       flags, and where results go
//	measure.go    the measurements and their order
//	mix.go        mixes/*.txt and files of users: requests, clients (askers), floors
//	kinds.go      figures of each kind of request, in mixes of several
//	bar.go        the limits of a mix, and their comparison with the figures
//	keys.go       secrets and tokens for mixes that use them
//	peer.go       other servers, measured in the same rounds
//	classic/      the baseline, one of these peers; child.go runs it in this program
//	machine.go    the database
//	instance.go   a running server
//	process.go    CPU time and memory of processes, from /proc
//	capture.go    the SQL the server sends for a request, from PostgreSQL's log
//	floor.go      the same SQL by a minimal client of the wire protocol
//	pgbench.go    the same SQL by pgbench
//	profile.go    profiles of a server
//	load/         the HTTP load, in closed and open loops
//	delay/        a proxy that delays the round trips to PostgreSQL
//	report.go     medians, table, JSON
//	markdown.go   the table for pages, with versions, date and command
//	svg.go        pictures: bars in svg_bars.go, curves in svg_latency.go
//
// README.md explains the figures. The bench runs on Linux only, because it reads CPU time from /proc.
package main
