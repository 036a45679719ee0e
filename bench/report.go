package main

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
)

// subject is the source of figures: the server or a peer, per asker if there are several, or the database alone in
// one of three ways.
type subject string

const (
	byServer  subject = "fastgrest"
	byWire    subject = "PostgreSQL alone, same SQL"
	byJSON    subject = "PostgreSQL alone, json_agg"
	byPgbench subject = "PostgreSQL alone, pgbench"
)

// figures are the results of one measurement.
type figures struct {
	PerSecond   float64 `json:"requests_per_second"`
	P50         float64 `json:"p50_ms"`
	P90         float64 `json:"p90_ms"`
	P99         float64 `json:"p99_ms"`
	P999        float64 `json:"p999_ms"`
	Max         float64 `json:"max_ms"`
	ServerCPU   float64 `json:"server_cpu_us"`   // per request
	DatabaseCPU float64 `json:"database_cpu_us"` // per request
	ServerRSS   float64 `json:"server_mb"`
	Requests    int     `json:"requests"`
	Failed      float64 `json:"failed_percent"` // of an open loop
	Others      float64 `json:"others_percent"` // share of the machine that other programs took

	Kinds []kindFigures `json:"kinds,omitempty"` // of a mix of several kinds of requests
}

func (f figures) total() float64 { return f.ServerCPU + f.DatabaseCPU }

// row holds the medians of one subject under one mix.
type row struct {
	Subject subject   `json:"subject"`
	Program string    `json:"program,omitempty"` // the program; empty for the database alone
	Median  figures   `json:"median"`
	Rounds  []figures `json:"rounds"`
}

func (r row) isServer() bool { return r.Program == string(byServer) }

func (r row) isPeer() bool { return r.Program != "" && !r.isServer() }

// asker returns the asker's name, which follows the program's name, or "" if
// there is only one asker.
func (r row) asker() string {
	return strings.TrimPrefix(strings.TrimPrefix(string(r.Subject), r.Program), ", ")
}

// section is one mix under one kind of load.
type section struct {
	Mix         string  `json:"mix"`
	About       string  `json:"about"`
	Pool        int     `json:"pool"`
	Delay       float64 `json:"delay_ms"`
	Connections int     `json:"connections"`               // maximum number if there is a rate
	Rate        int     `json:"rate_per_second,omitempty"` // of an open loop
	Rows        []row   `json:"rows"`
	// Notes explain the figures.
	Notes []string  `json:"notes,omitempty"`
	Bars  []verdict `json:"bars,omitempty"`
}

type report struct {
	Time     time.Time `json:"time"`
	Command  string    `json:"command"`
	Program  string    `json:"program"`
	Peers    []string  `json:"peers,omitempty"`
	Postgres int       `json:"postgres_major"`
	// PostgresVersion is the full version.
	PostgresVersion string    `json:"postgres_version"`
	CPUs            int       `json:"cpus"`
	Seconds         float64   `json:"seconds_per_measurement"`
	Rounds          int       `json:"rounds"`
	Sections        []section `json:"mixes"`
}

func (s *section) add(who subject, program string, f figures) {
	for i := range s.Rows {
		if s.Rows[i].Subject == who {
			s.Rows[i].Rounds = append(s.Rows[i].Rounds, f)
			s.Rows[i].Median = median(s.Rows[i].Rounds)
			return
		}
	}
	s.Rows = append(s.Rows, row{Subject: who, Program: program, Median: f, Rounds: []figures{f}})
}

func (s *section) find(who subject) (figures, bool) {
	for _, r := range s.Rows {
		if r.Subject == who {
			return r.Median, true
		}
	}
	return figures{}, false
}

// median returns the median of each figure separately.
func median(rounds []figures) figures {
	of := func(field func(figures) float64) float64 {
		values := make([]float64, len(rounds))
		for i, f := range rounds {
			values[i] = field(f)
		}
		return middle(values)
	}
	return figures{
		PerSecond:   of(func(f figures) float64 { return f.PerSecond }),
		P50:         of(func(f figures) float64 { return f.P50 }),
		P90:         of(func(f figures) float64 { return f.P90 }),
		P99:         of(func(f figures) float64 { return f.P99 }),
		P999:        of(func(f figures) float64 { return f.P999 }),
		Max:         of(func(f figures) float64 { return f.Max }),
		Failed:      of(func(f figures) float64 { return f.Failed }),
		ServerCPU:   of(func(f figures) float64 { return f.ServerCPU }),
		DatabaseCPU: of(func(f figures) float64 { return f.DatabaseCPU }),
		ServerRSS:   of(func(f figures) float64 { return f.ServerRSS }),
		Requests:    int(of(func(f figures) float64 { return float64(f.Requests) })),
		Others:      of(func(f figures) float64 { return f.Others }),
		Kinds:       medianKinds(rounds),
	}
}

// middle returns the median of values. It sorts them.
func middle(values []float64) float64 {
	slices.Sort(values)
	half := len(values) / 2
	if len(values)%2 == 0 {
		return (values[half-1] + values[half]) / 2
	}
	return values[half]
}

// judge compares the section's figures with the mix's bars.
func (s *section) judge(bars []bar) {
	for _, b := range bars {
		if b.Delay != s.Delay || s.Rate != 0 {
			continue
		}
		for _, r := range s.Rows {
			if !r.isServer() {
				continue
			}
			base, ok := s.base(b.Base, r)
			if b.Base != "" && (!ok || base.Subject == r.Subject) {
				continue
			}
			if v, ok := b.judge(r, base); ok {
				s.Bars = append(s.Bars, v)
			}
		}
	}
}

// base returns the row that a bar's base names: a floor, another asker of the same program, or a peer's row for
// the same asker.
func (s *section) base(word string, ours row) (row, bool) {
	if word == "" {
		return row{}, false
	}
	i := slices.IndexFunc(s.Rows, func(r row) bool {
		switch {
		case r.isServer():
			return r.asker() == word
		case r.isPeer():
			return r.Program == word && r.asker() == ours.asker()
		}
		return r.Subject == floorWords[word]
	})
	if i < 0 {
		return row{}, false
	}
	return s.Rows[i], true
}

// load describes the load of a section.
func (s *section) load() string {
	var parts []string
	switch {
	case s.Rate != 0:
		parts = append(parts, thousands(float64(s.Rate))+" requests/s")
	case s.Connections != 0:
		parts = append(parts, thousands(float64(s.Connections))+" connections")
	}
	parts = append(parts, fmt.Sprintf("pool %d", s.Pool))
	if s.Delay != 0 {
		parts = append(parts, fmt.Sprintf("PostgreSQL %g ms away", s.Delay))
	}
	return strings.Join(parts, ", ")
}

func (r *report) print(w io.Writer) {
	for i, s := range r.Sections {
		if i == 0 || r.Sections[i-1].Mix != s.Mix {
			fmt.Fprintf(w, "\n%s: %s\n", s.Mix, s.About)
		}
		fmt.Fprintf(w, "\n  %s\n", s.load())
		table := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
		columns := closedColumns
		if s.Rate != 0 {
			columns = openColumns
		}
		for _, c := range columns {
			fmt.Fprintf(table, "\t%s", c.head)
		}
		fmt.Fprintln(table, "\t")
		for _, line := range s.Rows {
			fmt.Fprint(table, line.Subject)
			for _, c := range columns {
				fmt.Fprintf(table, "\t%s", c.text(line))
			}
			fmt.Fprintln(table, "\t")
		}
		table.Flush()
		s.printKinds(w)
		for _, text := range slices.Concat(s.ratios(), s.Notes) {
			fmt.Fprintln(w, "  "+text)
		}
		for _, v := range s.Bars {
			fmt.Fprintln(w, "  "+v.String())
		}
	}
}

// column is a column of the table.
type column struct {
	head   string
	of     func(figures) float64
	format string
}

func (c column) text(r row) string {
	v := c.of(r.Median)
	if v == 0 && !c.always() || c.head == "total" && r.Program != "" && r.Median.ServerCPU == 0 { // the process is unknown
		return "-"
	}
	return fmt.Sprintf(c.format, v)
}

// always reports whether zero is shown as a figure.
func (c column) always() bool { return strings.HasSuffix(c.head, "%") }

var (
	throughputColumn = column{"requests/s", func(f figures) float64 { return f.PerSecond }, "%.0f"}
	p50Column        = column{"p50 ms", func(f figures) float64 { return f.P50 }, "%.2f"}
	p99Column        = column{"p99 ms", func(f figures) float64 { return f.P99 }, "%.2f"}
	cpuColumns       = []column{
		{"CPU µs: server", func(f figures) float64 { return f.ServerCPU }, "%.1f"},
		{"PostgreSQL", func(f figures) float64 { return f.DatabaseCPU }, "%.1f"},
		{"total", figures.total, "%.1f"},
		{"server MB", func(f figures) float64 { return f.ServerRSS }, "%.0f"},
		{"others %", func(f figures) float64 { return f.Others }, "%.0f"},
	}
	closedColumns = append([]column{throughputColumn, p50Column, p99Column}, cpuColumns...)
	openColumns   = append([]column{throughputColumn, {"failed %", func(f figures) float64 { return f.Failed }, "%.1f"}, p50Column,
		{"p90 ms", func(f figures) float64 { return f.P90 }, "%.2f"}, p99Column,
		{"p99.9 ms", func(f figures) float64 { return f.P999 }, "%.2f"}, {"max ms", func(f figures) float64 { return f.Max }, "%.2f"}}, cpuColumns...)
)

// ratios compares the server's total with the database's floors, each asker with the first, and the server with
// each peer.
func (s *section) ratios() (lines []string) {
	first := slices.IndexFunc(s.Rows, row.isServer)
	if first < 0 {
		return nil
	}
	ours := s.Rows[first]
	var parts []string
	for _, who := range []subject{byWire, byJSON, byPgbench} {
		if f, ok := s.find(who); ok && f.total() > 0 {
			parts = append(parts, fmt.Sprintf("%.2f times %s", ours.Median.total()/f.total(), who))
		}
	}
	if parts != nil {
		lines = append(lines, "total CPU: "+strings.Join(parts, ", "))
	}
	for _, r := range s.Rows {
		if r.isServer() && r.Subject != ours.Subject {
			lines = append(lines, fmt.Sprintf("%s: total CPU %.2f times %s, the server's own %.2f times", r.Subject,
				r.Median.total()/ours.Median.total(), ours.Subject, r.Median.ServerCPU/ours.Median.ServerCPU))
		}
	}
	for _, r := range s.Rows {
		if !r.isServer() {
			continue
		}
		for _, peer := range s.Rows {
			if peer.isPeer() && peer.asker() == r.asker() {
				lines = append(lines, against(r, peer))
			}
		}
	}
	return lines
}

// against compares the server with a peer, round by round.
func against(ours, peer row) string {
	var parts []string
	for _, figure := range []struct {
		name string
		of   func(figures) float64
	}{
		{"total CPU", figures.total},
		{"server CPU", func(f figures) float64 { return f.ServerCPU }},
		{"PostgreSQL CPU", func(f figures) float64 { return f.DatabaseCPU }},
		{"requests/s", func(f figures) float64 { return f.PerSecond }},
		{"p50", func(f figures) float64 { return f.P50 }},
		{"p99", func(f figures) float64 { return f.P99 }},
		{"memory", func(f figures) float64 { return f.ServerRSS }},
	} {
		if figure.name == "total CPU" && peer.Median.ServerCPU == 0 {
			continue
		}
		if c := compareRounds(ours, peer, figure.of); c.count > 0 {
			parts = append(parts, figure.name+" "+c.String())
		}
	}
	return fmt.Sprintf("%s, times %s: %s", ours.Subject, peer.Subject, strings.Join(parts, ", "))
}

// comparison is the ratio of a figure to the base's figure. They are compared round by round, because both
// measurements of a round ran in the same minute. Half of the ratios lie between lower and upper.
type comparison struct {
	count                int
	median, lower, upper float64
}

func (c comparison) String() string {
	if c.count == 1 {
		return fmt.Sprintf("%.2f", c.median)
	}
	return fmt.Sprintf("%.2f (%.2f to %.2f)", c.median, c.lower, c.upper)
}

func compareRounds(ours, base row, of func(figures) float64) comparison {
	var values []float64
	for i := range min(len(ours.Rounds), len(base.Rounds)) {
		if we, they := of(ours.Rounds[i]), of(base.Rounds[i]); they > 0 {
			values = append(values, we/they)
		}
	}
	return spread(values)
}

func spread(values []float64) comparison {
	if len(values) == 0 {
		return comparison{}
	}
	median := middle(values) // sorts
	return comparison{len(values), median, values[len(values)/4], values[len(values)-1-len(values)/4]}
}

func (r *report) json(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(r)
}
