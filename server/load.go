package server

import (
	"context"
	"errors"
	"strconv"
	"time"

	"github.com/fastgrest/fastgrest/pgwire"
	"github.com/fastgrest/fastgrest/pgwire/pool"
	"github.com/fastgrest/fastgrest/planner/catalog"
	"github.com/fastgrest/fastgrest/server/config"
	"github.com/fastgrest/fastgrest/server/exec"
	"github.com/fastgrest/fastgrest/server/nodes"
)

// The loop of package life has these functions read configuration and catalog, in
// goroutines beside it. Nothing here changes what is in force.

// configRead is a configuration that was read. It implements life.Config.
type configRead struct {
	server *Server
	number uint64 // counts from 1 in the order in which reading began
	config *config.Config
	err    error
	asked  bool // the database has told its settings and those of roles

	before *stored // Server.stored when reading began
	stored stored  // the part of config that the database keeps
	kept   bool    // stored has something of before, because it could not be read
}

func (r *configRead) Number() uint64 { return r.number }

// catalogRead is a catalog that was read. It implements life.Catalog.
type catalogRead struct {
	server  *Server
	catalog *catalog.Catalog
	options catalog.Options // it was read with
	// position is where the primary was at that time, if there are read replicas.
	position nodes.Position
	session  exec.Session
	took     time.Duration
	err      error
	step     loadStep // that failed
}

// loadStep is a part of loading a catalog.
type loadStep uint8

const (
	stepConnect loadStep = iota // to connect, and to ask for the version
	stepVersion                 // the version is too old
	stepCatalog
)

// minimumVersion is the oldest PostgreSQL we run against.
const minimumVersion, minimumVersionName = 140000, "14.0"

var errUnsupportedVersion = errors.New("unsupported PostgreSQL version")

// acquireReset borrows a connection and resets its session, so that the role and
// the settings of an earlier request do not apply.
func (s *Server) acquireReset(ctx context.Context) (conn *pool.Conn, err error) {
	err = exec.Again(func() error {
		if conn, err = s.pool.Acquire(ctx); err != nil {
			return err
		}
		if conn.ServerVersion() < minimumVersion {
			return nil // the caller refuses the version
		}
		conn.SessionChanged(pgwire.Dirty)
		if err = conn.Reset(ctx); err != nil {
			conn.Release()
		}
		return err
	})
	return conn, err
}

// readEverything reads version, configuration and catalog. Settings of the
// database count even if the catalog cannot be read: inForce returns once they
// are in force. fresh: the configuration was just read.
func (s *Server) readEverything(ctx context.Context, fresh bool, inForce func(*configRead)) *catalogRead {
	r := &catalogRead{server: s, options: catalogOptions(s.config())}
	conn, err := s.acquireReset(ctx)
	if err != nil {
		r.err = err
		return r
	}
	defer conn.Release()
	c := conn.Conn
	if c.ServerVersion() < minimumVersion {
		s.log.UnsupportedVersion(c.ParameterStatus("server_version"), minimumVersionName)
		r.err, r.step = errUnsupportedVersion, stepVersion
		return r
	}
	var full string
	if r.err = c.Query(ctx, "SELECT version()", nil, func(columns [][]byte) error { full = string(columns[0]); return nil }); r.err != nil {
		return r
	}
	s.log.Connected(full)
	s.log.PoolInit(s.startConfig.DBPool) // a reload does not change the pool
	// This comes first: what changes while we read is loaded once more.
	s.takeFingerprint(ctx, c)
	// Without settings in the database only a reload of the configuration reads
	// files.
	if s.config().DBConfig && !fresh {
		inForce(s.readConfigOn(ctx, c))
	}
	s.checkAnonRole(ctx, c)
	if r.session, r.err = exec.ReadSession(ctx, c); r.err != nil {
		return r
	}
	r.step = stepCatalog
	start := time.Now()
	r.options = catalogOptions(s.config()) // the configuration may be another one now
	var snapshot func() error
	if s.nodes != nil {
		snapshot = func() (err error) { r.position, err = nodes.Here(ctx, c.Query); return err }
	}
	r.catalog, r.err = readCatalog(ctx, c, r.options, snapshot)
	r.took = time.Since(start)
	return r
}

func catalogOptions(c *config.Config) catalog.Options {
	return catalog.Options{Schemas: c.DBSchemas, ExtraSearchPath: c.DBExtraSearchPath, HoistedTxSettings: c.DBHoistedTxSettings}
}

// readCatalog loads the catalog in one read-only transaction. first, if it is not nil, is
// called when that has begun; its first statement takes the snapshot.
func readCatalog(ctx context.Context, c *pgwire.Conn, o catalog.Options, first func() error) (cat *catalog.Catalog, err error) {
	if err := c.Exec(ctx, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"); err != nil {
		return nil, err
	}
	if first != nil {
		err = first()
	}
	if err == nil {
		cat, err = catalog.Load(ctx, c.Query, o)
	}
	if rollback := c.Exec(ctx, "ROLLBACK"); err == nil {
		err = rollback
	}
	return cat, err
}

// checkAnonRole warns if requests cannot run as db-anon-role.
func (s *Server) checkAnonRole(ctx context.Context, c *pgwire.Conn) {
	role, problem := s.config().DBAnonRole, ""
	if role != "" {
		exists, member, err := config.CheckRole(ctx, c.Query, role)
		switch {
		case err != nil: // the next statement on the connection fails too
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

// stored is the part of the configuration that the database keeps. The maps are
// immutable.
type stored struct {
	settings  map[string]string
	roles     map[string][]config.Setting
	isolation map[string]config.Isolation
}

// storedPatience bounds the reading of settings in the database: db-pre-config
// is a function of the database and may wait for anything.
const storedPatience = 30 * time.Second

// readConfiguration reads file, environment and database.
func (s *Server) readConfiguration(ctx context.Context) *configRead {
	conn, err := s.acquireReset(ctx)
	if err != nil {
		r := s.newConfigRead()
		s.log.ConfigReadFailed(problemText(err))
		r.kept = true
		return r.load()
	}
	defer conn.Release()
	return s.readConfigOn(ctx, conn.Conn)
}

// readConfigOn is readConfiguration on a connection. If the database does not
// tell its settings, those that it told before stay: without them requests could be
// allowed more than they should.
func (s *Server) readConfigOn(ctx context.Context, conn *pgwire.Conn) *configRead {
	r := s.newConfigRead()
	c := s.config()
	if !c.DBConfig {
		r.stored = stored{}
		return r.load()
	}
	ctx, cancel := context.WithTimeout(ctx, storedPatience)
	defer cancel()
	settings, err := config.ReadDatabase(ctx, conn.Query, c.DBPreConfig)
	conn.SessionChanged(pgwire.Dirty) // by db-pre-config
	if err != nil {
		r.kept = true
		s.log.ConfigReadFailed(problemText(err))
	} else {
		r.stored.settings = settings
	}
	if roles, isolation, err := config.ReadRoles(ctx, conn.Query); err != nil {
		r.kept = true
		s.log.RoleSettingsFailed(problemText(err))
	} else {
		r.stored.roles, r.stored.isolation = roles, isolation
	}
	r.asked = !r.kept
	return r.load()
}

// newConfigRead begins to read a configuration.
func (s *Server) newConfigRead() *configRead {
	before := s.stored.Load()
	return &configRead{server: s, number: s.configReads.Add(1), before: before, stored: *before}
}

// load reads file and environment, and adds what is known of the database.
func (r *configRead) load() *configRead {
	source := r.server.options.Source
	source.PreviousURI = r.server.config().DBURI
	source.Database, source.RoleSettings, source.RoleIsolation = r.stored.settings, r.stored.roles, r.stored.isolation
	r.config, r.err = config.Load(source)
	return r
}
