package main

import (
	"fmt"
	"io"
	"text/tabwriter"
)

// kindFigures are the figures of one kind of request in a mix of several. CPU time cannot be divided among them.
type kindFigures struct {
	Name      string  `json:"name"`
	PerSecond float64 `json:"requests_per_second"`
	P50       float64 `json:"p50_ms"`
	P99       float64 `json:"p99_ms"`
	P999      float64 `json:"p999_ms"`
}

// medianKinds returns the median of each figure of each kind. All rounds have the same kinds in the same order.
func medianKinds(rounds []figures) (list []kindFigures) {
	for i, k := range rounds[0].Kinds {
		of := func(field func(kindFigures) float64) float64 {
			var values []float64
			for _, f := range rounds {
				values = append(values, field(f.Kinds[i]))
			}
			return middle(values)
		}
		list = append(list, kindFigures{
			Name:      k.Name,
			PerSecond: of(func(k kindFigures) float64 { return k.PerSecond }),
			P50:       of(func(k kindFigures) float64 { return k.P50 }),
			P99:       of(func(k kindFigures) float64 { return k.P99 }),
			P999:      of(func(k kindFigures) float64 { return k.P999 }),
		})
	}
	return list
}

// printKinds prints a table of the kinds, each with all subjects.
func (s *section) printKinds(w io.Writer) {
	if len(s.Rows) == 0 || len(s.Rows[0].Median.Kinds) == 0 {
		return
	}
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(table, "\t\trequests/s\tp50 ms\tp99 ms\tp99.9 ms\t")
	for i, first := range s.Rows[0].Median.Kinds {
		for _, r := range s.Rows {
			k := r.Median.Kinds[i]
			fmt.Fprintf(table, "%s\t%s\t%.0f\t%.2f\t%.2f\t%.2f\t\n", first.Name, r.Subject, k.PerSecond, k.P50, k.P99, k.P999)
		}
	}
	table.Flush()
}
