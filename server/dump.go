package server

import (
	"context"
	"errors"

	"github.com/fastgrest/fastgrest/pgwire"
	"github.com/fastgrest/fastgrest/server/config"
	"github.com/fastgrest/fastgrest/server/oplog"
)

// DumpConfig writes the configuration in force, what the database says
// included, to Stdout; all: also settings that PostgREST does not have, if they
// are at their defaults. A database that cannot be reached is a warning.
func DumpConfig(ctx context.Context, o Options, all bool) error {
	c, err := config.Load(o.Source)
	if err != nil {
		return err
	}
	s, err := newServer(o)
	var uri *uriError
	switch {
	case errors.As(err, &uri):
		log := oplog.New(oplog.Options{Err: o.Stderr, JSON: c.LogFormat == config.LogJSON})
		defer log.Close()
		log.ConfigReadFailed(problemText(&pgwire.ConnError{Kind: pgwire.CannotConnect, Err: uri.err}))
		_, err = o.Stdout.Write(c.AppendDump(nil, all))
		return err
	case err != nil:
		return err
	}
	defer s.close()
	s.warnAtStart()
	if c.DBConfig {
		if conn, err := s.pool.Acquire(ctx); err != nil {
			s.log.ConfigReadFailed(problemText(err))
			s.log.RoleSettingsFailed(problemText(err))
		} else {
			r := s.readConfigOn(ctx, conn.Conn)
			conn.Release()
			if r.err != nil {
				return r.err
			}
			c = r.config
		}
	}
	_, err = o.Stdout.Write(c.AppendDump(nil, all))
	return err
}

// DumpSchema writes the schema cache as JSON to Stdout.
func DumpSchema(ctx context.Context, o Options) error {
	s, err := newServer(o)
	if err != nil {
		return err
	}
	defer s.close()
	s.warnAtStart()
	c := s.config()
	conn, err := s.pool.Acquire(ctx)
	if err != nil {
		s.log.SchemaCacheFailed(c.DBSchemas, c.DBExtraSearchPath, problemText(err))
		return err
	}
	defer conn.Release()
	if c.DBConfig {
		r := s.readConfigOn(ctx, conn.Conn)
		if r.err != nil {
			return r.err
		}
		c = r.config
	}
	cat, err := readCatalog(ctx, conn.Conn, catalogOptions(c), nil)
	if err != nil {
		s.log.SchemaCacheFailed(c.DBSchemas, c.DBExtraSearchPath, problemText(err))
		return err
	}
	_, err = o.Stdout.Write(append(cat.AppendJSON(nil), '\n'))
	return err
}
