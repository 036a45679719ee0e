package oplog

import (
	"encoding/json"
	"errors"
	"os"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"
)

// manualPage has a table of all diagnostics, and one of the members of an access line.
const manualPage = "../../cmd/fastgrest/manual/operations.md"

// eventRow is a row of the table of diagnostics: level, text, and + if an error object follows.
// In the text <word> stands for a value.
type eventRow struct {
	level, text string
	problem     bool
	pattern     *regexp.Regexp
	used        bool
}

var placeholder = regexp.MustCompile(`<\w+>`)

func manualEvents(t *testing.T) (rows []*eventRow) {
	t.Helper()
	page, err := os.ReadFile(manualPage)
	if err != nil {
		t.Fatal(err)
	}
	line := regexp.MustCompile("(?m)^\\| (crit|error|warn|info|debug) \\| (?:`([^`]+)`|``(.+?) ?``)( \\+)? \\|")
	for _, m := range line.FindAllStringSubmatch(string(page), -1) {
		row := &eventRow{level: m[1], text: m[2] + m[3], problem: m[4] != ""}
		value, quoted := `.+`, regexp.QuoteMeta(row.text)
		if placeholder.FindString(row.text) == row.text { // it would stand for every line
			value = `\S+`
		}
		row.pattern = regexp.MustCompile(`(?s)^` + placeholder.ReplaceAllString(quoted, value) + `$`)
		rows = append(rows, row)
	}
	return rows
}

// TestManualEvents calls every method with every kind of argument, and looks for its lines on the
// page. Each row of the page must be a line.
func TestManualEvents(t *testing.T) {
	rows := manualEvents(t)
	l := newJSON(t)
	for _, poll := range []time.Duration{0, time.Second} {
		l.ListenerImpossible(errors.New("why"), poll)
	}
	for why := range fatalTexts {
		l.FatalError(Fatal(why), `{"code":"x"}`)
	}
	for state := range connTexts {
		l.PoolConn("1", ConnState(state))
	}
	callAll(t, l.Logger, "value", `{"code":"x"}`)
	l.Flush()
	found := 0
	for line := range strings.Lines(l.err.String()) {
		var object struct {
			Level, Message string
			Error          json.RawMessage
		}
		if err := json.Unmarshal([]byte(line), &object); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		if object.Message == "" {
			continue // an error object alone, or a statement; the page describes them below the table
		}
		if !explain(rows, object.Level, object.Message, object.Error != nil) {
			t.Errorf("the page has no row for %s", line)
		}
		found++
	}
	if found < 50 {
		t.Errorf("%d lines", found)
	}
	for _, row := range rows {
		if !row.used {
			t.Errorf("there is no line %s: %s", row.level, row.text)
		}
	}
}

// explain marks the row of a line. Of several rows the one with the longest text counts.
func explain(rows []*eventRow, level, message string, problem bool) bool {
	var best *eventRow
	for _, row := range rows {
		if row.level == level && row.problem == problem && row.pattern.MatchString(message) && (best == nil || len(row.text) > len(best.text)) {
			best = row
		}
	}
	if best == nil {
		return false
	}
	best.used = true
	return true
}

// TestManualAccess compares the members of an access line with the page.
func TestManualAccess(t *testing.T) {
	page, err := os.ReadFile(manualPage)
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(page), "\n| member | meaning |\n| --- | --- |\n")
	table, _, _ = strings.Cut(table, "\n\n")
	want := []string{"time", "level"}
	for line := range strings.Lines(table) {
		cell, _, _ := strings.Cut(strings.TrimPrefix(line, "| "), " |")
		for _, m := range regexp.MustCompile("`(\\w+)`").FindAllStringSubmatch(cell, -1) {
			want = append(want, m[1])
		}
	}
	l := newJSON(t)
	l.Access(&Access{Status: 200})
	l.Flush()
	var got []string
	d := json.NewDecoder(strings.NewReader(l.out.String()))
	for n := 0; ; n++ {
		token, err := d.Token()
		if err != nil {
			break
		}
		if name, ok := token.(string); ok && n%2 == 1 { // after the brace, names and values take turns
			got = append(got, name)
		}
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("the members are %q, the page has %q", got, want)
	}
}
