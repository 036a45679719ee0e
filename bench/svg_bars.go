package main

// Sizes of bars, in pixels.
const (
	barHeight  = 18
	barGap     = 6
	labelWidth = 200
	valueWidth = 150
	barsWidth  = inside - labelWidth - valueWidth
)

// piece is a part of a bar.
type piece struct {
	class string
	value float64
}

// drawBars draws a section's rows on the section's own scale, with a label beside each.
func drawBars(r *report, c *canvas, pieces func(row) []piece, value func(row) string) {
	for i, s := range r.Sections {
		c.section(s, i == 0 || r.Sections[i-1].Mix != s.Mix)
		longest := 0.0
		for _, line := range s.Rows {
			longest = max(longest, sum(pieces(line)))
		}
		for _, line := range s.Rows {
			baseline := c.y + barHeight - 5
			class := ""
			if line.isServer() {
				class = "ours"
			}
			c.anchored(margin+labelWidth-10, baseline, class, "end", string(line.Subject))
			x := float64(margin + labelWidth)
			for _, p := range pieces(line) {
				if width := p.value / max(longest, 1e-9) * barsWidth; width > 0 {
					c.rect(p.class, x, float64(c.y), width, barHeight)
					x += width
				}
			}
			c.text(int(x)+8, baseline, class, value(line))
			c.y += barHeight + barGap
		}
	}
}

func sum(pieces []piece) (total float64) {
	for _, p := range pieces {
		total += p.value
	}
	return total
}

// drawCPU shows the CPU time of a request, divided into the server's part and
// PostgreSQL's.
func drawCPU(r *report, c *canvas) {
	c.title("CPU time per request, µs", [2]string{"server", "server"}, [2]string{"database", "PostgreSQL"})
	drawBars(r, c, func(line row) []piece {
		return []piece{{"server", line.Median.ServerCPU}, {"database", line.Median.DatabaseCPU}}
	}, func(line row) string {
		f := line.Median
		switch {
		case line.Program == "":
			return micros(f.DatabaseCPU)
		case f.ServerCPU == 0: // the process is unknown
			return "? + " + micros(f.DatabaseCPU)
		}
		return micros(f.total()) + " = " + micros(f.ServerCPU) + " + " + micros(f.DatabaseCPU)
	})
}

// drawThroughput shows the requests per second.
func drawThroughput(r *report, c *canvas) {
	c.title("Requests per second")
	drawBars(r, c, func(line row) []piece {
		class := "floor"
		switch {
		case line.isServer():
			class = "line0"
		case line.isPeer():
			class = "line1"
		}
		return []piece{{class, line.Median.PerSecond}}
	}, func(line row) string { return thousands(line.Median.PerSecond) })
}
