package pgcluster

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5/pgconn"
)

// Exec runs statements as the superuser. name is what an error calls the text, as in
// "schema.sql:12: ...".
func (c *Cluster) Exec(ctx context.Context, database, name, sql string) error {
	conn, err := pgconn.Connect(ctx, c.URI(database, Superuser))
	if err != nil {
		return &Error{Doing: "run " + name, Err: err}
	}
	defer conn.Close(context.WithoutCancel(ctx))
	if _, err := conn.Exec(ctx, sql).ReadAll(); err != nil {
		return &Error{Doing: "run " + name, Err: located(name, sql, err)}
	}
	return nil
}

// located puts the line in front of a server error that has a position.
func located(name, sql string, err error) error {
	var pgErr *pgconn.PgError
	if !errors.As(err, &pgErr) || pgErr.Position <= 0 {
		return err
	}
	line, chars := 1, int32(1)
	for _, r := range sql {
		if chars == pgErr.Position {
			break
		}
		if r == '\n' {
			line++
		}
		chars++
	}
	return fmt.Errorf("%s:%d: %w", name, line, err)
}
