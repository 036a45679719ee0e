package main

import (
	"fmt"
	"runtime"
	"strings"
)

// markdown returns the figures of all servers as a table for a page: versions, date and command, then one line for
// each server under each load. It leaves out PostgreSQL alone.
func (r *report) markdown() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s; %s. PostgreSQL %s, %s, Linux, %d processors for servers, PostgreSQL and load. ",
		r.Time.Format("2 January 2006"), r.Program, strings.Join(r.Peers, "; "), r.PostgresVersion, runtime.Version(), r.CPUs)
	fmt.Fprintf(&b, "Medians of %d rounds of %g s. CPU is in µs per request. Command: `%s`\n\n", r.Rounds, r.Seconds, r.Command)
	b.WriteString("| mix | load | server | requests/s | p50, p99, p99.9 ms | CPU: server + PostgreSQL | server MB |\n")
	b.WriteString("| --- | --- | --- | --- | --- | --- | --- |\n")
	for _, s := range r.Sections {
		for _, line := range s.Rows {
			if line.Program == "" {
				continue
			}
			f := line.Median
			rate := thousands(f.PerSecond)
			if f.Failed > 0 {
				rate += fmt.Sprintf(", %.1f %% failed", f.Failed)
			}
			fmt.Fprintf(&b, "| %s | %s | %s | %s | %.2f, %.2f, %.2f | %.0f + %.0f | %.0f |\n",
				s.Mix, s.load(), line.Subject, rate, f.P50, f.P99, f.P999, f.ServerCPU, f.DatabaseCPU, f.ServerRSS)
			for _, k := range f.Kinds {
				fmt.Fprintf(&b, "| | %s | %s | %s | %.2f, %.2f, %.2f | | |\n", k.Name, line.Subject, thousands(k.PerSecond), k.P50, k.P99, k.P999)
			}
		}
	}
	return b.String()
}

// command returns the command that repeats a run with these arguments.
func command(args []string) string {
	words := []string{"make bench"}
	if len(args) > 1 && args[0] == "--peer" && !strings.ContainsAny(args[1], "= ") {
		words, args = append(words, "PEER="+args[1]), args[2:]
	}
	if len(args) > 0 {
		words = append(words, fmt.Sprintf("ARGS=%q", strings.Join(args, " ")))
	}
	return strings.Join(words, " ")
}
