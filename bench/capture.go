package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"
)

// statement is one statement of a transaction as the server sends it.
type statement struct {
	sql    string
	args   []*string // nil: null
	number int       // which argument is the mix's number; -1: none
}

// mark is the number of the probing request, by which its argument is recognised.
const mark = "73127"

// capture sends a request and reads from PostgreSQL's log which statements it became, so that
// the floor is measured on exactly the SQL of the build under test.
func capture(ctx context.Context, m *machine, x mix) ([]statement, error) {
	get := func() error {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+m.addr+x.number(mark), nil)
		if err != nil {
			return err
		}
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			return err
		}
		defer response.Body.Close()
		if body, err := io.ReadAll(response.Body); err != nil || response.StatusCode >= 300 {
			return fmt.Errorf("%s: %s: %.300s", x.name, response.Status, body)
		}
		return nil
	}
	if err := get(); err != nil { // the first request of a shape may do more than later ones
		return nil, err
	}
	if err := m.logStatements(ctx, "all"); err != nil {
		return nil, err
	}
	before, err := os.ReadFile(m.database.LogFile())
	if err != nil {
		return nil, err
	}
	if err := get(); err != nil {
		return nil, err
	}
	time.Sleep(200 * time.Millisecond)
	after, err := os.ReadFile(m.database.LogFile())
	if err != nil {
		return nil, err
	}
	if err := m.logStatements(ctx, "none"); err != nil {
		return nil, err
	}
	found := parseLog(bytes.TrimPrefix(after, before))
	if len(found) == 0 {
		return nil, fmt.Errorf("%s: PostgreSQL logged no statement for %s", x.name, x.number(mark))
	}
	return found, nil
}

// parseLog reads "LOG:  execute NAME: SQL" with "DETAIL:  parameters: ..." under it; further lines
// of a statement begin with a tab.
func parseLog(log []byte) []statement {
	var (
		list []statement
		text = strings.ReplaceAll(string(log), "\n\t", "\n  ")
	)
	for _, entry := range splitEntries(text) {
		if rest, ok := cutAfter(entry, "LOG:  execute "); ok {
			if _, sql, ok := strings.Cut(rest, ": "); ok {
				list = append(list, statement{sql: strings.TrimSpace(sql), number: -1})
			}
		}
		if rest, ok := cutAfter(strings.Replace(entry, "Parameters:", "parameters:", 1), "DETAIL:  parameters: "); ok && len(list) > 0 {
			last := &list[len(list)-1]
			last.args, last.number = parseParameters(strings.TrimSpace(rest))
		}
	}
	return list
}

// splitEntries parts a log at lines that do not continue the one before.
func splitEntries(text string) []string {
	var entries []string
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, "  ") && len(entries) > 0 {
			entries[len(entries)-1] += line
			continue
		}
		entries = append(entries, line)
	}
	return entries
}

func cutAfter(s, mark string) (string, bool) {
	_, rest, ok := strings.Cut(s, mark)
	return rest, ok
}

// parseParameters reads "$1 = 'a', $2 = NULL"; quotes inside values are doubled.
func parseParameters(text string) (args []*string, number int) {
	number = -1
	for text != "" {
		_, rest, ok := strings.Cut(text, " = ")
		if !ok {
			break
		}
		if after, null := strings.CutPrefix(rest, "NULL"); null {
			args, text = append(args, nil), strings.TrimPrefix(after, ", ")
			continue
		}
		value, after := unquote(rest)
		if value == mark {
			number = len(args)
		}
		args, text = append(args, &value), strings.TrimPrefix(after, ", ")
	}
	return args, number
}

// unquote reads a quoted value from the front of text.
func unquote(text string) (value, rest string) {
	var b strings.Builder
	text = strings.TrimPrefix(text, "'")
	for i := 0; i < len(text); i++ {
		if text[i] != '\'' {
			b.WriteByte(text[i])
			continue
		}
		if i+1 < len(text) && text[i+1] == '\'' {
			b.WriteByte('\'')
			i++
			continue
		}
		return b.String(), text[i+1:]
	}
	return b.String(), ""
}

// fallback is what a server does at least, for measuring the floor without one: settings of the
// request, local to the transaction, then the rows.
func fallback(x mix) []statement {
	text := func(s string) *string { return &s }
	n := mark
	return []statement{
		{
			sql: "select set_config('search_path', $1, true), set_config('role', $2, true), set_config('request.jwt.claims', $3, true), " +
				"set_config('request.method', $4, true), set_config('request.path', $5, true), set_config('request.headers', $6, true), " +
				"set_config('request.cookies', $7, true), set_config('transaction_read_only', 'on', true)",
			args: []*string{text(`"bench", "public"`), text("anon"), text(`{"role":"anon"}`), text("GET"), text("/item"),
				text(`{"host":"127.0.0.1:3000"}`), text("{}")},
			number: -1,
		},
		{sql: x.sql, args: []*string{&n}, number: 0},
	}
}

// asJSON is the same transaction with a main statement that makes the whole body in SQL.
func asJSON(flight []statement, x mix) []statement {
	n := mark
	last := statement{sql: "select coalesce(json_agg(_), '[]')::text from (" + x.sql + ") _", args: []*string{&n}}
	return append(append([]statement{}, flight[:len(flight)-1]...), last)
}
