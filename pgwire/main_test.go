package pgwire_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/fastgrest/fastgrest/pgwire"
	"github.com/fastgrest/fastgrest/pgwire/pgtest"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

var bg = context.Background()

// connect opens a connection to a new database.
func connect(tb testing.TB, change ...func(*pgwire.Config)) *pgwire.Conn {
	tb.Helper()
	c := pgtest.Start(tb)
	return dial(tb, c.URI(c.NewDB(tb), pgtest.Superuser), change...)
}

func dial(tb testing.TB, uri string, change ...func(*pgwire.Config)) *pgwire.Conn {
	tb.Helper()
	cfg, err := pgwire.ParseConfig(uri)
	if err != nil {
		tb.Fatal(err)
	}
	cfg.CancelWait = time.Minute // a busy server may need longer to obey than users like to wait
	for _, ch := range change {
		ch(cfg)
	}
	conn, err := pgwire.Connect(bg, cfg)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { conn.Close() })
	return conn
}

// exec runs SQL and fails the test on an error.
func exec(tb testing.TB, c *pgwire.Conn, sql string) {
	tb.Helper()
	if err := c.Exec(bg, sql); err != nil {
		tb.Fatalf("%s: %v", sql, err)
	}
}

// log is a Sink that records its calls, one line each. It can be made to fail.
type log struct {
	lines []string
	fail  map[string]error // by line
}

func (l *log) add(line string) error {
	l.lines = append(l.lines, line)
	return l.fail[line]
}

func (l *log) Fields(fields []pgproto3.FieldDescription) error {
	line := "fields"
	for _, f := range fields {
		line += fmt.Sprintf(" %s:%d/%d", f.Name, f.DataTypeOID, f.Format)
	}
	return l.add(line)
}

func (l *log) Row(values [][]byte) error {
	line := "row"
	for _, v := range values {
		if v == nil {
			line += " NULL"
		} else {
			line += fmt.Sprintf(" %q", v)
		}
	}
	return l.add(line)
}

func (l *log) Complete(tag []byte) { _ = l.add("complete " + string(tag)) }

func (l *log) take() string {
	text := strings.Join(l.lines, "\n")
	l.lines = nil
	return text
}

// soon fails the test if f does not return.
func soon(tb testing.TB, what string, f func()) {
	tb.Helper()
	done := make(chan struct{})
	go func() {
		defer close(done)
		f()
	}()
	select {
	case <-done:
	case <-time.After(2 * time.Minute):
		tb.Fatalf("%s: still going after two minutes", what)
	}
}

// sinkFunc is a Sink that uses only rows.
type sinkFunc func(values [][]byte) error

func (sinkFunc) Fields([]pgproto3.FieldDescription) error { return nil }
func (f sinkFunc) Row(values [][]byte) error              { return f(values) }
func (sinkFunc) Complete([]byte)                          {}
