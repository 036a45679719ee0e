package manual

import (
	"strings"

	tables "github.com/yuin/goldmark/extension/ast"
)

// gap is the number of spaces between two columns.
const gap = 2

// table writes rows of wrapped cells. Empty lines separate rows if a row has several lines.
func (w *textWriter) table(n *tables.Table, indent string) {
	var rows [][]string
	for row := n.FirstChild(); row != nil; row = row.NextSibling() {
		var cells []string
		for cell := row.FirstChild(); cell != nil; cell = cell.NextSibling() {
			text := w.inline(cell)
			if row.Kind() == tables.KindTableHeader {
				text = bold(text)
			}
			cells = append(cells, text)
		}
		rows = append(rows, cells)
	}
	widths := fit(rows, w.columns-len(indent))
	wrapped := make([][][]string, len(rows))
	long := false
	for i, cells := range rows {
		for k, cell := range cells {
			lines := wrap(cell, widths[k])
			wrapped[i] = append(wrapped[i], lines)
			long = long || len(lines) > 1
		}
	}
	for i, cells := range wrapped {
		if i > 0 && long {
			w.out.WriteByte('\n')
		}
		w.row(cells, widths, indent)
	}
}

// row writes the lines of the cells beside each other.
func (w *textWriter) row(cells [][]string, widths []int, indent string) {
	height := 0
	for _, lines := range cells {
		height = max(height, len(lines))
	}
	for i := range height {
		line := indent
		for k, lines := range cells {
			text := ""
			if i < len(lines) {
				text = lines[i]
			}
			line += text + strings.Repeat(" ", max(0, widths[k]-width(text))+gap)
		}
		w.out.WriteString(strings.TrimRight(line, " ") + "\n")
	}
}

// fit returns the widths of the columns. It narrows the widest ones until the table fits.
// No column gets narrower than its longest word, so a table may be too wide in the end.
func fit(rows [][]string, columns int) []int {
	widths := make([]int, len(rows[0]))
	words := make([]int, len(rows[0])) // the longest of each column
	total := (len(widths) - 1) * gap
	for k := range widths {
		for _, cells := range rows {
			widths[k] = max(widths[k], width(cells[k]))
			for _, word := range strings.Fields(cells[k]) {
				words[k] = max(words[k], width(word))
			}
		}
		total += widths[k]
	}
	for ; total > columns; total-- {
		widest := -1
		for k := range widths {
			if widths[k] > words[k] && (widest < 0 || widths[k] > widths[widest]) {
				widest = k
			}
		}
		if widest < 0 {
			return widths
		}
		widths[widest]--
	}
	return widths
}
