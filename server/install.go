package server

import (
	"context"
	"errors"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/fastgrest/fastgrest/pgwire"
	"github.com/fastgrest/fastgrest/planner/catalog"
	"github.com/fastgrest/fastgrest/server/auth"
	"github.com/fastgrest/fastgrest/server/config"
	"github.com/fastgrest/fastgrest/server/oplog"
)

// What reloadLoop does with what was read.

// applyConfig puts a configuration in force over the catalog there is. It
// reports whether anything has changed.
func (s *Server) applyConfig(ctx context.Context, r *configRead) (changed bool) {
	if r.err != nil {
		s.log.ConfigInvalid(r.err)
		return false
	}
	snap := s.snapshot.Load()
	changed = !reflect.DeepEqual(r.config, snap.config)
	if changed {
		var cat *catalog.Catalog
		if snap.planner != nil {
			cat = snap.planner.Catalog()
		}
		if err := s.install(r.config, cat, snap.session); err != nil {
			s.log.ConfigInvalid(err)
			return false
		}
		s.followChannel(ctx)
	}
	s.warnDeprecated()
	s.warnOfSettings(true)
	s.log.ConfigReloaded()
	return changed
}

// applyCatalog puts a catalog in force and tells of it, or of why there is none.
// The error is Logged if it ends the process.
func (s *Server) applyCatalog(r *catalogRead) error {
	switch {
	case r.err == nil:
	case errors.Is(r.err, context.Canceled):
		return r.err // the process ends
	case r.step == stepVersion:
		s.die(loggedError{r.err})
		return loggedError{r.err}
	case s.checkFatal(r.err, r.step == stepCatalog):
		return loggedError{r.err}
	case r.step == stepConnect:
		s.log.VersionFailed(s.problemText(r.err))
		return r.err
	default:
		s.reloads.loaded.Store(false)
		s.metrics.SchemaCacheFailed()
		s.log.SchemaCacheFailed(r.options.Schemas, r.options.ExtraSearchPath, s.problemText(r.err))
		return r.err
	}
	began := time.Now()
	if err := s.install(s.config(), r.catalog, r.session); err != nil {
		return err
	}
	// Sessions keep catalog caches of their own; new ones are certain to agree
	// with what was just read.
	s.pool.Flush()
	s.log.PoolFlushed()
	queried := r.catalog.Queried
	s.metrics.SchemaCacheLoaded(queried)
	var timings []oplog.Timing
	for _, t := range r.catalog.Timings {
		timings = append(timings, oplog.Timing{Name: t.Name, Took: t.Took})
	}
	s.log.SchemaCacheQueried(queried, timings)
	s.log.SchemaCacheLoaded(r.took-queried+time.Since(began), r.catalog.Summary())
	if len(r.catalog.Unreadable) > 0 {
		views := make([]string, len(r.catalog.Unreadable))
		for i, v := range r.catalog.Unreadable {
			views[i] = v.Schema + "." + v.Name
		}
		s.log.ViewsUnreadable(views)
	}
	s.reloads.loaded.Store(true)
	return nil
}

// install puts configuration and catalog in force. Keys and cached tokens are
// kept if what they are made of has not changed.
func (s *Server) install(cfg *config.Config, cat *catalog.Catalog, session session) error {
	a := s.snapshot.Load().auth
	if o := authOptions(cfg); !a.Serves(o) {
		var err error
		if a, err = auth.New(o); err != nil {
			return err
		}
	}
	s.log.SetLevel(oplog.Level(cfg.LogLevel))
	s.pool.SetFlightTimeout(cfg.DBFlightTimeout)
	s.spool.SetLimits(spoolLimits(cfg))
	s.log.SetJSON(cfg.LogFormat == config.LogJSON)
	s.snapshot.Store(newSnapshot(cfg, a, cat, session))
	wish(s.reloads.polling)
	return nil
}

// warnDeprecated is repeated whenever the configuration has been read.
func (s *Server) warnDeprecated() {
	if path, deprecated := s.snapshot.Load().auth.Deprecated(); deprecated {
		s.log.DeprecatedRolePath(path)
	}
}

// warnOfSettings logs each warning about the configuration in force, except
// those that it logged for the configuration before. complete: the settings of
// the database are part of the configuration, or do not count.
func (s *Server) warnOfSettings(complete bool) {
	c := s.config()
	warnings := append([]string(nil), c.Warnings...)
	if complete && c.DBAnonRole == "" && c.JWTSecret == nil {
		warnings = append(warnings, "neither db-anon-role nor jwt-secret is set, so every request is refused")
	}
	if keys := config.NeedsRestart(s.startConfig, c); len(keys) > 0 {
		warnings = append(warnings, "changed, but needs a restart to take effect: "+strings.Join(keys, ", "))
	}
	for _, w := range warnings {
		if !slices.Contains(s.warned, w) {
			s.log.ConfigWarning(w)
		}
	}
	s.warned = warnings
}

// problemText is an error as PostgREST logs it: the object a client would get.
func (s *Server) problemText(err error) string { return problemText(err) }

func problemText(err error) string {
	return string(problemOf(err, false).appendJSON(nil, config.Verbose))
}

// checkFatal ends the process on errors that waiting cannot cure, and reports
// whether err is one. ours: the statement was one of our own.
func (s *Server) checkFatal(err error, ours bool) bool {
	why, fatal := fatalReason(err, ours)
	if fatal {
		s.fatalOnce.Do(func() {
			s.log.FatalError(why, s.problemText(err))
			s.die(loggedError{err})
		})
	}
	return fatal
}

// Errors by their SQLSTATE.
const (
	wrongPassword      = "28P01"
	duplicateStatement = "42P05"
	protocolViolation  = "08P01"
	syntaxError        = "42601"
)

func fatalReason(err error, ours bool) (oplog.Fatal, bool) {
	var server *pgwire.Error
	if !errors.As(err, &server) {
		var unread *catalog.Error
		// What the server sent was not what the query asks for.
		return oplog.FatalBug, ours && errors.As(err, &unread) && !errors.As(err, new(*pgwire.ConnError))
	}
	switch server.Code {
	case wrongPassword:
		var conn *pgwire.ConnError
		return oplog.FatalAuth, errors.As(err, &conn) && conn.Kind == pgwire.CannotConnect
	case duplicateStatement:
		// Raised by the server itself, not by a function (RAISE, PREPARE).
		return oplog.FatalTransactionPooler, server.Routine == "StorePreparedStatement" && server.Where == ""
	case protocolViolation:
		// In the words of PgBouncer, which are never translated.
		return oplog.FatalStatementPooler, server.Message == "transaction blocks not allowed in statement pooling mode"
	case syntaxError:
		return oplog.FatalBug, ours
	}
	return 0, false
}

// checkAnonRole warns if requests cannot run as db-anon-role.
func (s *Server) checkAnonRole(ctx context.Context, c *pgwire.Conn) {
	role, problem := s.config().DBAnonRole, ""
	if role != "" {
		exists, member, err := config.CheckRole(ctx, c.Query, role)
		switch {
		case err != nil: // the next statement on the connection will tell
		case !exists:
			problem = "the role " + strconv.Quote(role) + " (db-anon-role) does not exist, so requests without a token fail"
		case !member:
			problem = "the connection may not become the role " + strconv.Quote(role) + " (db-anon-role), so requests without a token fail: GRANT it to the role of db-uri"
		}
	}
	if problem != "" && problem != s.anonProblem {
		s.log.ConfigWarning(problem)
	}
	s.anonProblem = problem
}
