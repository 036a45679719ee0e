package server

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/fastgrest/fastgrest/pgwire"
	"github.com/fastgrest/fastgrest/planner/catalog"
	"github.com/fastgrest/fastgrest/server/auth"
	"github.com/fastgrest/fastgrest/server/config"
	"github.com/fastgrest/fastgrest/server/oplog"
)

// reloader takes the wishes for reloads. One goroutine fulfils them, one after
// the other; a wish that comes while the same one waits is the same wish.
type reloader struct {
	catalog chan struct{}
	config  chan struct{}
	first   chan struct{} // closed after the first attempt to load a catalog
	ready   chan struct{} // closed after the first catalog
	begun   atomic.Bool   // a catalog has been asked for
	loaded  atomic.Bool   // the catalog in force is the one last asked for
	polling chan struct{} // db-schema-poll-interval may have changed
	reached chan struct{} // the pool has reached the database: the listener may try again
	strayed chan struct{} // the pool has left its server for another

	// print is the fingerprint of what was last loaded, "" if none was taken.
	print atomic.Pointer[string]
}

func (r *reloader) init() {
	r.catalog = make(chan struct{}, 1)
	r.config = make(chan struct{}, 1)
	r.first = make(chan struct{})
	r.ready = make(chan struct{})
	r.polling = make(chan struct{}, 1)
	r.reached = make(chan struct{}, 1)
	r.strayed = make(chan struct{}, 1)
}

func (r *reloader) wantCatalog() { wish(r.catalog) }
func (r *reloader) wantConfig()  { wish(r.config) }

func wish(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// startReloads begins with the first catalog. The channel it returns is closed
// after the first attempt, whether or not it succeeded.
func (s *Server) startReloads(ctx context.Context) <-chan struct{} {
	s.reloads.begun.Store(true)
	s.reloads.wantCatalog()
	go s.reloadLoop(ctx)
	return s.reloads.first
}

const (
	firstDelay = time.Second
	maxDelay   = 32 * time.Second
)

// nextDelay is how long to wait after one more failure.
func nextDelay(delay time.Duration) time.Duration { return min(max(delay*2, firstDelay), maxDelay) }

func (s *Server) reloadLoop(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-s.reloads.config:
			s.reloadConfig(ctx)
		case <-s.reloads.catalog:
			s.loadUntilDone(ctx)
		case <-s.reloads.strayed:
			// What listens does so where nothing will be said, and what was said
			// elsewhere is lost.
			s.relisten(ctx)
			s.reloads.wantCatalog()
		}
	}
}

// loadUntilDone loads the catalog, waiting longer after every failure.
func (s *Server) loadUntilDone(ctx context.Context) {
	for delay := time.Duration(0); ; {
		err := s.loadCatalog(ctx)
		select {
		case <-s.reloads.first:
		default:
			close(s.reloads.first)
		}
		if err == nil {
			s.delay.Store(0)
			select {
			case <-s.reloads.ready:
			default:
				close(s.reloads.ready)
			}
			return
		}
		if !s.config().DBPoolAutomaticRecovery {
			s.giveUp(err)
			return
		}
		if ctx.Err() != nil {
			return
		}
		delay = nextDelay(delay)
		s.delay.Store(int64(delay / time.Second))
		s.log.Reconnecting(delay)
		select {
		case <-ctx.Done():
			return
		case <-time.After(delay):
		case <-s.reloads.catalog: // asked for again: try at once
		}
	}
}

// minimumVersion is the oldest PostgreSQL we run against.
const minimumVersion, minimumVersionName = 140000, "14.0"

// loadCatalog reads version, in-database configuration and catalog, and puts a
// new snapshot in force.
func (s *Server) loadCatalog(ctx context.Context) error {
	conn, err := s.pool.Acquire(ctx)
	if ctx.Err() != nil && err != nil {
		return err // we are ending: no news to anybody
	}
	if err != nil {
		s.log.VersionFailed(s.problemText(err))
		s.checkFatal(err)
		return err
	}
	defer conn.Release()
	c := conn.Conn
	c.Soil(pgwire.Soiled) // what we read as, and how, must not be some request's choice
	if c.ServerVersion() < minimumVersion {
		name := c.ParameterStatus("server_version")
		s.log.UnsupportedVersion(name, minimumVersionName)
		err := errors.New("unsupported PostgreSQL version " + name)
		s.die(err)
		return err
	}
	var full string
	err = c.Query(ctx, "SELECT version()", nil, func(columns [][]byte) error { full = string(columns[0]); return nil })
	if err != nil {
		s.log.VersionFailed(s.problemText(err))
		return err
	}
	s.log.Connected(full)
	cfg := s.config()
	s.log.PoolInit(cfg.DBPool)
	// Before anything is read: what changes meanwhile is loaded once more.
	s.takePrint(ctx, c)
	// Without settings in the database files are left for a reload of the
	// configuration to read.
	reread := false
	if cfg.DBConfig {
		if next, err := s.readConfig(ctx, c); err != nil {
			s.log.ConfigInvalid(err)
		} else {
			cfg, reread = next, true
		}
	}

	session, err := readSession(ctx, c)
	if err != nil {
		s.log.VersionFailed(s.problemText(err))
		return err
	}
	start := time.Now()
	cat, err := readCatalog(ctx, c, cfg)
	if err != nil {
		s.reloads.loaded.Store(false)
		s.metrics.SchemaCacheFailed()
		s.log.SchemaCacheFailed(cfg.DBSchemas, cfg.DBExtraSearchPath, s.problemText(err))
		return err
	}
	took := time.Since(start)
	if err := s.install(cfg, cat, session); err != nil {
		return err
	}
	if reread {
		s.warnDeprecated()
		s.followChannel(ctx)
	}
	// Sessions keep catalog caches of their own; new ones are certain to agree
	// with what was just read.
	s.pool.Flush()
	s.log.PoolFlushed()
	s.metrics.SchemaCacheLoaded(took)
	var timings []oplog.Timing
	for _, t := range cat.Timings {
		timings = append(timings, oplog.Timing{Name: t.Name, Took: t.Took})
	}
	s.log.SchemaCacheQueried(took, timings)
	start = time.Now()
	summary := cat.Summary()
	s.log.SchemaCacheLoaded(time.Since(start), summary)
	if len(cat.Unreadable) > 0 {
		views := make([]string, len(cat.Unreadable))
		for i, v := range cat.Unreadable {
			views[i] = v.Schema + "." + v.Name
		}
		s.log.ViewsUnreadable(views)
	}
	s.reloads.loaded.Store(true)
	return nil
}

// readCatalog loads the catalog in one read-only transaction.
func readCatalog(ctx context.Context, c *pgwire.Conn, cfg *config.Config) (*catalog.Catalog, error) {
	if err := c.Exec(ctx, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"); err != nil {
		return nil, err
	}
	cat, err := catalog.Load(ctx, c.Query, catalog.Options{
		Schemas: cfg.DBSchemas, ExtraSearchPath: cfg.DBExtraSearchPath, HoistedTxSettings: cfg.DBHoistedTxSettings,
	})
	if rollback := c.Exec(ctx, "ROLLBACK"); err == nil {
		err = rollback
	}
	return cat, err
}

// readConfig reads file, environment and database again.
func (s *Server) readConfig(ctx context.Context, c *pgwire.Conn) (*config.Config, error) {
	old := s.config()
	source := s.options.Source
	source.PreviousURI = old.DBURI
	if old.DBConfig {
		var err error
		if source.Database, err = config.ReadDatabase(ctx, c.Query, old.DBPreConfig); err != nil {
			s.log.ConfigReadFailed(s.problemText(err))
			source.Database = nil
		}
		if source.RoleSettings, source.RoleIsolation, err = config.ReadRoles(ctx, c.Query); err != nil {
			s.log.RoleSettingsFailed(s.problemText(err))
		}
	}
	return config.Load(source)
}

// reloadConfig puts a new configuration in force over the same catalog.
func (s *Server) reloadConfig(ctx context.Context) {
	var cfg *config.Config
	conn, err := s.pool.Acquire(ctx)
	if err == nil {
		conn.Soil(pgwire.Soiled)
		cfg, err = s.readConfig(ctx, conn.Conn)
		conn.Soil(pgwire.Soiled) // db-pre-config is code of the database
		conn.Release()
	} else {
		s.log.ConfigReadFailed(s.problemText(err))
		cfg, err = config.Load(s.options.Source)
	}
	if err != nil {
		s.log.ConfigInvalid(err)
		return
	}
	var cat *catalog.Catalog
	if p := s.snapshot.Load().planner; p != nil {
		cat = p.Catalog()
	}
	if err := s.install(cfg, cat, s.snapshot.Load().session); err != nil {
		s.log.ConfigInvalid(err)
		return
	}
	s.warnDeprecated()
	s.followChannel(ctx)
	s.log.ConfigReloaded()
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
	s.pool.SetPatience(patience(cfg))
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

// problemText is an error as PostgREST logs it: the object a client would get.
func (s *Server) problemText(err error) string {
	return string(problemOf(err, false).appendJSON(nil, config.Verbose))
}

// checkFatal ends the process on errors that waiting cannot mend.
func (s *Server) checkFatal(err error) {
	var conn *pgwire.ConnError
	if !errors.As(err, &conn) || conn.Kind != pgwire.CannotConnect {
		return
	}
	text := conn.Error()
	if strings.Contains(text, "password authentication failed") || strings.Contains(text, "no password supplied") {
		s.log.FatalError(oplog.FatalAuth, s.problemText(err))
		s.die(err)
	}
}

// notifySignals reloads on SIGUSR1 (catalog) and SIGUSR2 (configuration).
func (s *Server) notifySignals(ctx context.Context) (stop func()) {
	c := make(chan os.Signal, 4)
	signal.Notify(c, syscall.SIGUSR1, syscall.SIGUSR2)
	go func() {
		for {
			select {
			case <-ctx.Done():
				return
			case sig := <-c:
				if sig == syscall.SIGUSR1 {
					s.reloads.wantCatalog()
				} else {
					s.reloads.wantConfig()
				}
			}
		}
	}()
	return func() { signal.Stop(c) }
}
