package server

import (
	"context"

	"github.com/fastgrest/fastgrest/pgwire"
	"github.com/fastgrest/fastgrest/planner/catalog"
)

// Look implements life.PollHost.
func (w world) Look(ctx context.Context, again bool) (string, error) {
	conn, err := w.acquireReset(ctx)
	if err != nil {
		return "", err
	}
	defer conn.Release()
	moment, err := catalog.Moment(ctx, conn.Query)
	if err != nil || again && moment == w.looked {
		return "", err
	}
	print, err := fingerprint(ctx, conn.Conn)
	if err == nil {
		w.looked = moment
	}
	return print, err
}

func fingerprint(ctx context.Context, c *pgwire.Conn) (string, error) {
	if err := c.Exec(ctx, "BEGIN READ ONLY"); err != nil {
		return "", err
	}
	print, err := catalog.Fingerprint(ctx, c.Query)
	if rollback := c.Exec(ctx, "ROLLBACK"); err == nil {
		err = rollback
	}
	return print, err
}

// takeFingerprint keeps the fingerprint of the schema that is about to be loaded.
func (s *Server) takeFingerprint(ctx context.Context, c *pgwire.Conn) {
	s.poll.Loading("")
	if s.config().DBSchemaPollInterval == 0 {
		return
	}
	print, err := fingerprint(ctx, c)
	if err != nil {
		s.log.PollFailed(problemText(err))
		return
	}
	s.poll.Loading(print)
}
