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

// subject is who answered: the server or a peer, perhaps to different askers, or the database alone in
// one of three ways.
type subject string

const (
	byServer  subject = "fastgrest"
	byWire    subject = "PostgreSQL alone, same SQL"
	byJSON    subject = "PostgreSQL alone, json_agg"
	byPgbench subject = "PostgreSQL alone, pgbench"
)

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
	Program string    `json:"program,omitempty"` // that answered; none for the database alone
	Median  figures   `json:"median"`
	Rounds  []figures `json:"rounds"`
}

func (r row) isServer() bool { return r.Program == string(byServer) }

func (r row) isPeer() bool { return r.Program != "" && !r.isServer() }

// asker is who asked, as it follows the program's name; "" if there is but one.
func (r row) asker() string {
	return strings.TrimPrefix(strings.TrimPrefix(string(r.Subject), r.Program), ", ")
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
	Peers       []string  `json:"peers,omitempty"`
	Postgres    int       `json:"postgres_major"`
	CPUs        int       `json:"cpus"`
	Connections int       `json:"connections"`
	Pool        int       `json:"pool"`
	Seconds     float64   `json:"seconds_per_measurement"`
	Sections    []section `json:"mixes"`
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
		for _, r := range s.Rows {
			if !r.isServer() {
				continue
			}
			if base, ok := s.base(b.Base, r); ok && base.Subject != r.Subject {
				s.Bars = append(s.Bars, b.judge(r, base))
			}
		}
	}
}

// base is the row that a bar's word means for one of ours: a floor, one of our own askers, or what a peer
// answered to the same asker.
func (s *section) base(word string, ours row) (row, bool) {
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

func (r *report) print(w io.Writer) {
	for _, s := range r.Sections {
		fmt.Fprintf(w, "\n%s: %s\n", s.Mix, s.About)
		table := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
		fmt.Fprintln(table, "\trequests/s\tp50 ms\tp99 ms\tCPU µs: server\tPostgreSQL\ttotal\tserver MB\tothers %\t")
		for _, line := range s.Rows {
			f := line.Median
			total := number(f.total(), "%.1f")
			if line.Program != "" && f.ServerCPU == 0 {
				total = "-" // nobody told us the process
			}
			fmt.Fprintf(table, "%s\t%.0f\t%s\t%s\t%s\t%s\t%s\t%s\t%.0f\t\n", line.Subject, f.PerSecond,
				number(f.P50, "%.2f"), number(f.P99, "%.2f"), number(f.ServerCPU, "%.1f"), number(f.DatabaseCPU, "%.1f"), total, number(f.ServerRSS, "%.0f"), f.Others)
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

// ratios are what the figures are taken for: our total against the database's floors, that of one asker
// against the first, and ours against each peer's.
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

// against sets ours beside a peer's, round by round.
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
			parts = append(parts, fmt.Sprintf("%s %.2f (%.2f to %.2f)", figure.name, c.median, c.lower, c.upper))
		}
	}
	return fmt.Sprintf("%s, times %s: %s", ours.Subject, peer.Subject, strings.Join(parts, ", "))
}

// comparison is how many times a base's figure ours is. Rounds are compared one by one, since the two
// measurements of a round saw the same minute of the machine; half of the comparisons lie between lower and upper.
type comparison struct {
	count                int
	median, lower, upper float64
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
