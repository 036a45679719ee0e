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

// subject is who answered: the server, perhaps to different askers, or the database alone in one of
// three ways.
type subject string

const (
	byServer  subject = "fastgrest"
	byWire    subject = "PostgreSQL alone, same SQL"
	byJSON    subject = "PostgreSQL alone, json_agg"
	byPgbench subject = "PostgreSQL alone, pgbench"
)

func (s subject) isServer() bool { return strings.HasPrefix(string(s), string(byServer)) }

// figures are one measurement.
type figures struct {
	PerSecond   float64 `json:"requests_per_second"`
	P50         float64 `json:"p50_ms"`
	P99         float64 `json:"p99_ms"`
	ServerCPU   float64 `json:"server_cpu_us"`   // per request
	DatabaseCPU float64 `json:"database_cpu_us"` // per request
	ServerRSS   float64 `json:"server_mb"`
	Requests    int     `json:"requests"`
	Others      float64 `json:"others_percent"` // of the machine, taken by other programs
}

func (f figures) total() float64 { return f.ServerCPU + f.DatabaseCPU }

// row is the medians of one subject under one mix.
type row struct {
	Subject subject   `json:"subject"`
	Median  figures   `json:"median"`
	Rounds  []figures `json:"rounds"`
}

type section struct {
	Mix   string `json:"mix"`
	About string `json:"about"`
	Rows  []row  `json:"rows"`
	// Notes hold what figures do not say.
	Notes []string  `json:"notes,omitempty"`
	Bars  []verdict `json:"bars,omitempty"`
}

type report struct {
	Time        time.Time `json:"time"`
	Program     string    `json:"program"`
	Postgres    int       `json:"postgres_major"`
	CPUs        int       `json:"cpus"`
	Connections int       `json:"connections"`
	Pool        int       `json:"pool"`
	Seconds     float64   `json:"seconds_per_measurement"`
	Sections    []section `json:"mixes"`
}

func (s *section) add(who subject, f figures) {
	for i := range s.Rows {
		if s.Rows[i].Subject == who {
			s.Rows[i].Rounds = append(s.Rows[i].Rounds, f)
			s.Rows[i].Median = median(s.Rows[i].Rounds)
			return
		}
	}
	s.Rows = append(s.Rows, row{Subject: who, Median: f, Rounds: []figures{f}})
}

func (s *section) find(who subject) (figures, bool) {
	for _, r := range s.Rows {
		if r.Subject == who {
			return r.Median, true
		}
	}
	return figures{}, false
}

// median takes each figure's median by itself.
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
		P99:         of(func(f figures) float64 { return f.P99 }),
		ServerCPU:   of(func(f figures) float64 { return f.ServerCPU }),
		DatabaseCPU: of(func(f figures) float64 { return f.DatabaseCPU }),
		ServerRSS:   of(func(f figures) float64 { return f.ServerRSS }),
		Requests:    int(of(func(f figures) float64 { return float64(f.Requests) })),
		Others:      of(func(f figures) float64 { return f.Others }),
	}
}

// middle is the median of values, which it sorts.
func middle(values []float64) float64 {
	slices.Sort(values)
	half := len(values) / 2
	if len(values)%2 == 0 {
		return (values[half-1] + values[half]) / 2
	}
	return values[half]
}

// judge puts the section's figures beside the mix's bars.
func (s *section) judge(bars []bar) {
	for _, b := range bars {
		base := slices.IndexFunc(s.Rows, func(r row) bool { return r.Subject == b.Base })
		if base < 0 {
			continue
		}
		for _, r := range s.Rows {
			if r.Subject.isServer() && r.Subject != b.Base {
				s.Bars = append(s.Bars, b.judge(r, s.Rows[base]))
			}
		}
	}
}

func (r *report) print(w io.Writer) {
	for _, s := range r.Sections {
		fmt.Fprintf(w, "\n%s: %s\n", s.Mix, s.About)
		table := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
		fmt.Fprintln(table, "\trequests/s\tp50 ms\tp99 ms\tCPU µs: server\tPostgreSQL\ttotal\tserver MB\tothers %\t")
		for _, line := range s.Rows {
			f := line.Median
			fmt.Fprintf(table, "%s\t%.0f\t%s\t%s\t%s\t%.1f\t%.1f\t%s\t%.0f\t\n", line.Subject, f.PerSecond,
				number(f.P50, "%.2f"), number(f.P99, "%.2f"), number(f.ServerCPU, "%.1f"), f.DatabaseCPU, f.total(), number(f.ServerRSS, "%.0f"), f.Others)
		}
		table.Flush()
		for _, text := range slices.Concat(s.ratios(), s.Notes) {
			fmt.Fprintln(w, "  "+text)
		}
		for _, v := range s.Bars {
			fmt.Fprintln(w, "  "+v.String())
		}
	}
}

// ratios are what the figures are taken for: our total against the database's floors, or that of
// one asker against the first.
func (s *section) ratios() (lines []string) {
	var first figures
	for i, r := range s.Rows {
		switch {
		case !r.Subject.isServer():
			return lines
		case i == 0:
			first = r.Median
		default:
			lines = append(lines, fmt.Sprintf("%s: total CPU %.2f times %s, the server's own %.2f times", r.Subject,
				r.Median.total()/first.total(), s.Rows[0].Subject, r.Median.ServerCPU/first.ServerCPU))
			continue
		}
		var parts []string
		for _, who := range []subject{byWire, byJSON, byPgbench} {
			if f, ok := s.find(who); ok && f.total() > 0 {
				parts = append(parts, fmt.Sprintf("%.2f times %s", first.total()/f.total(), who))
			}
		}
		if parts != nil {
			lines = append(lines, "total CPU: "+strings.Join(parts, ", "))
		}
	}
	return lines
}

func number(v float64, format string) string {
	if v == 0 {
		return "-"
	}
	return fmt.Sprintf(format, v)
}

func (r *report) json(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(r)
}
