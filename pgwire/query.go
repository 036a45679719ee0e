package pgwire

import (
	"context"
	"strings"

	"github.com/jackc/pgx/v5/pgproto3"
)

// Query runs one statement with text arguments and calls each for every row. Columns
// are in text format, nil for NULL, and borrowed. The statement is a transaction, or
// part of the transaction block that Exec has opened. It is not kept as a prepared
// statement.
func (c *Conn) Query(ctx context.Context, sql string, args []string, each func(columns [][]byte) error) error {
	f := &c.own
	f.Reset()
	defer f.Reset()
	f.Add(&Stmt{sql: sql}, rowFunc(each))
	f.steps[0].unnamed = true
	for _, a := range args {
		f.Arg([]byte(a))
	}
	return c.Run(ctx, f)
}

// rowFunc is a Sink that uses only rows.
type rowFunc func([][]byte) error

func (rowFunc) Fields([]pgproto3.FieldDescription) error { return nil }
func (fn rowFunc) Row(values [][]byte) error             { return fn(values) }
func (rowFunc) Complete([]byte)                          {}

// Exec runs any number of statements by the simple query protocol and discards their
// rows.
//
// A session reset that is due is a separate round trip before the Query: after an error
// the server would skip the Query and wait for a Sync.
func (c *Conn) Exec(ctx context.Context, sql string) error {
	if sql == "" {
		sql = ";"
	}
	f := &c.own
	f.Reset()
	defer f.Reset()
	if err := c.Reset(ctx); err != nil {
		return err
	}
	f.simple = sql
	return c.Run(ctx, f)
}

// Reset resets the session now, if a reset is due, and not with the next flight.
func (c *Conn) Reset(ctx context.Context) error {
	if c.session == Clean || c.status != 'I' {
		return nil
	}
	c.own.Reset()
	return c.Run(ctx, &c.own)
}

func (c *Conn) encodeSimple(f *Flight) error {
	if strings.IndexByte(f.simple, 0) >= 0 {
		return errNul
	}
	var err error
	if c.out.buf, err = (&pgproto3.Query{String: f.simple}).Encode(c.out.buf); err == nil {
		c.noteState(f)
	}
	return err
}

func (c *Conn) readSimple(f *Flight) error {
	for {
		kind, body, err := c.in.next()
		if err != nil {
			return c.lost(f, err)
		}
		c.begun = true
		switch kind {
		case 'T', 'D', 'C', 'I':
		case 'E':
			said, end := c.readError(f, body)
			if end != nil {
				return end
			}
			f.fail(-1, said)
		case 'Z':
			return c.ready(f, body)
		default:
			if err := c.asyncMessage(kind, body); err != nil {
				return err
			}
		}
	}
}
