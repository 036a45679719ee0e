package config

import (
	"slices"
	"strings"
	"time"

	"github.com/fastgrest/fastgrest/server/auth"
)

// Config is a complete, typed configuration. It is immutable: a reload builds a
// new one.
type Config struct {
	AppSettings []Setting // app.settings.*, names with their prefix, sorted

	ClientErrorVerbosity Verbosity

	DBAggregatesEnabled      bool
	DBAnonRole               string // "": anonymous access is disabled
	DBChannel                string
	DBChannelEnabled         bool
	DBConfig                 bool
	DBExtraSearchPath        []string
	DBHoistedTxSettings      []string
	DBMaxRows                int64 // -1: no limit
	DBPlanEnabled            bool
	DBPool                   int
	DBPoolAcquisitionTimeout time.Duration
	DBPoolAutomaticRecovery  bool
	DBPoolMaxIdletime        time.Duration
	DBPoolMaxLifetime        time.Duration
	DBPreConfig              QualifiedName
	DBPreparedStatements     bool
	DBPreRequest             QualifiedName // zero: none
	DBRootSpec               QualifiedName // zero: none
	DBSchemas                []string      // at least one
	DBTxEnd                  TxEnd
	DBURI                    string

	JWTAudience        string // as written, see Audiences; "": any
	JWTRoleClaimKey    string
	JWTSecret          []byte // decoded; nil: none
	JWTSecretURL       string // of a key set: jwt-secret, if that is a URL; JWTSecret is nil then
	JWTSecretIsBase64  bool
	JWTCacheMaxEntries int

	LogLevel LogLevel
	LogQuery bool

	OpenAPIMode           OpenAPIMode
	OpenAPISecurityActive bool
	OpenAPIServerProxyURI string

	ServerCORSAllowedOrigins []string // empty: any
	ServerHost               string
	ServerPort               int
	ServerReusePort          bool
	ServerTraceHeader        string
	ServerTimingEnabled      bool
	ServerUnixSocket         string
	ServerUnixSocketMode     uint32
	URLUseLegacyTargetNames  bool

	AdminServerHost           string
	AdminServerPort           int // 0: no admin server
	AdminServerUnixSocket     string
	AdminServerUnixSocketMode uint32

	// Ours. PostgREST has no such keys.
	PlanCacheMaxEntries      int           // plans per catalog snapshot
	StatementCacheMaxEntries int           // prepared statements per connection
	ServerReadBufferSize     int           // bytes; bounds request line plus headers
	ServerMaxBodySize        int           // bytes
	ServerMaxQuerySize       int           // bytes, of the body of a QUERY
	ServerAdvertiseQuery     bool          // Allow has QUERY, and there is Accept-Query
	BatchEnabled             bool          // a POST of a batch to / is served
	BatchMaxRequests         int           // of one batch
	SpoolThreshold           int           // bytes of a response kept in memory; a larger one is spooled to a file
	SpoolDirectory           string        // of those files; empty: the system's for temporary files
	BodiesMaxSize            int           // MiB, for all request bodies together
	SpoolMaxSize             int           // MiB, for all spool files together
	SpoolSendTimeout         time.Duration // for a client to take 64 KiB
	DBConnectionSharing      bool          // quick requests may share a connection
	DBCoalescing             bool          // equal and similar reads that wait may run as one statement
	DBReadReplicas           string        // see ReplicaURIs; "": none
	DBPoolReplica            int           // connections to each; 0: DBPool
	DBReplicaMaxLag          time.Duration // of a replica that serves reads
	DBReplicaWait            time.Duration // for a replica that has replayed a bookmark
	DBSchemaPollInterval     time.Duration // between checks of the catalog for changes; 0: off
	DBDistinctEnabled        bool
	PageCursorSecret         string // "": see jwt-secret
	DBSessionReset           SessionReset
	DBRequestSettings        RequestSettings
	LogFormat                LogFormat
	DBPoolMaxWaiters         int           // requests; 0: no bound
	DBPoolReserve            int           // connections that slow requests leave to others
	DBFlightTimeout          time.Duration // without data from the database; 0: no limit

	JWTIssuersText      string        // JSON
	JWTIssuers          []auth.Issuer // of JWTIssuersText
	JWTAllowedSkew      time.Duration
	JWTAudienceRequired bool

	ClientErrorHints            ErrorHints
	ServerCancelAbandonedWrites bool
	ServerDrainTimeout          time.Duration

	// Read from the database only.
	RoleSettings  map[string][]Setting // by role, for the roles the authenticator may become
	RoleIsolation map[string]Isolation // default_transaction_isolation of those roles

	// GivenURI is db-uri as written: @ and a file name, or, after a reload, an
	// address that takes effect at the next start.
	GivenURI string

	// Warnings are about values that could not be parsed and about unknown keys.
	Warnings []string
}

// Audiences returns the audiences of jwt-aud, nil for any. A text with commas is also
// one audience as a whole, as it is in PostgREST.
func (c *Config) Audiences() []string {
	if c.JWTAudience == "" {
		return nil
	}
	list := slices.DeleteFunc(listOf(c.JWTAudience), func(item string) bool { return item == "" })
	if strings.Contains(c.JWTAudience, ",") {
		list = append(list, c.JWTAudience)
	}
	return list
}

// TakesTokens reports whether there are keys that verify tokens, or may be some.
func (c *Config) TakesTokens() bool {
	return c.JWTSecret != nil || c.JWTSecretURL != "" || len(c.JWTIssuers) > 0
}

// Setting is a name and value of a PostgreSQL configuration parameter.
type Setting struct{ Name, Value string }

// QualifiedName is a possibly schema-qualified database name, split at the first dot.
type QualifiedName struct{ Schema, Name string }

// IsZero reports whether no name is set.
func (q QualifiedName) IsZero() bool { return q == QualifiedName{} }

// Verbosity of error bodies.
type Verbosity uint8

const (
	Verbose Verbosity = iota
	Minimal
)

// ErrorHints says which hints the server adds to errors of the database.
type ErrorHints uint8

const (
	NoHints    ErrorHints = iota
	GrantHints            // the missing privilege
)

// TxEnd says how transactions end, by commit or by rollback, and whether the
// client may choose with Prefer: tx=.
type TxEnd struct{ Rollback, AllowOverride bool }

// LogLevel orders the severities from the quietest to the most verbose.
type LogLevel uint8

const (
	LogCrit LogLevel = iota
	LogError
	LogWarn
	LogInfo
	LogDebug
)

// LogFormat is how lines of the log are written.
type LogFormat uint8

const (
	LogText LogFormat = iota // PostgREST's
	LogJSON
)

// OpenAPIMode selects whose privileges the root document follows.
type OpenAPIMode uint8

const (
	FollowPrivileges OpenAPIMode = iota
	IgnorePrivileges
	OpenAPIDisabled
)

// SessionReset says after which requests the session state is reset.
type SessionReset uint8

const (
	ResetAuto   SessionReset = iota // user code ran that may have left session state
	ResetAlways                     // user code ran
	ResetNever
)

// RequestSettings says which details of a request become settings of its
// transaction. Role and claims always do.
type RequestSettings struct {
	Method, Path, Headers, Cookies bool
	// Auto: reads that are proven to run no code that reads settings have none of
	// the four.
	Auto bool
}

// Isolation is a transaction isolation level.
type Isolation uint8

const (
	ReadCommitted Isolation = iota
	RepeatableRead
	Serializable
)
