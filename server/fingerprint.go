package server

import (
	"context"

	"github.com/fastgrest/fastgrest/pgwire"
	"github.com/fastgrest/fastgrest/planner/catalog"
)

// looker looks at the schema for life.Poll. Only the goroutine that polls uses it.
type looker struct {
	moment string // of the last fingerprint
}

// fingerprint returns that of the schema, or "" if again is set and nothing was
// written since the last one.
func (l *looker) fingerprint(ctx context.Context, s *Server, again bool) (string, error) {
	conn, err := s.acquireReset(ctx)
	if err != nil {
		return "", err
	}
	defer conn.Release()
	moment, err := catalog.Moment(ctx, conn.Query)
	if err != nil || again && moment == l.moment {
		return "", err
	}
	print, err := fingerprint(ctx, conn.Conn)
	if err == nil {
		l.moment = moment
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
