package server

import (
	"context"
)

// DumpConfig writes the configuration in force, what the database says
// included, to Stdout.
func DumpConfig(ctx context.Context, o Options) error {
	s, err := newServer(o)
	if err != nil {
		return err
	}
	defer s.close()
	c := s.config()
	if c.DBConfig {
		if conn, err := s.pool.Acquire(ctx); err != nil {
			s.log.ConfigReadFailed(s.problemText(err))
			s.log.RoleSettingsFailed(s.problemText(err))
		} else {
			c, err = s.readConfig(ctx, conn.Conn)
			conn.Release()
			if err != nil {
				return err
			}
		}
	}
	_, err = o.Stdout.Write(c.AppendDump(nil))
	return err
}

// DumpSchema writes the schema cache as JSON to Stdout.
func DumpSchema(ctx context.Context, o Options) error {
	s, err := newServer(o)
	if err != nil {
		return err
	}
	defer s.close()
	conn, err := s.pool.Acquire(ctx)
	if err != nil {
		return err
	}
	defer conn.Release()
	c := s.config()
	if c.DBConfig {
		if c, err = s.readConfig(ctx, conn.Conn); err != nil {
			return err
		}
	}
	cat, err := readCatalog(ctx, conn.Conn, c)
	if err != nil {
		s.log.SchemaCacheFailed(c.DBSchemas, c.DBExtraSearchPath, s.problemText(err))
		return err
	}
	_, err = o.Stdout.Write(append(cat.AppendJSON(nil), '\n'))
	return err
}
