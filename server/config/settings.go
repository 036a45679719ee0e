package config

import (
	"slices"
	"strings"
	"time"
)

// setting is one row of the table and describes a key. The environment variable
// is PGRST_ and the key in capitals; the name in the database is pgrst. and the
// key. Both have underscores for hyphens.
type setting struct {
	key string
	field

	older      []string // names of older releases and keys it defaults to, tried after key
	olderFirst bool     // older is tried before key
	unit       string
	inDatabase bool // may be set in the database
	reloadable bool // a changed value takes effect without a restart
	ours       bool // PostgREST has no such key
	help       string
}

// settings is the table, in the order in which problems are reported.
var settings = []setting{
	{key: "client-error-verbosity", inDatabase: true, reloadable: true,
		field: choice(func(c *Config) *Verbosity { return &c.ClientErrorVerbosity }, Verbose,
			"Invalid client-error-verbosity. Check your configuration.", "verbose", "minimal"),
		help: "how much an error body tells: verbose (all fields) or minimal (code and message)"},
	{key: "db-aggregates-enabled", inDatabase: true, reloadable: true,
		field: boolean(func(c *Config) *bool { return &c.DBAggregatesEnabled }, false),
		help:  "allow avg(), count(), max(), min() and sum() in select"},
	{key: "db-anon-role", inDatabase: true, reloadable: true,
		field: text(func(c *Config) *string { return &c.DBAnonRole }, ""),
		help:  "role of requests without a token; without one such requests are refused"},
	{key: "db-channel", reloadable: true,
		field: text(func(c *Config) *string { return &c.DBChannel }, "pgrst"),
		help:  "channel whose notifications ask for a reload"},
	{key: "db-channel-enabled", reloadable: true,
		field: boolean(func(c *Config) *bool { return &c.DBChannelEnabled }, true),
		help:  "listen on db-channel"},
	{key: "db-extra-search-path", inDatabase: true, reloadable: true,
		field: list(func(c *Config) *[]string { return &c.DBExtraSearchPath }, "public", emptyMeansNone),
		help:  "schemas added to the search path of every request, separated by commas"},
	{key: "db-hoisted-tx-settings", inDatabase: true, reloadable: true,
		field: list(func(c *Config) *[]string { return &c.DBHoistedTxSettings },
			"statement_timeout,plan_filter.statement_cost_limit,default_transaction_isolation", emptyMeansDefault),
		help: "settings of a function that are applied to its whole transaction"},
	{key: "db-max-rows", older: []string{"max-rows"}, inDatabase: true, reloadable: true, unit: "rows",
		field: maxRows(func(c *Config) *int64 { return &c.DBMaxRows }),
		help:  "most rows a request may get; unlimited when absent"},
	{key: "db-plan-enabled", inDatabase: true, reloadable: true,
		field: boolean(func(c *Config) *bool { return &c.DBPlanEnabled }, false),
		help:  "show execution plans to clients that ask for application/vnd.pgrst.plan"},
	{key: "db-pool", unit: "connections",
		field: integer(func(c *Config) *int { return &c.DBPool }, 10),
		help:  "most connections to the database"},
	{key: "db-pool-acquisition-timeout", unit: "seconds",
		field: seconds(func(c *Config) *time.Duration { return &c.DBPoolAcquisitionTimeout }, 10),
		help:  "longest wait for a free connection"},
	{key: "db-pool-max-lifetime", unit: "seconds",
		field: seconds(func(c *Config) *time.Duration { return &c.DBPoolMaxLifetime }, 1800),
		help:  "age at which a connection is replaced"},
	{key: "db-pool-max-idletime", older: []string{"db-pool-timeout"}, olderFirst: true, unit: "seconds",
		field: seconds(func(c *Config) *time.Duration { return &c.DBPoolMaxIdletime }, 30),
		help:  "idleness after which a connection is closed"},
	{key: "db-pool-automatic-recovery", reloadable: true,
		field: boolean(func(c *Config) *bool { return &c.DBPoolAutomaticRecovery }, true),
		help:  "keep trying to reconnect; when off, losing the database ends the process"},
	{key: "db-pre-request", older: []string{"pre-request"}, inDatabase: true, reloadable: true,
		field: qualified(func(c *Config) *QualifiedName { return &c.DBPreRequest }),
		help:  "function called at the start of every transaction"},
	{key: "db-prepared-statements", inDatabase: true, reloadable: true,
		field: boolean(func(c *Config) *bool { return &c.DBPreparedStatements }, true),
		help:  "keep statements prepared; turn off behind a pooler in transaction mode"},
	{key: "db-root-spec", older: []string{"root-spec"}, inDatabase: true, reloadable: true,
		field: qualified(func(c *Config) *QualifiedName { return &c.DBRootSpec }),
		help:  "function that answers for / in place of the OpenAPI document"},
	{key: "db-schemas", older: []string{"db-schema"}, inDatabase: true, reloadable: true,
		field: schemas(func(c *Config) *[]string { return &c.DBSchemas }),
		help:  "exposed schemas, separated by commas; the first is the default"},
	{key: "db-config", reloadable: true,
		field: boolean(func(c *Config) *bool { return &c.DBConfig }, true),
		help:  "read settings from the database too"},
	{key: "db-pre-config", inDatabase: true, reloadable: true,
		field: qualified(func(c *Config) *QualifiedName { return &c.DBPreConfig }),
		help:  "function that sets configuration from inside the database"},
	{key: "db-tx-end", inDatabase: true, reloadable: true,
		field: txEnd(func(c *Config) *TxEnd { return &c.DBTxEnd }),
		help:  "commit or rollback, each with -allow-override to let Prefer: tx choose"},
	{key: "db-uri",
		field: text(func(c *Config) *string { return &c.DBURI }, "postgresql://"),
		help:  "connection string, or @ and the file that has it; the default takes all from the PG* environment"},
	{key: "jwt-aud", inDatabase: true, reloadable: true,
		field: stringOrURI(func(c *Config) *string { return &c.JWTAudience }),
		help:  "audience tokens must name if they name one"},
	{key: "jwt-role-claim-key", older: []string{"role-claim-key"}, inDatabase: true, reloadable: true,
		field: rolePath(func(c *Config) *string { return &c.JWTRoleClaimKey }, "$.role"),
		help:  "JSONPath to the role among a token's claims"},
	{key: "jwt-secret", inDatabase: true, reloadable: true,
		field: secretBytes(func(c *Config) *[]byte { return &c.JWTSecret }),
		help:  "secret of at least 32 bytes, JSON Web Key or key set, or @ and the file that has it"},
	{key: "jwt-secret-is-base64", older: []string{"secret-is-base64"}, inDatabase: true, reloadable: true,
		field: boolean(func(c *Config) *bool { return &c.JWTSecretIsBase64 }, false),
		help:  "jwt-secret is encoded in base64"},
	{key: "jwt-cache-max-entries", inDatabase: true, reloadable: true, unit: "tokens",
		field: integer(func(c *Config) *int { return &c.JWTCacheMaxEntries }, 1000),
		help:  "verified tokens to remember; 0 remembers none"},
	{key: "log-level", reloadable: true,
		field: choice(func(c *Config) *LogLevel { return &c.LogLevel }, LogError,
			"Invalid logging level. Check your configuration.", "crit", "error", "warn", "info", "debug"),
		help: "crit, error, warn, info or debug"},
	{key: "log-query", reloadable: true,
		field: boolean(func(c *Config) *bool { return &c.LogQuery }, false),
		help:  "log the SQL of logged requests"},
	{key: "openapi-mode", inDatabase: true, reloadable: true,
		field: choice(func(c *Config) *OpenAPIMode { return &c.OpenAPIMode }, FollowPrivileges,
			"Invalid openapi-mode. Check your configuration.", "follow-privileges", "ignore-privileges", "disabled"),
		help: "what / describes: follow-privileges, ignore-privileges or disabled"},
	{key: "openapi-security-active", inDatabase: true, reloadable: true,
		field: boolean(func(c *Config) *bool { return &c.OpenAPISecurityActive }, false),
		help:  "describe authentication in the OpenAPI document"},
	{key: "openapi-server-proxy-uri", inDatabase: true, reloadable: true,
		field: proxyURI(func(c *Config) *string { return &c.OpenAPIServerProxyURI }),
		help:  "address the OpenAPI document gives as ours"},
	{key: "server-cors-allowed-origins", inDatabase: true, reloadable: true,
		field: list(func(c *Config) *[]string { return &c.ServerCORSAllowedOrigins }, "", emptyMeansDefault),
		help:  "origins that browsers may call from, separated by commas; any when absent"},
	{key: "server-host",
		field: text(func(c *Config) *string { return &c.ServerHost }, defaultHost),
		help:  "address to listen on, or one of *, *4, !4, *6, !6"},
	{key: "server-port",
		field: port(func(c *Config) *int { return &c.ServerPort }, 3000),
		help:  "port to listen on; 0 picks a free one"},
	{key: "server-reuseport",
		field: boolean(func(c *Config) *bool { return &c.ServerReusePort }, false),
		help:  "let several processes listen on the same port"},
	{key: "server-trace-header", inDatabase: true, reloadable: true,
		field: text(func(c *Config) *string { return &c.ServerTraceHeader }, ""),
		help:  "request header that is repeated in the response"},
	{key: "server-timing-enabled", inDatabase: true, reloadable: true,
		field: boolean(func(c *Config) *bool { return &c.ServerTimingEnabled }, false),
		help:  "send a Server-Timing header"},
	{key: "server-unix-socket",
		field: text(func(c *Config) *string { return &c.ServerUnixSocket }, ""),
		help:  "unix socket to listen on in place of host and port"},
	{key: "server-unix-socket-mode",
		field: fileMode(func(c *Config) *uint32 { return &c.ServerUnixSocketMode }),
		help:  "file mode of server-unix-socket, octal, 600 to 777"},
	{key: "url-use-legacy-target-names", inDatabase: true, reloadable: true,
		field: boolean(func(c *Config) *bool { return &c.URLUseLegacyTargetNames }, true),
		help:  "filters may name an aliased embed by its relation"},
	{key: "admin-server-host", older: []string{"server-host"},
		field: text(func(c *Config) *string { return &c.AdminServerHost }, defaultHost),
		help:  "address of the admin server; server-host when absent"},
	{key: "admin-server-port",
		field: adminPort(func(c *Config) *int { return &c.AdminServerPort }),
		help:  "port of the admin server; no admin server when absent"},
	{key: "admin-server-unix-socket",
		field: text(func(c *Config) *string { return &c.AdminServerUnixSocket }, ""),
		help:  "unix socket of the admin server in place of host and port"},
	{key: "admin-server-unix-socket-mode",
		field: fileMode(func(c *Config) *uint32 { return &c.AdminServerUnixSocketMode }),
		help:  "file mode of admin-server-unix-socket, octal, 600 to 777"},

	// Keys that PostgREST lacks. Most bound the memory that a client can use.

	// A plan takes about 4 KiB. There is one per request shape, and applications
	// have fewer than 1,000 shapes.
	{key: "plan-cache-max-entries", ours: true, reloadable: true, unit: "plans",
		field: atLeast(1, func(c *Config) *int { return &c.PlanCacheMaxEntries }, 1000),
		help:  "request shapes whose plans are kept"},
	// PostgreSQL keeps the plans of a prepared statement in the memory of each
	// connection, roughly 50 to 200 KiB each. With 200 of them, ten connections take
	// less than half a GiB.
	{key: "statement-cache-max-entries", ours: true, unit: "statements per connection",
		field: atLeast(1, func(c *Config) *int { return &c.StatementCacheMaxEntries }, 200),
		help:  "statements kept prepared on each connection"},
	// This bounds the request line and the headers. 64 KiB is at least PostgREST's own
	// limit, and enough for long select and in.() lists.
	{key: "server-read-buffer-size", ours: true, unit: "bytes",
		field: atLeast(4096, func(c *Config) *int { return &c.ServerReadBufferSize }, 64<<10),
		help:  "bound for the request line and all headers together"},
	// Bodies are held in memory before they are sent on. PostgREST has no limit, and
	// bulk inserts of tens of MiB are common.
	{key: "server-max-body-size", ours: true, reloadable: true, unit: "bytes",
		field: atLeast(0, func(c *Config) *int { return &c.ServerMaxBodySize }, 100<<20),
		help:  "bound for a request body"},
	// Five bodies of the largest size, or thousands of ordinary bulk inserts. Bodies
	// up to 64 KiB are not counted: their connections use as much memory.
	{key: "bodies-max-size", ours: true, reloadable: true, unit: "MiB",
		field: atLeast(1, func(c *Config) *int { return &c.BodiesMaxSize }, 512),
		help:  "memory that all request bodies may take together; requests beyond get 503"},
	// A response is complete before its first byte is sent, because the head has its
	// length and a late error replaces it. 4 MiB hold a large page of 10,000 rows;
	// spooling to a file takes a fifth more CPU time in the server. All responses
	// together may use eight times this, 32 MiB. Beyond that, smaller responses are
	// spooled too, so slow clients use no more memory.
	{key: "spool-threshold", ours: true, reloadable: true, unit: "bytes",
		field: atLeast(0, func(c *Config) *int { return &c.SpoolThreshold }, 4<<20),
		help:  "responses larger than this are kept in a temporary file, not in memory, until the client has them"},
	{key: "spool-directory", ours: true,
		field: text(func(c *Config) *string { return &c.SpoolDirectory }, ""),
		help:  "directory for temporary files of large responses, best on a disk; the system's directory for temporary files when absent"},
	// Eight responses of the largest size that PostgreSQL returns as one value.
	{key: "spool-max-size", ours: true, reloadable: true, unit: "MiB",
		field: atLeast(0, func(c *Config) *int { return &c.SpoolMaxSize }, 8<<10),
		help:  "most space for the temporary files of all large responses; a read that needs more gets an error. 0 keeps everything in memory"},
	// 2 KiB/s is slower than any usable network, and a live client pauses for less
	// than half a minute.
	{key: "spool-send-timeout", ours: true, reloadable: true, unit: "seconds",
		field: notNegative(seconds(func(c *Config) *time.Duration { return &c.SpoolSendTimeout }, 30),
			func(c *Config) time.Duration { return c.SpoolSendTimeout }),
		help: "how long a client may take to accept 64 KiB of a large answer before its connection is closed; 0 sets no bound"},
	// For databases without LISTEN: replicas and poolers in transaction mode. Off by
	// default, because elsewhere NOTIFY is faster and costs nothing.
	{key: "db-schema-poll-interval", ours: true, reloadable: true, unit: "seconds",
		field: notNegative(seconds(func(c *Config) *time.Duration { return &c.DBSchemaPollInterval }, 0),
			func(c *Config) time.Duration { return c.DBSchemaPollInterval }),
		help: "how often to look whether the schema has changed, where NOTIFY does not arrive; 0 never looks"},
	// Sharing saves system calls and wake-ups in both processes, about 30 us per
	// request (see pgwire/pool). The setting exists for comparisons.
	{key: "db-connection-sharing", ours: true,
		field: boolean(func(c *Config) *bool { return &c.DBConnectionSharing }, true),
		help:  "send quick requests that wait for a connection on one connection together, each in its own transaction"},
	// Session state that a function sets would be visible to the next request,
	// perhaps of another client. A reset takes PostgreSQL about 10 microseconds, so
	// it is skipped where user code is proven to leave no session state.
	{key: "db-session-reset", ours: true, reloadable: true,
		field: choice(func(c *Config) *SessionReset { return &c.DBSessionReset }, ResetAuto,
			"Invalid db-session-reset. Check your configuration.", "auto", "always", "never"),
		help: "reset sessions in which functions ran: auto (unless they are proven to leave nothing), always or never"},
	// Text is the default because tools that collect PostgREST's log parse it. JSON
	// adds duration, route and error code for searches.
	{key: "log-format", ours: true, reloadable: true,
		field: choice(func(c *Config) *LogFormat { return &c.LogFormat }, LogText,
			"Invalid log-format. Check your configuration.", "text", "json"),
		help: "text (PostgREST's) or json (an object per line)"},
	// No limit, as in PostgREST, because the right one depends on the duration of
	// requests. Pool size times acquisition timeout, divided by that duration, is the
	// number of requests that can be served before they time out.
	{key: "db-pool-max-waiters", ours: true, unit: "requests",
		field: atLeast(0, func(c *Config) *int { return &c.DBPoolMaxWaiters }, 0),
		help:  "requests that may wait for a connection, beyond which they fail at once; 0 is no bound"},
	// Two, so that quick requests, which share connections, still have one while the
	// other is lost or reset. Pools of three or fewer reserve none: slow requests
	// would wait for each other while connections are idle.
	{key: "db-pool-reserve", ours: true, unit: "connections",
		field: atLeast(0, func(c *Config) *int { return &c.DBPoolReserve }, 2),
		help:  "connections that requests known to take over 100 ms leave to others, if at least two remain for them; 0 leaves none"},
	// A proxy or firewall that drops a connection notifies neither end. Ten minutes
	// is longer than the timeouts of reverse proxies. For shorter limits use
	// statement_timeout, for which PostgreSQL reports an error.
	{key: "db-flight-timeout", ours: true, reloadable: true, unit: "seconds",
		field: notNegative(seconds(func(c *Config) *time.Duration { return &c.DBFlightTimeout }, 600),
			func(c *Config) time.Duration { return c.DBFlightTimeout }),
		help: "how long the database may send nothing before a request fails with 504 and the connection is closed, or statement_timeout plus 30 seconds if that is longer; 0 sets no bound"},
	// A client that has disconnected may not retry. A write that has begun is
	// therefore completed by default.
	{key: "server-cancel-abandoned-writes", ours: true, reloadable: true,
		field: boolean(func(c *Config) *bool { return &c.ServerCancelAbandonedWrites }, false),
		help:  "cancel writes too whose client has gone away, not only reads"},
	// Kubernetes kills after 30 seconds, systemd after 90. 20 seconds leave time to
	// cancel what still runs and to send its clients an error.
	{key: "server-drain-timeout", ours: true, reloadable: true, unit: "seconds",
		field: seconds(func(c *Config) *time.Duration { return &c.ServerDrainTimeout }, 20),
		help:  "time for requests under way to finish once the process is asked to end"},
}

const defaultHost = "!4"

// names returns the spellings of a setting in the order in which they are tried.
func (s *setting) names() []string {
	if s.olderFirst {
		return append(slices.Clone(s.older), s.key)
	}
	return append([]string{s.key}, s.older...)
}

// byName finds the row of a key or of one of its older names.
func byName(name string) *setting {
	for i := range settings {
		if settings[i].key == name {
			return &settings[i]
		}
	}
	for i := range settings {
		if slices.Contains(settings[i].older, name) {
			return &settings[i]
		}
	}
	return nil
}

// isKey reports whether a name in a file is known. PostgREST has keys that begin
// with internal- for its own tests; they get no warning.
func isKey(name string) bool {
	return byName(name) != nil || strings.HasPrefix(name, "internal-")
}

// NeedsRestart lists the keys whose values differ between two configurations
// and take effect only at the next start.
func NeedsRestart(running, loaded *Config) []string {
	var keys []string
	for i := range settings {
		s := &settings[i]
		switch {
		case s.reloadable:
		case s.key == "db-uri": // Load keeps the one in force
			if running.GivenURI != loaded.GivenURI {
				keys = append(keys, s.key)
			}
		case string(s.append(nil, running)) != string(s.append(nil, loaded)):
			keys = append(keys, s.key)
		}
	}
	return keys
}
