package server

import (
	"context"
	"errors"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/fastgrest/fastgrest/pgwire"
	"github.com/fastgrest/fastgrest/pgwire/pool"
	"github.com/fastgrest/fastgrest/server/admin"
	"github.com/fastgrest/fastgrest/server/auth"
	"github.com/fastgrest/fastgrest/server/clients"
	"github.com/fastgrest/fastgrest/server/config"
	"github.com/fastgrest/fastgrest/server/exec"
	"github.com/fastgrest/fastgrest/server/keysets"
	"github.com/fastgrest/fastgrest/server/life"
	"github.com/fastgrest/fastgrest/server/metrics"
	"github.com/fastgrest/fastgrest/server/nodes"
	"github.com/fastgrest/fastgrest/server/oplog"
	"github.com/fastgrest/fastgrest/server/spool"
)

// Options say how to run.
type Options struct {
	Source  config.LoadOptions // where the configuration comes from, also when it is reloaded
	Version string
	Stdout  io.Writer // access log
	Stderr  io.Writer // diagnostics

	// Manual, if set, is what the admin port shows at /manual.
	Manual admin.Manual

	// KeySets says how key sets are fetched. The zero value is right, except in tests.
	// The log and the user agent are those of the server.
	KeySets keysets.Options

	// Ready, if set, is called when the server accepts requests.
	Ready func()
}

// Server is one running process.
type Server struct {
	options  Options
	log      *oplog.Logger
	metrics  *metrics.Metrics
	pool     *pool.Pool   // of the primary
	nodes    *nodes.Nodes // nil without read replicas
	spool    *spool.Store
	engine   *exec.Engine
	bodies   clients.Bodies
	snapshot atomic.Pointer[Snapshot]
	requests sync.Pool
	keySets  *keysets.Store
	shards   atomic.Uint32 // how many requests were made, see metrics.Response

	started       time.Time
	name          string        // of this process, in the ids of its requests
	requestNumber atomic.Uint64 // of the last of these ids

	life      *life.Loop // changes what is in force
	listener  *life.Listener
	poll      *life.Poll
	looked    string      // catalog.Moment of the last look at the schema; the poll has it
	live      atomic.Bool // the API's socket is open
	draining  atomic.Bool // the process ends, and connections with it
	fatal     chan error  // why the process has to end
	fatalOnce sync.Once   // the reason is told once

	configReads atomic.Uint64          // configurations that were begun to be read
	stored      atomic.Pointer[stored] // settings of the database; the loop changes it

	startConfig *config.Config // that of the start, for settings that need a restart
	warned      []string       // warnings about the configuration in force; the loop has it
	anonProblem string         // with db-anon-role; the goroutine that loads has it

	socketFile string         // of the API, if it is a unix socket
	history    *admin.History // of the page; nil without an admin port
}

// Run serves until ctx ends, then lets the requests in flight finish. It returns
// an error if it cannot start, or cannot go on.
func Run(ctx context.Context, o Options) error {
	s, err := newServer(o)
	if err != nil {
		return err
	}
	defer s.close()
	s.log.Starting(o.Version)
	s.warnAtStart()
	if err = s.run(ctx); err != nil && s.log.JSON() && !Logged(err) {
		s.log.Ending(err)
		err = loggedError{err}
	}
	return err
}

func newServer(o Options) (*Server, error) {
	c, err := config.Load(o.Source)
	if err != nil {
		return nil, err
	}
	s := &Server{options: o, fatal: make(chan error, 1), name: processName(), started: time.Now()}
	s.requests.New = s.newRequest
	s.log = oplog.New(oplog.Options{Out: o.Stdout, Err: o.Stderr, Level: oplog.Level(c.LogLevel), JSON: c.LogFormat == config.LogJSON})
	s.metrics = metrics.New(metrics.Sources{Pool: s.poolFigures, TokenCache: s.tokenFigures, Plans: s.planCount, Spool: s.spoolFigures, Bodies: s.bodies.Used, KeySets: s.keySetFigures, Nodes: s.nodeFigures})
	s.newLife(s.log)
	o.KeySets.Log, o.KeySets.UserAgent = s.log, "fastgrest/"+o.Version
	s.keySets = keysets.New(o.KeySets)
	a, err := auth.New(s.authOptions(c))
	if err != nil {
		return nil, err
	}
	connect, err := connectConfig(c, o.Version, false)
	if err != nil {
		return nil, err
	}
	primary := poolOptions(c, connect)
	primary.Observe = s.observePool
	if s.pool, err = pool.New(primary); err != nil {
		return nil, err
	}
	if s.nodes, err = s.newNodes(c, connect); err != nil {
		return nil, err
	}
	if s.spool, err = spool.NewStore(c.SpoolDirectory, spoolLimits(c)); err != nil {
		s.log.NoSpoolDirectory(err)
	}
	s.engine = &exec.Engine{Pool: s.pool, Spool: s.spool, Log: s.log, Suspect: s.life.Suspicion.Raise}
	s.startConfig = c
	s.stored.Store(&stored{})
	s.snapshot.Store(newSnapshot(c, a, nil, exec.Session{}))
	return s, nil
}

// poolOptions are the options of a pool of connections.
func poolOptions(c *config.Config, connect *pgwire.Config) pool.Options {
	return pool.Options{
		Config:         connect,
		MaxConns:       max(c.DBPool, 1),
		Depth:          depth(c),
		Reserve:        c.DBPoolReserve,
		FlightTimeout:  c.DBFlightTimeout,
		AcquireTimeout: c.DBPoolAcquisitionTimeout,
		MaxWaiters:     c.DBPoolMaxWaiters,
		MaxIdleTime:    c.DBPoolMaxIdletime,
		MaxLifetime:    c.DBPoolMaxLifetime,
	}
}

// depth is how many requests may be sent on a connection at a time. With more than eight,
// PostgreSQL wakes up nearly as often, and the last request waits longer.
func depth(c *config.Config) int {
	if !c.DBConnectionSharing {
		return 1
	}
	return 8
}

// connectConfig makes connection parameters. readWrite: only a host that accepts
// writes is used.
func connectConfig(c *config.Config, version string, readWrite bool) (*pgwire.Config, error) {
	return parseConnect(c, "db-uri", c.ConnString(config.ConnOptions{ApplicationName: appName(version), ReadWrite: readWrite}))
}

func appName(version string) string { return "fastgrest " + version }

// parseConnect makes connection parameters of a connection string of a setting.
func parseConnect(c *config.Config, key, text string) (*pgwire.Config, error) {
	connect, err := pgwire.ParseConfig(text)
	if err != nil {
		return nil, &uriError{key, err}
	}
	connect.Statements = c.StatementCacheMaxEntries
	if !c.DBPreparedStatements {
		connect.Statements = 0
	}
	return connect, nil
}

// uriError is a connection string that cannot be understood.
type uriError struct {
	key string
	err error
}

func (e *uriError) Error() string { return e.key + ": " + e.err.Error() }
func (e *uriError) Unwrap() error { return e.err }

func (s *Server) authOptions(c *config.Config) auth.Options {
	return auth.Options{
		Secret: c.JWTSecret, SecretURL: c.JWTSecretURL, Issuers: c.JWTIssuers, Source: s.keySets.Source,
		Audiences: c.Audiences(), RequireAudience: c.JWTAudienceRequired, Skew: c.JWTAllowedSkew,
		RoleClaimKey: c.JWTRoleClaimKey, AnonRole: c.DBAnonRole, CacheMaxEntries: c.JWTCacheMaxEntries,
	}
}

func (s *Server) config() *config.Config { return s.snapshot.Load().config }

func (s *Server) close() {
	s.closePool()
	s.log.Close()
}

func (s *Server) run(ctx context.Context) error {
	c := s.config()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stopAdmin, err := s.serveAdmin(c)
	if err != nil {
		return err
	}
	defer stopAdmin()
	s.warnOfSettings(!c.DBConfig) // with settings in the database, again after they are read
	defer s.life.Signals(ctx)()
	var living sync.WaitGroup
	living.Go(func() { s.life.Run(ctx, world{s}, s.listener) })
	defer func() { cancel(); living.Wait() }()
	living.Go(func() { s.keySets.Run(ctx) })
	if s.nodes != nil {
		living.Go(func() { s.nodes.Run(ctx) })
	}
	go s.poll.Run(ctx)
	select {
	case <-s.life.Tried():
	case <-ctx.Done():
		return s.terminated(ctx)
	case err := <-s.fatal:
		return err
	}

	s.awaitKeys(ctx)
	if c.ServerReusePort { // another process serves until this one can
		select {
		case <-s.life.Ready():
		case <-ctx.Done():
			return s.terminated(ctx)
		case err := <-s.fatal:
			return err
		}
	}
	listener, err := s.listenAPI(c)
	if err != nil {
		return err
	}
	s.log.Listening(listener.Addr().String())
	s.live.Store(true)
	defer s.live.Store(false)
	if s.options.Ready != nil {
		s.options.Ready()
	}

	api := s.apiServer(c, listener)
	served := make(chan error, 1)
	go func() { served <- api.Serve() }()
	select {
	case err := <-served:
		return err
	case err := <-s.fatal:
		s.shutdown(api)
		return err
	case <-ctx.Done():
		err := s.terminated(ctx)
		s.shutdown(api)
		return err
	}
}

// keysPatience is how long the start waits for key sets. Later tokens of a provider
// without keys are refused with status 503.
const keysPatience = 5 * time.Second

func (s *Server) awaitKeys(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, keysPatience)
	defer cancel()
	s.keySets.Wait(ctx)
}

// shutdown lets the requests in flight finish. A second signal ends the process at
// once (cmd/fastgrest).
func (s *Server) shutdown(api *clients.Server) {
	s.live.Store(false)
	s.draining.Store(true)
	if err := api.Shutdown(s.config().ServerDrainTimeout); err != nil {
		s.log.ShutdownFailed(err)
	}
}

// closePool waits for the pool's connections to be given back. Those of stopped
// requests are given back within clients.CancelGrace.
func (s *Server) closePool() {
	done := make(chan struct{})
	go func() {
		defer close(done)
		if s.nodes != nil {
			s.nodes.Close()
		}
		s.pool.Close()
	}()
	select {
	case <-done:
	case <-time.After(clients.CancelGrace):
		s.log.ConnectionsLeft()
	}
}

// Terminated is the cause of a context that a signal ended: the name of the
// signal.
type Terminated string

func (t Terminated) Error() string { return string(t) + " received" }

// Is makes errors.Is report it as context.Canceled: an orderly end.
func (t Terminated) Is(target error) bool { return target == context.Canceled }

// terminated is the orderly end of the process.
func (s *Server) terminated(ctx context.Context) error {
	var signal Terminated
	if errors.As(context.Cause(ctx), &signal) {
		s.log.Terminating(string(signal))
	}
	return nil
}

// apiServer makes the server of the API.
func (s *Server) apiServer(c *config.Config, l net.Listener) *clients.Server {
	return clients.NewServer(l, clients.Options{
		Handler:        s.handle,
		Name:           "fastgrest/" + s.options.Version,
		ReadBufferSize: c.ServerReadBufferSize, // fasthttp's 4 KiB would refuse ordinary queries
		SharedPort:     c.ServerReusePort,
		Logger:         s.log,
	})
}

func (s *Server) poolFigures() metrics.Pool {
	st := s.pool.Stats()
	return metrics.Pool{
		Available: st.Idle, Waiting: st.Waiting, Max: st.Max, Timeouts: uint64(st.AcquireTimeouts),
		InUse: st.InUse, Queued: st.Queued, Connecting: st.Connecting, Opened: uint64(st.Established), Refused: uint64(st.ConnectFailures),
		Coalesced: uint64(st.Merged), CoalescedStatements: uint64(st.MergedStatements),
	}
}

func (s *Server) spoolFigures() metrics.Spool { return metrics.Spool(s.spool.Stats()) }

func (s *Server) tokenFigures() metrics.TokenCache {
	st := s.snapshot.Load().auth.CacheStats()
	return metrics.TokenCache{Requests: st.Requests, Hits: st.Hits, Evictions: st.Evictions}
}

// keySetFigures describes the key sets that are fetched.
func (s *Server) keySetFigures() (list []metrics.KeySet) {
	for _, f := range s.keySets.Figures() {
		k := metrics.KeySet{From: f.From, Keys: f.Keys, Fetched: f.Fetched, Failed: f.Failed, Problem: f.Problem}
		if !f.At.IsZero() {
			k.HasAge, k.Age = true, time.Since(f.At)
		}
		list = append(list, k)
	}
	return list
}

func (s *Server) planCount() int {
	p := s.snapshot.Load().planner
	if p == nil {
		return 0
	}
	entries, _ := p.Stats()
	return entries
}

// retryAfter is the value of Retry-After: seconds until the database is tried again.
func (s *Server) retryAfter() int { return int(s.life.Pause() / time.Second) }
