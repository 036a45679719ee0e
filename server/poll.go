package server

import (
	"context"
	"time"

	"github.com/fastgrest/fastgrest/pgwire"
	"github.com/fastgrest/fastgrest/planner/catalog"
)

// pollSchema looks at the catalog every db-schema-poll-interval and asks for a
// reload when it has changed. That is for where no notification can arrive; it
// sees changes later, and costs more, than LISTEN does.
func (s *Server) pollSchema(ctx context.Context) {
	p := poller{server: s}
	for {
		var tick <-chan time.Time
		if interval := s.config().DBSchemaPollInterval; interval > 0 {
			tick = time.After(interval)
		}
		select {
		case <-ctx.Done():
			return
		case <-s.reloads.polling:
		case <-tick:
			p.look(ctx)
		}
	}
}

type poller struct {
	server *Server
	moment string // of the last fingerprint
	failed bool   // the last look
}

func (p *poller) look(ctx context.Context) {
	s := p.server
	print, err := p.fingerprint(ctx)
	switch known := s.reloads.fingerprint.Load(); {
	case ctx.Err() != nil:
	case err != nil:
		// The database is away, most likely, which others report too.
		if !p.failed {
			s.log.PollFailed(s.problemText(err))
		}
	case print == "": // nothing was written since the last look
	case known == nil:
		// Polling was off when the catalog was loaded.
		s.reloads.wantCatalog()
	case print != *known:
		s.log.SchemaChanged()
		s.reloads.wantCatalog()
	}
	p.failed = err != nil
}

// fingerprint returns one, or "" if nothing can have changed.
func (p *poller) fingerprint(ctx context.Context) (string, error) {
	conn, err := p.server.acquireReset(ctx)
	if err != nil {
		return "", err
	}
	defer conn.Release()
	moment, err := catalog.Moment(ctx, conn.Query)
	if err != nil || moment == p.moment && p.server.reloads.fingerprint.Load() != nil {
		return "", err
	}
	print, err := fingerprint(ctx, conn.Conn)
	if err == nil {
		p.moment = moment
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
	s.reloads.fingerprint.Store(nil)
	if s.config().DBSchemaPollInterval == 0 {
		return
	}
	print, err := fingerprint(ctx, c)
	if err != nil {
		s.log.PollFailed(s.problemText(err))
		return
	}
	s.reloads.fingerprint.Store(&print)
}
