package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/fastgrest/fastgrest/bench/load"
)

// statement is one statement of a transaction, as the server sends it.
type statement struct {
	sql  string
	args []argument
}

// argument is a text with the drawn number between its parts. No parts mean
// null.
type argument struct{ parts []string }

// text returns an argument without a number.
func text(s string) argument { return argument{[]string{s}} }

// alone is an argument that consists of the number.
var alone = argument{[]string{"", ""}}

func (a argument) varies() bool { return len(a.parts) > 1 }

func (a argument) isNumber() bool { return len(a.parts) == 2 && a.parts[0] == "" && a.parts[1] == "" }

func (a argument) append(dst []byte, n int) []byte {
	for i, part := range a.parts {
		if i > 0 {
			dst = strconv.AppendInt(dst, int64(n), 10)
		}
		dst = append(dst, part...)
	}
	return dst
}

// settled is the number of requests of a shape after which a server sends its final SQL. The first requests may
// differ: fastgrest writes a LIMIT into the SQL only after it has seen it a few times.
const settled = 50

// settle sends requests of each kind until a server has settled, and returns its last response body: for a mix of
// several kinds, a JSON array of them.
func settle(ctx context.Context, x *mix, target load.Target) (answer []byte, err error) {
	var bodies [][]byte
	for i, kind := range target.Kinds() { // a server that cannot serve all of them is not comparable
		times := settled
		if x.aside != "" && i > 0 {
			times = 1
		}
		var last []byte
		for range times {
			if last, err = load.Ask(ctx, kind, x.mark()); err != nil {
				return nil, err
			}
		}
		if i == 0 {
			answer = last
		}
		if len(last) > 0 {
			bodies = append(bodies, last)
		}
	}
	if x.kinds == nil {
		return answer, nil
	}
	return slices.Concat([]byte{'['}, bytes.Join(bodies, []byte{','}), []byte{']'}), nil
}

// capture sends a request and reads its statements from PostgreSQL's log, so that the floor runs exactly the SQL
// of the server under test.
func capture(ctx context.Context, m *machine, x *mix, target load.Target) (flight []statement, answer []byte, err error) {
	if _, err := settle(ctx, x, target); err != nil {
		return nil, nil, fmt.Errorf("%s: %w", x.name, err)
	}
	if err := m.logStatements(ctx, "all"); err != nil {
		return nil, nil, err
	}
	before, err := os.ReadFile(m.database.LogFile())
	if err != nil {
		return nil, nil, err
	}
	if answer, err = load.Ask(ctx, target, x.mark()); err != nil {
		return nil, nil, fmt.Errorf("%s: %w", x.name, err)
	}
	time.Sleep(200 * time.Millisecond)
	after, err := os.ReadFile(m.database.LogFile())
	if err != nil {
		return nil, nil, err
	}
	if err := m.logStatements(ctx, "none"); err != nil {
		return nil, nil, err
	}
	mark := ""
	if x.varies() {
		mark = strconv.Itoa(x.mark())
	}
	flight = parseLog(bytes.TrimPrefix(after, before), mark)
	if len(flight) == 0 {
		return nil, nil, fmt.Errorf("%s: PostgreSQL logged no statement for %s", x.name, x.path)
	}
	return flight, answer, nil
}

// parseLog reads "LOG:  execute NAME: SQL" and the "DETAIL:  parameters: ..." below it. Further lines of a
// statement start with a tab.
func parseLog(log []byte, mark string) []statement {
	var list []statement
	for _, entry := range splitEntries(strings.ReplaceAll(string(log), "\n\t", "\n  ")) {
		if rest, ok := cutAfter(entry, "LOG:  execute "); ok {
			if _, sql, ok := strings.Cut(rest, ": "); ok {
				list = append(list, statement{sql: strings.TrimSpace(sql)})
			}
		}
		if rest, ok := cutAfter(strings.Replace(entry, "Parameters:", "parameters:", 1), "DETAIL:  parameters: "); ok && len(list) > 0 {
			list[len(list)-1].args = parseParameters(strings.TrimSpace(rest), mark)
		}
	}
	return list
}

// splitEntries splits a log at lines that do not continue the previous one.
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

// parseParameters reads "$1 = 'a', $2 = NULL". Quotes inside values are
// doubled.
func parseParameters(list, mark string) (args []argument) {
	for list != "" {
		_, rest, ok := strings.Cut(list, " = ")
		if !ok {
			break
		}
		if after, null := strings.CutPrefix(rest, "NULL"); null {
			args, list = append(args, argument{}), strings.TrimPrefix(after, ", ")
			continue
		}
		value, after := unquote(rest)
		a := text(value)
		if mark != "" {
			a.parts = strings.Split(value, mark)
		}
		args, list = append(args, a), strings.TrimPrefix(after, ", ")
	}
	return args
}

// unquote reads a quoted value from the start of text.
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

// fallback returns the minimal transaction of a server, for a floor without a server: the settings of the request,
// local to the transaction, then the rows.
func fallback(x *mix) []statement {
	return []statement{
		{
			sql: "select set_config('search_path', $1, true), set_config('role', $2, true), set_config('request.jwt.claims', $3, true), " +
				"set_config('request.method', $4, true), set_config('request.path', $5, true), set_config('request.headers', $6, true), " +
				"set_config('request.cookies', $7, true), set_config('transaction_read_only', 'on', true)",
			args: []argument{text(`"bench", "public"`), text("anon"), text(`{"role":"anon"}`), text("GET"), text("/item"),
				text(`{"host":"127.0.0.1:3000"}`), text("{}")},
		},
		ofMix(x.sql),
	}
}

// ofMix returns a statement, with the number as its argument if the SQL has
// one.
func ofMix(sql string) statement {
	if !strings.Contains(sql, "$1") {
		return statement{sql: sql}
	}
	return statement{sql: sql, args: []argument{alone}}
}

// mainStatement returns the index of the statement with the number. Other
// statements may follow it.
func mainStatement(flight []statement) int {
	for i, st := range slices.Backward(flight) {
		if slices.ContainsFunc(st.args, argument.varies) {
			return i
		}
	}
	return len(flight) - 1
}

// asJSON returns the transaction with a main statement that makes the whole body in SQL.
func asJSON(flight []statement, x *mix) []statement {
	list := slices.Clone(flight)
	list[mainStatement(flight)] = ofMix("select coalesce(json_agg(_), '[]')::text from (" + x.sql + ") _")
	return list
}

// checkJSON compares the body that asJSON makes with the server's response. A floor with another result is not
// comparable.
func checkJSON(ctx context.Context, uri string, flight []statement, x *mix, answer []byte) error {
	c, err := dialWire(ctx, uri, asJSON(flight, x), textFormat, x.mark(), 0)
	if err != nil {
		return err
	}
	defer c.conn.Conn.Close()
	c.keep = true
	if err := c.once(x.mark()); err != nil {
		return err
	}
	body := c.kept[mainStatement(flight)]
	var ours, theirs bytes.Buffer // compacted: json_agg writes more white space
	if err := errors.Join(json.Compact(&ours, answer), json.Compact(&theirs, body)); err != nil {
		return fmt.Errorf("%s: %w", x.name, err)
	}
	if !bytes.Equal(ours.Bytes(), theirs.Bytes()) {
		return fmt.Errorf("%s: the mix's sql does not make the body of the response:\n%.500s\n%.500s", x.name, body, answer)
	}
	return nil
}
