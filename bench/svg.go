package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
)

// picture is one of the files that show a report.
type picture struct {
	name string
	draw func(*report, *canvas)
	has  func(section) bool // whether the picture shows a section
}

var pictures = []picture{
	{"cpu.svg", drawCPU, func(s section) bool { return s.Rate == 0 }},
	{"throughput.svg", drawThroughput, func(s section) bool { return s.Rate == 0 }},
	{"latency.svg", drawLatency, func(s section) bool { return s.Rate != 0 }},
}

// svg draws a picture of the sections that belong to it.
func (r *report) svg(p picture, w io.Writer) error {
	part := *r
	part.Sections = slices.DeleteFunc(slices.Clone(r.Sections), func(s section) bool { return !p.has(s) })
	c := &canvas{y: margin}
	p.draw(&part, c)
	c.y += 14
	for _, note := range r.footnotes() {
		c.text(margin, c.y, "quiet small", note)
		c.y += 16
	}
	_, err := fmt.Fprintf(w, page, pageWidth, c.y+4, style(), c.b.String())
	return err
}

// Sizes, in pixels.
const (
	pageWidth = 920
	margin    = 28
	inside    = pageWidth - 2*margin
)

const page = `<svg xmlns="http://www.w3.org/2000/svg" width="%[1]d" height="%[2]d" viewBox="0 0 %[1]d %[2]d" role="img">
<style>%[3]s</style>
<rect class="page" width="%[1]d" height="%[2]d" rx="10"/>
%[4]s</svg>
`

// colours are by class, for light and for dark pages.
var colours = []struct{ class, light, dark string }{
	{"page", "#ffffff", "#0d1117"},
	{"ink", "#1f2328", "#e6edf3"},
	{"quiet", "#656d76", "#8b949e"},
	{"grid", "#d8dee4", "#21262d"},
	{"server", "#0969da", "#4493f8"},
	{"database", "#afb8c1", "#484f58"},
	{"floor", "#afb8c1", "#484f58"},
	{"line0", "#0969da", "#4493f8"}, // the program under test; then the peers in order
	{"line1", "#bc4c00", "#f0883e"},
	{"line2", "#1a7f37", "#3fb950"},
	{"line3", "#8250df", "#a371f7"},
	{"line4", "#bf3989", "#db61a2"},
	{"line5", "#9a6700", "#d29922"},
}

// lineColours is the number of different line colours. Further programs repeat
// them.
const lineColours = 6

func style() string {
	var light, dark strings.Builder
	for _, c := range colours {
		fmt.Fprintf(&light, ".%[1]s{fill:%[2]s}path.%[1]s,line.%[1]s{stroke:%[2]s;fill:none}", c.class, c.light)
		fmt.Fprintf(&dark, ".%[1]s{fill:%[2]s}path.%[1]s,line.%[1]s{stroke:%[2]s;fill:none}", c.class, c.dark)
	}
	return "text{font:13px system-ui,-apple-system,'Segoe UI',Helvetica,Arial,sans-serif}text.title{font-size:19px;font-weight:600}" +
		"text.head{font-size:14px;font-weight:600}text.ours{font-weight:600}text.small{font-size:11px}path{stroke-width:2;stroke-linejoin:round;stroke-linecap:round}" +
		light.String() + "@media(prefers-color-scheme:dark){" + dark.String() + "}"
}

// canvas collects elements from top to bottom.
type canvas struct {
	b strings.Builder
	y int // position of the next element
}

func (c *canvas) text(x, y int, class, text string) { c.anchored(x, y, class, "start", text) }

func (c *canvas) anchored(x, y int, class, anchor, text string) {
	if !strings.Contains(class, "quiet") {
		class += " ink"
	}
	fmt.Fprintf(&c.b, "<text class=\"%s\" x=\"%d\" y=\"%d\" text-anchor=\"%s\">%s</text>\n", class, x, y, anchor, escape(text))
}

func (c *canvas) rect(class string, x, y, width float64, height int) {
	fmt.Fprintf(&c.b, "<rect class=\"%s\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%d\" rx=\"2\"/>\n", class, x, y, width, height)
}

func (c *canvas) line(class string, x1, y1, x2, y2 float64) {
	fmt.Fprintf(&c.b, "<line class=\"%s\" x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\"/>\n", class, x1, y1, x2, y2)
}

// title draws the title of a picture and the legend of its colours.
func (c *canvas) title(text string, legend ...[2]string) {
	c.y += 14
	c.text(margin, c.y, "title", text)
	if len(legend) > 0 {
		c.y += 26
		x := margin
		for _, entry := range legend {
			width := 18 + 8*len([]rune(entry[1])) + 18
			if x > margin && x+width > pageWidth-margin {
				x, c.y = margin, c.y+20
			}
			c.rect(entry[0], float64(x), float64(c.y-10), 12, 12)
			c.text(x+18, c.y, "", entry[1])
			x += width
		}
	}
	c.y += 22
}

// section draws the title of a mix and the description of its load.
func (c *canvas) section(s section, isNew bool) {
	c.y += 14
	if isNew {
		c.y += 10
		c.text(margin, c.y, "head", s.Mix)
		c.text(margin+9*len(s.Mix)+10, c.y, "quiet", shorten(strings.TrimSuffix(s.About, "."), 95))
		c.y += 19
	}
	if load := s.load(); load != "" {
		c.text(margin, c.y, "quiet small", load)
		c.y += 8
	}
}

func shorten(text string, most int) string {
	if runes := []rune(text); len(runes) > most {
		return strings.TrimSpace(string(runes[:most])) + " …"
	}
	return text
}

func (r *report) footnotes() []string {
	rounds := fmt.Sprintf("medians of %d runs of %g s, taken in turns", r.Rounds, r.Seconds)
	if r.Rounds == 1 {
		rounds = fmt.Sprintf("one run of %g s each", r.Seconds)
	}
	list := []string{fmt.Sprintf("fastgrest is %s; %s", r.Program, r.Time.Format("2 January 2006"))}
	if len(r.Peers) > 0 {
		list = append(list, strings.Join(r.Peers, "; "))
	}
	return append(list, fmt.Sprintf("PostgreSQL %d, servers and load on one machine of %d CPUs; %s", r.Postgres, r.CPUs, rounds))
}

// micros formats microseconds without insignificant digits.
func micros(v float64) string {
	if v < 1000 {
		return fmt.Sprintf("%.1f", v)
	}
	return thousands(v)
}

func thousands(v float64) string {
	s := fmt.Sprintf("%.0f", v)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

var escaper = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;")

func escape(s string) string { return escaper.Replace(s) }
