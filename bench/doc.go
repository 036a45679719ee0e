// Command bench measures the throughput, latency and CPU time of requests and
// compares them with PostgreSQL running the same SQL alone.
//
//	main.go       flags, and where results go
//	measure.go    what is measured, in which order
//	mix.go        mixes/*.txt and those of users: which requests, by whom, against which floors
//	bar.go        what a mix has to reach, and whether it does
//	keys.go       secrets and tokens for mixes that show some
//	peer.go       other servers, side by side
//	classic/      the baseline among them; child.go makes this program run it
//	machine.go    the database
//	instance.go   a server that runs
//	process.go    CPU time and memory of processes, from /proc
//	capture.go    the SQL the server sends for a request, from PostgreSQL's log
//	floor.go      the same SQL by a minimal client of the wire protocol
//	pgbench.go    the same SQL by pgbench
//	load/         the HTTP load, in closed and open loops
//	delay/        a proxy that makes the way to PostgreSQL longer
//	report.go     medians, table, JSON
//	svg.go        pictures: bars in svg_bars.go, curves in svg_latency.go
//
// README.md says how to read the figures. Linux only: CPU time is read from /proc.
package main
