package main

import (
	"fmt"
	"io"
	"strings"
)

// Sizes of the picture, in pixels.
const (
	barHeight  = 22
	barGap     = 8
	labelWidth = 210
	barsWidth  = 460
	imageWidth = labelWidth + barsWidth + 130
)

// svg draws CPU time per request, the server's part and the database's part of each bar, one
// group of bars for a mix with a scale of its own.
func (r *report) svg(w io.Writer) error {
	var b strings.Builder
	y := 62
	for _, s := range r.Sections {
		y = drawSection(&b, s, y) + 26
	}
	notes := r.footnotes()
	_, err := fmt.Fprintf(w, `<svg xmlns="http://www.w3.org/2000/svg" width="%[1]d" height="%[2]d" viewBox="0 0 %[1]d %[2]d" font-family="sans-serif" font-size="13">
<style>text{fill:#24292f}.quiet{fill:#6e7781}.server{fill:#2f81f7}.database{fill:#8c959f}rect.page{fill:#fff}
@media(prefers-color-scheme:dark){text{fill:#e6edf3}.quiet{fill:#8b949e}.database{fill:#6e7681}rect.page{fill:#0d1117}}</style>
<rect class="page" width="%[1]d" height="%[2]d"/>
<text x="16" y="26" font-size="16" font-weight="bold">CPU time per request, µs</text>
<rect class="server" x="%[3]d" y="15" width="12" height="12"/><text x="%[4]d" y="26">server</text>
<rect class="database" x="%[5]d" y="15" width="12" height="12"/><text x="%[6]d" y="26">PostgreSQL</text>
%[7]s<text class="quiet" x="16" y="%[8]d" font-size="11">%[9]s</text>
<text class="quiet" x="16" y="%[10]d" font-size="11">%[11]s</text>
</svg>
`, imageWidth, y+30, 260, 277, 335, 352, b.String(), y, escape(notes[0]), y+16, escape(notes[1]))
	return err
}

func (r *report) footnotes() [2]string {
	return [2]string{
		fmt.Sprintf("%s, %s", r.Program, r.Time.Format("2006-01-02")),
		fmt.Sprintf("PostgreSQL %d on the same machine, %d CPUs, medians of %d runs of %g s", r.Postgres, r.CPUs, r.Rounds, r.Seconds),
	}
}

// drawSection draws from y down and gives where it ended.
func drawSection(b *strings.Builder, s section, y int) int {
	fmt.Fprintf(b, "<text x=\"16\" y=\"%d\" font-weight=\"bold\">%s</text>\n", y, escape(s.Mix+": "+s.load()))
	y += 12
	longest := 0.0
	for _, line := range s.Rows {
		longest = max(longest, line.Median.total())
	}
	if longest == 0 {
		return y
	}
	for _, line := range s.Rows {
		f := line.Median
		scale := barsWidth / longest
		text := y + barHeight - 6
		fmt.Fprintf(b, "<text x=\"%d\" y=\"%d\" text-anchor=\"end\">%s</text>\n", labelWidth-8, text, escape(string(line.Subject)))
		fmt.Fprintf(b, "<rect class=\"server\" x=\"%d\" y=\"%d\" width=\"%.1f\" height=\"%d\"/>\n", labelWidth, y, f.ServerCPU*scale, barHeight)
		fmt.Fprintf(b, "<rect class=\"database\" x=\"%.1f\" y=\"%d\" width=\"%.1f\" height=\"%d\"/>\n", labelWidth+f.ServerCPU*scale, y, f.DatabaseCPU*scale, barHeight)
		fmt.Fprintf(b, "<text x=\"%.1f\" y=\"%d\">%s</text><text class=\"quiet\" x=\"%.1f\" y=\"%d\" font-size=\"11\">%s/s</text>\n",
			labelWidth+f.total()*scale+6, text, micros(f.total()), labelWidth+f.total()*scale+58, text, thousands(f.PerSecond))
		y += barHeight + barGap
	}
	return y
}

// micros shows no more digits than mean something.
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
