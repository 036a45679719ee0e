package main

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

// Sizes of the panels in pixels. Three panels are in a row.
const (
	panelColumns = 3
	panelGap     = 24
	panelWidth   = (inside - (panelColumns-1)*panelGap) / panelColumns
	panelHeight  = 170
	panelLeft    = 40 // for the labels of the scale
)

// percentiles are the points of a curve.
var percentiles = []struct {
	name string
	of   func(figures) float64
}{
	{"p50", func(f figures) float64 { return f.P50 }},
	{"p90", func(f figures) float64 { return f.P90 }},
	{"p99", func(f figures) float64 { return f.P99 }},
	{"p99.9", func(f figures) float64 { return f.P999 }},
	{"max", func(f figures) float64 { return f.Max }},
}

// drawLatency draws a panel for each rate with a curve for each subject. All panels of a mix have one logarithmic
// scale.
func drawLatency(r *report, c *canvas) {
	subjects := r.subjects()
	legend := make([][2]string, len(subjects))
	for i, who := range subjects {
		legend[i] = [2]string{lineClass(i), string(who)}
	}
	c.title("Latency at a constant rate, ms", legend...)
	for first := 0; first < len(r.Sections); {
		last := first
		for last < len(r.Sections) && r.Sections[last].Mix == r.Sections[first].Mix {
			last++
		}
		drawPanels(c, r.Sections[first:last], subjects)
		first = last
	}
}

// subjects returns all subjects in the order of their first row.
func (r *report) subjects() (list []subject) {
	for _, s := range r.Sections {
		for _, line := range s.Rows {
			if !slices.Contains(list, line.Subject) {
				list = append(list, line.Subject)
			}
		}
	}
	return list
}

func lineClass(i int) string { return fmt.Sprintf("line%d", i%lineColours) }

func drawPanels(c *canvas, sections []section, subjects []subject) {
	head := sections[0]
	c.y += 22
	c.text(margin, c.y, "head", head.Mix)
	c.text(margin+9*len(head.Mix)+10, c.y, "quiet", shorten(strings.TrimSuffix(head.About, "."), 95))
	c.y += 10
	low, high := decades(sections)
	for i, s := range sections {
		x := margin + i%panelColumns*(panelWidth+panelGap)
		drawPanel(c, s, subjects, x, c.y, low, high)
		if i%panelColumns == panelColumns-1 || i == len(sections)-1 {
			c.y += panelHeight + 70
		}
	}
}

// decades returns the powers of ten around all latencies.
func decades(sections []section) (low, high int) {
	smallest, largest := math.Inf(1), 0.0
	for _, s := range sections {
		for _, line := range s.Rows {
			for _, p := range percentiles {
				if v := p.of(line.Median); v > 0 {
					smallest, largest = min(smallest, v), max(largest, v)
				}
			}
		}
	}
	if largest == 0 {
		return 0, 1
	}
	low, high = int(math.Floor(math.Log10(smallest))), int(math.Ceil(math.Log10(largest)))
	return low, max(high, low+1)
}

func drawPanel(c *canvas, s section, subjects []subject, x, y, low, high int) {
	left, width := float64(x+panelLeft), float64(panelWidth-panelLeft)
	top := float64(y + 22)
	at := func(v float64) float64 {
		share := (math.Log10(v) - float64(low)) / float64(high-low)
		return top + panelHeight*(1-min(1, max(0, share)))
	}
	c.text(x+panelLeft, y+13, "small", s.load())
	for power := low; power <= high; power++ {
		v := math.Pow10(power)
		c.line("grid", left, at(v), left+width, at(v))
		c.anchored(x+panelLeft-6, int(at(v))+4, "quiet small", "end", fmt.Sprintf("%g", v))
	}
	step := width / float64(len(percentiles)-1)
	for i, p := range percentiles {
		anchor := "middle"
		switch i {
		case 0:
			anchor = "start"
		case len(percentiles) - 1:
			anchor = "end"
		}
		c.anchored(int(left+float64(i)*step), int(top)+panelHeight+16, "quiet small", anchor, p.name)
	}
	for i, who := range slices.Backward(subjects) { // the program under test is on top
		f, ok := s.find(who)
		if !ok {
			continue
		}
		var path strings.Builder
		for j, p := range percentiles {
			if v := p.of(f); v > 0 {
				command := "L"
				if path.Len() == 0 {
					command = "M"
				}
				fmt.Fprintf(&path, "%s%.1f %.1f", command, left+float64(j)*step, at(v))
			}
		}
		fmt.Fprintf(&c.b, "<path class=\"%s\" d=\"%s\"/>\n", lineClass(i), path.String())
	}
	if failed := failures(s); failed != "" {
		c.text(x+panelLeft, int(top)+panelHeight+32, "quiet small", shorten(failed, 44))
	}
}

// failures describes the requests that failed and are not part of a curve.
func failures(s section) string {
	var parts []string
	for _, line := range s.Rows {
		if line.Median.Failed > 0 {
			parts = append(parts, fmt.Sprintf("%s: %.1f %% failed", line.Subject, line.Median.Failed))
		}
	}
	return strings.Join(parts, ", ")
}
