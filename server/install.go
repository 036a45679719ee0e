package server

import (
	"context"
	"errors"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/fastgrest/fastgrest/planner/catalog"
	"github.com/fastgrest/fastgrest/server/auth"
	"github.com/fastgrest/fastgrest/server/config"
	"github.com/fastgrest/fastgrest/server/exec"
	"github.com/fastgrest/fastgrest/server/life"
	"github.com/fastgrest/fastgrest/server/nodes"
	"github.com/fastgrest/fastgrest/server/oplog"
)

// The loop of package life calls these functions to put a configuration or a
// catalog in force. They run in its goroutine. warnAtStart is called before the loop
// begins.

// Install implements life.Config. The catalog in force stays.
func (r *configRead) Install() (changed, complete bool) {
	s := r.server
	if r.kept && r.before != s.stored.Load() {
		// It lacks what another read has found meanwhile.
		s.life.Ask(life.ReloadConfig)
		return false, false
	}
	s.stored.Store(&r.stored)
	changed, err := s.applyConfig(r)
	if err != nil {
		s.log.ConfigInvalid(err)
		return false, r.asked
	}
	s.warnDeprecated()
	s.warnOfSettings(true)
	s.log.ConfigReloaded()
	s.keySets.Refresh()
	return changed, r.asked || !s.config().DBConfig
}

// applyConfig puts a configuration in force if it differs from the one that is.
func (s *Server) applyConfig(r *configRead) (changed bool, err error) {
	if r.err != nil {
		return false, r.err
	}
	snap := s.snapshot.Load()
	if reflect.DeepEqual(r.config, snap.config) {
		return false, nil
	}
	var cat *catalog.Catalog
	if snap.planner != nil {
		cat = snap.planner.Catalog()
	}
	return true, s.install(r.config, cat, snap.session, snap.position)
}

// Install implements life.Catalog. It logs and counts the outcome.
func (r *catalogRead) Install() life.Outcome {
	s := r.server
	if r.err == nil {
		r.err = s.applyCatalog(r)
	} else if s.tellFailure(r) {
		return life.Ending
	}
	switch {
	case r.err != nil && s.giveUp(r.err):
		return life.Ending
	case r.err != nil && r.step == stepCatalog:
		return life.Failed
	case r.err != nil:
		return life.Unreachable
	case !reflect.DeepEqual(r.options, catalogOptions(s.config())):
		return life.Outdated
	}
	return life.Loaded
}

// tellFailure logs why there is no catalog. It ends the process, and reports
// true, if waiting cannot help.
func (s *Server) tellFailure(r *catalogRead) (ends bool) {
	switch {
	case errors.Is(r.err, context.Canceled): // the process ends
	case r.step == stepVersion:
		s.die(loggedError{r.err})
		return true
	case s.checkFatal(r.err, r.step == stepCatalog):
		return true
	default:
		if r.step == stepConnect {
			s.log.VersionFailed(problemText(r.err))
		}
		s.metrics.SchemaCacheFailed()
		s.log.SchemaCacheFailed(r.options.Schemas, r.options.ExtraSearchPath, problemText(r.err))
	}
	return false
}

// applyCatalog puts a catalog in force.
func (s *Server) applyCatalog(r *catalogRead) error {
	began := time.Now()
	if err := s.install(s.config(), r.catalog, r.session, r.position); err != nil {
		return err
	}
	// Sessions keep catalog caches of their own; new ones are certain to agree
	// with what was just read.
	s.pool.Flush()
	if s.nodes != nil {
		s.nodes.Loaded(r.position)
	}
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
	return nil
}

// install makes a snapshot of a configuration and a catalog and puts it in force.
// Keys and cached tokens are kept if what they are made of has not changed.
func (s *Server) install(cfg *config.Config, cat *catalog.Catalog, session exec.Session, at nodes.Position) error {
	a := s.snapshot.Load().auth
	defer func() { s.keySets.Keep(s.snapshot.Load().auth.Remotes()) }()
	if o := s.authOptions(cfg); !a.Serves(o) {
		var err error
		if a, err = auth.New(o); err != nil {
			return err
		}
	}
	s.log.SetLevel(oplog.Level(cfg.LogLevel))
	s.pool.SetFlightTimeout(cfg.DBFlightTimeout)
	s.spool.SetLimits(spoolLimits(cfg))
	s.log.SetJSON(cfg.LogFormat == config.LogJSON)
	if s.nodes != nil {
		for _, n := range s.nodes.Replicas() {
			n.Pool.SetFlightTimeout(cfg.DBFlightTimeout)
		}
	}
	snap := newSnapshot(cfg, a, cat, session)
	snap.position = at
	s.snapshot.Store(snap)
	s.poll.Changed()
	return nil
}

// warnAtStart is called before the database is asked for its settings.
func (s *Server) warnAtStart() {
	s.warnDeprecated()
	s.warnOfSettings(false)
}

// warnDeprecated is called whenever a configuration was read.
func (s *Server) warnDeprecated() {
	if path, deprecated := s.snapshot.Load().auth.Deprecated(); deprecated {
		s.log.DeprecatedRolePath(path)
	}
}

// warnOfSettings logs each warning about the configuration in force, except
// those that it logged for the configuration before. complete: the configuration
// has the settings of the database, if db-config is set.
func (s *Server) warnOfSettings(complete bool) {
	c := s.config()
	warnings := append([]string(nil), c.Warnings...)
	if complete && c.DBAnonRole == "" && !c.TakesTokens() {
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
