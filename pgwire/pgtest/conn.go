package pgtest

import (
	"context"
	"strconv"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"
)

// Conn is a direct connection of the test to the database.
type Conn struct {
	*pgconn.PgConn
	tb testing.TB
}

// Connect opens a connection that is closed when the test ends.
func Connect(tb testing.TB, uri string) *Conn {
	tb.Helper()
	c, err := pgconn.Connect(context.Background(), uri)
	if err != nil {
		tb.Fatalf("pgtest: %v", err)
	}
	tb.Cleanup(func() { c.Close(context.Background()) })
	return &Conn{PgConn: c, tb: tb}
}

// Connect opens a connection of the superuser.
func (c *Cluster) Connect(tb testing.TB, db string) *Conn {
	tb.Helper()
	return Connect(tb, c.URI(db, Superuser))
}

// For returns the connection for a subtest, or for one run of a fuzz target.
func (c *Conn) For(tb testing.TB) *Conn { return &Conn{PgConn: c.PgConn, tb: tb} }

// Value runs statements and returns the first column of the first row that one of them returns, and
// "" if none does. With args, there is one statement.
func (c *Conn) Value(sql string, args ...string) string {
	c.tb.Helper()
	results, err := c.run(sql, args)
	if err != nil {
		c.tb.Fatalf("%s: %v", sql, err)
	}
	for _, r := range results {
		if len(r.Rows) > 0 {
			return string(r.Rows[0][0])
		}
	}
	return ""
}

func (c *Conn) run(sql string, args []string) ([]*pgconn.Result, error) {
	if len(args) == 0 {
		return c.Exec(context.Background(), sql).ReadAll()
	}
	r := c.ExecParams(context.Background(), sql, textArgs(args), nil, nil, nil).Read()
	return []*pgconn.Result{r}, r.Err
}

// Count is Value of a statement that returns a number.
func (c *Conn) Count(sql string, args ...string) int {
	c.tb.Helper()
	n, err := strconv.Atoi(c.Value(sql, args...))
	if err != nil {
		c.tb.Fatalf("%s: %v", sql, err)
	}
	return n
}

// Querier returns a function that runs statements on a connection and passes each
// row of the result, in text format, to each. A nil value is NULL.
func Querier(c *pgconn.PgConn) func(ctx context.Context, sql string, args []string, each func(row [][]byte) error) error {
	return func(ctx context.Context, sql string, args []string, each func([][]byte) error) error {
		result := c.ExecParams(ctx, sql, textArgs(args), nil, nil, nil)
		for result.NextRow() {
			if err := each(result.Values()); err != nil {
				result.Close()
				return err
			}
		}
		_, err := result.Close()
		return err
	}
}

func textArgs(args []string) [][]byte {
	values := make([][]byte, len(args))
	for i, a := range args {
		values[i] = []byte(a)
	}
	return values
}
