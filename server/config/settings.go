package config

import (
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
	unit       string   // replaces kind in help texts
	inDatabase bool     // may be set in the database
	reloadable bool     // a changed value takes effect without a restart
	ours       bool     // PostgREST has no such key
	help       string   // one sentence, for --help; Markdown
	more       string   // further sentences, for the manual; Markdown
}

// settings is the table, in the order in which problems are reported.
var settings = []setting{
	{key: "client-error-verbosity", inDatabase: true, reloadable: true,
		field: choice(func(c *Config) *Verbosity { return &c.ClientErrorVerbosity }, Verbose,
			"Invalid client-error-verbosity. Check your configuration.", "verbose", "minimal"),
		help: "Sets which fields the body of an error response has: verbose (all) or minimal (code and message).",
		more: "The log always has all fields."},
	{key: "db-aggregates-enabled", inDatabase: true, reloadable: true,
		field: boolean(func(c *Config) *bool { return &c.DBAggregatesEnabled }, false),
		help:  "Allows avg(), count(), countdistinct(), max(), min() and sum() in `select` and `order`.",
		more:  "An aggregate can read many rows. Set a `statement_timeout` for the roles of requests before you allow aggregates."},
	{key: "db-anon-role", inDatabase: true, reloadable: true,
		field: text(func(c *Config) *string { return &c.DBAnonRole }, ""),
		help:  "Sets the role of requests without a token.",
		more:  "If it is not set, such requests get status 401."},
	{key: "db-channel", reloadable: true,
		field: text(func(c *Config) *string { return &c.DBChannel }, "pgrst"),
		help:  "Sets the notification channel on which the server listens for reload requests.",
		more:  "`NOTIFY pgrst` reloads the schema cache. `NOTIFY pgrst, 'reload config'` reloads the configuration."},
	{key: "db-channel-enabled", reloadable: true,
		field: boolean(func(c *Config) *bool { return &c.DBChannelEnabled }, true),
		help:  "Listens on `db-channel`.",
		more:  "Listening takes one connection in addition to the pool. Turn it off behind a connection pooler in transaction mode, which does not deliver notifications."},
	{key: "db-extra-search-path", inDatabase: true, reloadable: true,
		field: list(func(c *Config) *[]string { return &c.DBExtraSearchPath }, "public", emptyMeansNone),
		help:  "Sets the schemas that are added to the search path of every request, separated by commas.",
		more:  "SQL in the exposed schemas finds the objects of these schemas without a schema name, for example those of extensions. Clients cannot request their tables and functions. An empty text adds no schema."},
	{key: "db-hoisted-tx-settings", inDatabase: true, reloadable: true,
		field: list(func(c *Config) *[]string { return &c.DBHoistedTxSettings },
			"statement_timeout,plan_filter.statement_cost_limit,default_transaction_isolation", emptyMeansDefault),
		help: "Sets which settings of a function apply to its whole transaction, separated by commas.",
		more: "A function has a setting if it was created with `SET`. Settings that are not in this list apply inside of the function only."},
	{key: "db-max-rows", older: []string{"max-rows"}, inDatabase: true, reloadable: true, unit: "rows",
		field: maxRows(func(c *Config) *int64 { return &c.DBMaxRows }),
		help:  "Limits the number of rows in a response.",
		more:  "The limit applies to tables, views and functions. If it is not set, there is no limit."},
	{key: "db-plan-enabled", inDatabase: true, reloadable: true,
		field: boolean(func(c *Config) *bool { return &c.DBPlanEnabled }, false),
		help:  "Allows clients to request execution plans (application/vnd.pgrst.plan).",
		more:  "A plan shows details of the database. Use it in development only."},
	{key: "db-pool", unit: "connections",
		field: integer(func(c *Config) *int { return &c.DBPool }, 10),
		help:  "Sets the maximum number of connections in the pool.",
		more:  "Connections are opened when requests need them."},
	{key: "db-pool-acquisition-timeout", unit: "seconds",
		field: seconds(func(c *Config) *time.Duration { return &c.DBPoolAcquisitionTimeout }, 10),
		help:  "Sets how long a request waits for a connection.",
		more:  "After that time it gets status 504 (PGRST003)."},
	{key: "db-pool-max-lifetime", unit: "seconds",
		field: seconds(func(c *Config) *time.Duration { return &c.DBPoolMaxLifetime }, 1800),
		help:  "Sets the age at which a connection is closed.",
		more:  "The next request that needs a connection opens a new one."},
	{key: "db-pool-max-idletime", older: []string{"db-pool-timeout"}, olderFirst: true, unit: "seconds",
		field: seconds(func(c *Config) *time.Duration { return &c.DBPoolMaxIdletime }, 30),
		help:  "Sets how long an idle connection stays open."},
	{key: "db-pool-automatic-recovery", reloadable: true,
		field: boolean(func(c *Config) *bool { return &c.DBPoolAutomaticRecovery }, true),
		help:  "Reconnects after the connection to the database was lost.",
		more:  "If it is off, the process ends with exit code 1, so that a supervisor can start it again."},
	{key: "db-pre-request", older: []string{"pre-request"}, inDatabase: true, reloadable: true,
		field: qualified(func(c *Config) *QualifiedName { return &c.DBPreRequest }),
		help:  "Sets the function that is called at the start of every transaction.",
		more:  "It runs after the role and the claims of the request are set. If it raises an error, the request fails with that error."},
	{key: "db-prepared-statements", inDatabase: true, reloadable: true,
		field: boolean(func(c *Config) *bool { return &c.DBPreparedStatements }, true),
		help:  "Prepares statements once for each connection.",
		more:  "Without prepared statements each request costs more. Turn them off only behind a connection pooler in transaction mode that does not support them."},
	{key: "db-root-spec", older: []string{"root-spec"}, inDatabase: true, reloadable: true,
		field: qualified(func(c *Config) *QualifiedName { return &c.DBRootSpec }),
		help:  "Sets the function whose result is the response to `GET /`, in place of the OpenAPI document."},
	{key: "db-schemas", older: []string{"db-schema"}, inDatabase: true, reloadable: true,
		field: schemas(func(c *Config) *[]string { return &c.DBSchemas }),
		help:  "Sets the schemas that clients can use, separated by commas.",
		more:  "The first is the default. A request selects another with the header `Accept-Profile` (reads) or `Content-Profile` (writes and calls by POST). `pg_catalog` and `information_schema` are not allowed."},
	{key: "db-config", reloadable: true,
		field: boolean(func(c *Config) *bool { return &c.DBConfig }, true),
		help:  "Reads settings from the database.",
		more:  "See [Settings in the database](configuration.md#settings-in-the-database)."},
	{key: "db-pre-config", inDatabase: true, reloadable: true,
		field: qualified(func(c *Config) *QualifiedName { return &c.DBPreConfig }),
		help:  "Sets the function that sets settings in the database.",
		more:  "See [Settings in the database](configuration.md#settings-in-the-database)."},
	{key: "db-tx-end", inDatabase: true, reloadable: true,
		field: txEnd(func(c *Config) *TxEnd { return &c.DBTxEnd }),
		help:  "Sets how transactions end; with -allow-override, `Prefer: tx` can change it.",
		more:  "With `rollback` no request changes data. With `commit-allow-override` a request with `Prefer: tx=rollback` is rolled back, and with `rollback-allow-override` a request with `Prefer: tx=commit` is committed."},
	{key: "db-uri",
		field: text(func(c *Config) *string { return &c.DBURI }, "postgresql://"),
		help:  "Sets the connection string of the database, or @ and the name of a file that has it.",
		more:  "It is a URI (`postgresql://user:password@host/database`) or libpq's keywords and values (`host=... dbname=...`). What it does not have comes from `PGHOST`, `PGUSER` and the other environment variables of libpq. The role is the authenticator, which becomes the role of each request."},
	{key: "jwt-aud", inDatabase: true, reloadable: true,
		field: stringsOrURIs(func(c *Config) *string { return &c.JWTAudience }),
		help:  "Sets the audiences of this server, texts or URIs, separated by commas.",
		more:  "A token whose `aud` claim names other audiences only is refused. A token without an `aud` claim is accepted, unless `jwt-aud-required` is set."},
	{key: "jwt-role-claim-key", older: []string{"role-claim-key"}, inDatabase: true, reloadable: true,
		field: rolePath(func(c *Config) *string { return &c.JWTRoleClaimKey }, "$.role"),
		help:  "Sets the JSONPath of the role in the claims of a token.",
		more:  "In a configuration file `$` is written `$$`."},
	{key: "jwt-secret", inDatabase: true, reloadable: true,
		field: secretBytes(func(c *Config) *[]byte { return &c.JWTSecret }),
		help:  "Sets the key that verifies tokens: a secret of at least 32 bytes, a JSON Web Key or a set of them, @ and the name of a file that has one of these, or the URL of a key set.",
		more:  "If neither it nor `jwt-issuers` is set, requests with a token get status 500 (PGRST300). A URL begins with `https://`, see [Key sets by URL](tokens.md#key-sets-by-url)."},
	{key: "jwt-secret-is-base64", older: []string{"secret-is-base64"}, inDatabase: true, reloadable: true,
		field: boolean(func(c *Config) *bool { return &c.JWTSecretIsBase64 }, false),
		help:  "Decodes `jwt-secret` from base64."},
	{key: "jwt-cache-max-entries", inDatabase: true, reloadable: true, unit: "tokens",
		field: integer(func(c *Config) *int { return &c.JWTCacheMaxEntries }, 1000),
		help:  "Limits the number of verified tokens in the cache; 0 turns the cache off.",
		more:  "The signature of a token in the cache is not verified again. Its times are checked for each request."},
	{key: "log-level", reloadable: true,
		field: choice(func(c *Config) *LogLevel { return &c.LogLevel }, LogError,
			"Invalid logging level. Check your configuration.", "crit", "error", "warn", "info", "debug"),
		help: "Sets what is logged: crit, error, warn, info or debug.",
		more: "`crit` logs the start and failures of the server. `error` adds requests with status 5xx, `warn` those with status 4xx, and `info` all requests. `debug` adds events of the connection pool and the schema cache."},
	{key: "log-query", reloadable: true,
		field: boolean(func(c *Config) *bool { return &c.LogQuery }, false),
		help:  "Logs the SQL of logged requests."},
	{key: "openapi-mode", inDatabase: true, reloadable: true,
		field: choice(func(c *Config) *OpenAPIMode { return &c.OpenAPIMode }, FollowPrivileges,
			"Invalid openapi-mode. Check your configuration.", "follow-privileges", "ignore-privileges", "disabled"),
		help: "Sets what the OpenAPI document at / describes: follow-privileges, ignore-privileges or disabled.",
		more: "`follow-privileges` describes what the role of the request may use. `ignore-privileges` describes all relations and functions of the schema. With `disabled` the response is status 404."},
	{key: "openapi-security-active", inDatabase: true, reloadable: true,
		field: boolean(func(c *Config) *bool { return &c.OpenAPISecurityActive }, false),
		help:  "Describes authentication by token in the OpenAPI document."},
	{key: "openapi-server-proxy-uri", inDatabase: true, reloadable: true,
		field: proxyURI(func(c *Config) *string { return &c.OpenAPIServerProxyURI }),
		help:  "Sets the address of the API in the OpenAPI document.",
		more:  "Set it if clients reach the server through a proxy."},
	{key: "server-cors-allowed-origins", inDatabase: true, reloadable: true,
		field: list(func(c *Config) *[]string { return &c.ServerCORSAllowedOrigins }, "", emptyMeansDefault),
		help:  "Sets the origins whose pages may call the API from a browser, separated by commas.",
		more:  "If it is not set, pages of any origin may."},
	{key: "server-host",
		field: text(func(c *Config) *string { return &c.ServerHost }, defaultHost),
		help:  "Sets the address to listen on, or one of `*`, `*4`, `!4`, `*6`, `!6`.",
		more:  "`*`, `*4` and `*6` are all addresses, of IPv4 and IPv6. `!4` is all addresses of IPv4 only. `!6` needs IPv6 and takes IPv4 too, as in PostgREST."},
	{key: "server-port",
		field: port(func(c *Config) *int { return &c.ServerPort }, 3000),
		help:  "Sets the port to listen on; 0 selects a free port."},
	{key: "server-reuseport",
		field: boolean(func(c *Config) *bool { return &c.ServerReusePort }, false),
		help:  "Allows several processes to listen on the same port.",
		more:  "A new process can then replace an old one without a failed request."},
	{key: "server-trace-header", inDatabase: true, reloadable: true,
		field: text(func(c *Config) *string { return &c.ServerTraceHeader }, ""),
		help:  "Sets the request header that is copied to the response.",
		more:  "With `log-format = \"json\"` its value is the `request_id` of log lines."},
	{key: "server-timing-enabled", inDatabase: true, reloadable: true,
		field: boolean(func(c *Config) *bool { return &c.ServerTimingEnabled }, false),
		help:  "Sends the header Server-Timing with the duration of each phase of a request."},
	{key: "server-unix-socket", unit: "file",
		field: text(func(c *Config) *string { return &c.ServerUnixSocket }, ""),
		help:  "Sets the Unix socket to listen on, in place of `server-host` and `server-port`."},
	{key: "server-unix-socket-mode",
		field: fileMode(func(c *Config) *uint32 { return &c.ServerUnixSocketMode }),
		help:  "Sets the file mode of `server-unix-socket`, octal, from 600 to 777."},
	{key: "url-use-legacy-target-names", inDatabase: true, reloadable: true,
		field: boolean(func(c *Config) *bool { return &c.URLUseLegacyTargetNames }, true),
		help:  "Allows filters, orders and limits to name an embed that has an alias by its relation.",
		more:  "Such a response has a `Warning` header."},
	{key: "admin-server-host", older: []string{"server-host"},
		field: text(func(c *Config) *string { return &c.AdminServerHost }, defaultHost),
		help:  "Sets the address of the admin server.",
		more:  "If it is not set, the admin server listens on the address of `server-host`."},
	{key: "admin-server-port",
		field: adminPort(func(c *Config) *int { return &c.AdminServerPort }),
		help:  "Sets the port of the admin server.",
		more:  "It cannot be the same as `server-port`. If neither a port nor a socket is set, there is no admin server. Keep the port private."},
	{key: "admin-server-unix-socket", unit: "file",
		field: text(func(c *Config) *string { return &c.AdminServerUnixSocket }, ""),
		help:  "Sets the Unix socket of the admin server, in place of `admin-server-host` and `admin-server-port`."},
	{key: "admin-server-unix-socket-mode",
		field: fileMode(func(c *Config) *uint32 { return &c.AdminServerUnixSocketMode }),
		help:  "Sets the file mode of `admin-server-unix-socket`, octal, from 600 to 777."},

	// Keys that PostgREST lacks. Most bound the memory that a client can use.

	// A plan takes about 4 KiB. There is one per request shape, and applications
	// have fewer than 1,000 shapes.
	{key: "plan-cache-max-entries", ours: true, reloadable: true, unit: "plans",
		field: atLeast(1, func(c *Config) *int { return &c.PlanCacheMaxEntries }, 1000),
		help:  "Limits the number of plans in the cache, one for each shape of request.",
		more:  "Requests of one shape differ in their values only."},
	// PostgreSQL keeps the plans of a prepared statement in the memory of each
	// connection, roughly 50 to 200 KiB each. With 200 of them, ten connections take
	// less than half a GiB.
	{key: "statement-cache-max-entries", ours: true, unit: "statements per connection",
		field: atLeast(1, func(c *Config) *int { return &c.StatementCacheMaxEntries }, 200),
		help:  "Limits the number of prepared statements of a connection.",
		more:  "A connection also keeps at most 512 KiB of their SQL. A statement of more than 32 KiB is parsed for each request."},
	// This bounds the request line and the headers. 64 KiB is at least PostgREST's own
	// limit, and enough for long select and in.() lists.
	{key: "server-read-buffer-size", ours: true, unit: "bytes",
		field: atLeast(4096, func(c *Config) *int { return &c.ServerReadBufferSize }, 64<<10),
		help:  "Limits the size of the request line and all headers together."},
	// Bodies are held in memory before they are sent on. PostgREST has no limit, and
	// bulk inserts of tens of MiB are common.
	{key: "server-max-body-size", ours: true, reloadable: true, unit: "bytes",
		field: atLeast(0, func(c *Config) *int { return &c.ServerMaxBodySize }, 100<<20),
		help:  "Limits the size of a request body.",
		more:  "A larger body gets status 413."},
	// A list of 100,000 UUIDs has 4 MB. A query string is read into memory twice, and
	// its lists once more.
	{key: "server-max-query-size", ours: true, reloadable: true, unit: "bytes",
		field: atLeast(0, func(c *Config) *int { return &c.ServerMaxQuerySize }, 8<<20),
		help:  "Limits the size of the query string in the body of a QUERY request.",
		more:  "A larger one gets status 413. `server-max-body-size` applies, too."},
	// Off by default, because Allow is PostgREST's.
	{key: "server-advertise-query", ours: true, reloadable: true,
		field: boolean(func(c *Config) *bool { return &c.ServerAdvertiseQuery }, false),
		help:  "Lists QUERY in the header Allow of responses to OPTIONS, and sends Accept-Query with these and with status 405.",
		more:  "QUERY requests are served in either case."},
	{key: "batch-enabled", ours: true, reloadable: true,
		field: boolean(func(c *Config) *bool { return &c.BatchEnabled }, true),
		help:  "Serves batches: several requests in one POST to /, in one transaction.",
		more:  "If it is off, such a POST gets status 405."},
	// The parts of a batch hold their locks until the last of them has run.
	{key: "batch-max-requests", ours: true, reloadable: true, unit: "requests",
		field: atLeast(1, func(c *Config) *int { return &c.BatchMaxRequests }, 100),
		help:  "Limits the number of requests in a batch."},
	// Five bodies of the largest size, or thousands of ordinary bulk inserts. Bodies
	// up to 64 KiB are not counted: their connections use as much memory.
	{key: "bodies-max-size", ours: true, reloadable: true, unit: "MiB",
		field: atLeast(1, func(c *Config) *int { return &c.BodiesMaxSize }, 512),
		help:  "Limits the memory of all request bodies together.",
		more:  "A request that needs more gets status 503 with `Retry-After`. Bodies of up to 64 KiB do not count."},
	// A response is complete before its first byte is sent, because the head has its
	// length and a late error replaces it. 4 MiB hold a large page of 10,000 rows;
	// spooling to a file takes a fifth more CPU time in the server. All responses
	// together may use eight times this, 32 MiB. Beyond that, smaller responses are
	// spooled too, so slow clients use no more memory.
	{key: "spool-threshold", ours: true, reloadable: true, unit: "bytes",
		field: atLeast(0, func(c *Config) *int { return &c.SpoolThreshold }, 4<<20),
		help:  "Sets the size from which a response is kept in a temporary file, not in memory.",
		more:  "The file holds the response until the client has received it; no database connection is held meanwhile. All responses together use at most eight times this size of memory."},
	{key: "spool-directory", ours: true, unit: "directory",
		field: text(func(c *Config) *string { return &c.SpoolDirectory }, ""),
		help:  "Sets the directory of the temporary files of large responses.",
		more:  "If it is not set, they are in the system's directory for temporary files. If that is in memory, set a directory on a disk."},
	// Eight responses of the largest size that PostgreSQL returns as one value.
	{key: "spool-max-size", ours: true, reloadable: true, unit: "MiB",
		field: atLeast(0, func(c *Config) *int { return &c.SpoolMaxSize }, 8<<10),
		help:  "Limits the size of all temporary files together; 0 keeps all responses in memory.",
		more:  "A read that needs more gets an error."},
	// 2 KiB/s is slower than any usable network, and a live client pauses for less
	// than half a minute.
	{key: "spool-send-timeout", ours: true, reloadable: true, unit: "seconds",
		field: notNegative(seconds(func(c *Config) *time.Duration { return &c.SpoolSendTimeout }, 30),
			func(c *Config) time.Duration { return c.SpoolSendTimeout }),
		help: "Sets how long a client may take to accept 64 KiB of a large response; 0 means no limit.",
		more: "The connection of a slower client is closed."},
	// For databases without LISTEN: replicas and poolers in transaction mode. Off by
	// default, because elsewhere NOTIFY is faster and costs nothing.
	{key: "db-schema-poll-interval", ours: true, reloadable: true, unit: "seconds",
		field: notNegative(seconds(func(c *Config) *time.Duration { return &c.DBSchemaPollInterval }, 0),
			func(c *Config) time.Duration { return c.DBSchemaPollInterval }),
		help: "Sets the interval at which the server checks the schema for changes; 0 turns the check off.",
		more: "Set it where `NOTIFY` does not arrive: on a read replica, or behind a connection pooler in transaction mode."},
	// The name is that of PostgREST's pull request 3017.
	{key: "db-uri-read-replicas", ours: true,
		field: text(func(c *Config) *string { return &c.DBReadReplicas }, ""),
		help:  "Sets the connection strings of read replicas, separated by commas, or @ and the name of a file that has them.",
		more:  "Reads go to these servers, and all else to the one of `db-uri`. See [Read replicas](scaling.md#read-replicas)."},
	{key: "db-pool-replica", ours: true, unit: "connections",
		field: atLeast(0, func(c *Config) *int { return &c.DBPoolReplica }, 0),
		help:  "Sets the maximum number of connections to each read replica; 0 means that of `db-pool`."},
	// A replica of a busy primary is some ms behind. One that is seconds behind has to
	// catch up, or is cut off.
	{key: "db-replica-max-lag", ours: true, unit: "seconds",
		field: notNegative(seconds(func(c *Config) *time.Duration { return &c.DBReplicaMaxLag }, 10),
			func(c *Config) time.Duration { return c.DBReplicaMaxLag }),
		help: "Sets how far a read replica may be behind the primary and still serve reads."},
	// A replica of a busy primary has the change after a few ms.
	{key: "db-replica-wait", ours: true, unit: "milliseconds",
		field: notNegative(duration(func(c *Config) *time.Duration { return &c.DBReplicaWait }, 200, time.Millisecond),
			func(c *Config) time.Duration { return c.DBReplicaWait }),
		help: "Sets how long a read with a bookmark waits for a read replica that has the bookmark's changes.",
		more: "Then the primary serves the read. A read that the primary has failed waits as long for a replica. See [Bookmarks](scaling.md#bookmarks)."},
	// Sharing saves system calls and wake-ups in both processes, about 30 us per
	// request (see pgwire/pool). The setting exists for comparisons.
	{key: "db-connection-sharing", ours: true,
		field: boolean(func(c *Config) *bool { return &c.DBConnectionSharing }, true),
		help:  "Sends quick requests that wait for a connection together on one connection, each in its own transaction."},
	// Off by default: PostgreSQL sorts or hashes all rows for it, and no limit helps.
	{key: "db-distinct-enabled", ours: true, reloadable: true,
		field: boolean(func(c *Config) *bool { return &c.DBDistinctEnabled }, false),
		help:  "Allows the parameter `distinct`, which removes repeated rows from a response.",
		more:  "PostgreSQL may have to sort all rows of a table for it. Set a `statement_timeout` for the roles of requests before you allow it."},
	// Without it jwt-secret serves, so that the usual installation needs no further secret.
	{key: "page-cursor-secret", ours: true, inDatabase: true, reloadable: true,
		field: text(func(c *Config) *string { return &c.PageCursorSecret }, ""),
		help:  "Sets the secret that signs the cursors of pages: at least 32 bytes, or @ and the name of a file that has them.",
		more:  "If it is not set, `jwt-secret` is used, unless that is a key in JSON or a URL. Without either, cursors are good until the process ends. Several servers behind a load balancer need the same secret. See [Pages with cursors](pages.md)."},
	// PostgreSQL needs less than half of the time for a row by key that it reads together
	// with others. See decision 11 of the manual.
	{key: "db-coalescing", ours: true, reloadable: true,
		field: boolean(func(c *Config) *bool { return &c.DBCoalescing }, true),
		help:  "Runs similar reads that wait for a connection as one statement.",
		more:  "This concerns reads of tables that run no functions, have no row security, and have equal settings: the same role, claims, path, headers and cookies. The values of filters may differ if the response has at most one row. No request waits for others. It needs `db-connection-sharing`."},
	// Session state that a function sets would be visible to the next request,
	// perhaps of another client. A reset takes PostgreSQL about 10 microseconds, so
	// it is skipped where user code is proven to leave no session state.
	{key: "db-session-reset", ours: true, reloadable: true,
		field: choice(func(c *Config) *SessionReset { return &c.DBSessionReset }, ResetAuto,
			"Invalid db-session-reset. Check your configuration.", "auto", "always", "never"),
		help: "Sets when a session in which functions ran is reset: auto (unless they are proven to leave nothing), always or never.",
		more: "A reset removes what functions leave in a session before the next request: settings, locks, temporary tables and more."},
	// PostgREST makes all settings for every request. Without these four, a row by key
	// takes PostgreSQL 1 to 2 of 15 us less. auto is not the default: a policy, view or
	// function that is changed to read a setting gets none until the schema cache is
	// reloaded, and could then allow more than with it. PostgREST needs no reload after
	// such changes. To look for them in each request costs as much as the settings.
	{key: "db-request-settings", ours: true, reloadable: true,
		field: requestSettings(func(c *Config) *RequestSettings { return &c.DBRequestSettings }),
		help:  "Sets which details of a request become settings that the database can read: all, none, a list of method, path, headers and cookies, or auto (all, except for reads for which the schema cache proves that no code reads them).",
		more:  "The names of the settings are request.method and so on. request.jwt.claims is always set. With auto, the schema cache must be reloaded after a policy, view or function is changed to read one of them: until then it reads an empty value."},
	// Text is the default because tools that collect PostgREST's log parse it. JSON
	// adds duration, route and error code for searches.
	{key: "log-format", ours: true, reloadable: true,
		field: choice(func(c *Config) *LogFormat { return &c.LogFormat }, LogText,
			"Invalid log-format. Check your configuration.", "text", "json"),
		help: "Sets the format of the log: text (as in PostgREST) or json (an object per line)."},
	// No limit, as in PostgREST, because the right one depends on the duration of
	// requests. Pool size times acquisition timeout, divided by that duration, is the
	// number of requests that can be served before they time out.
	{key: "db-pool-max-waiters", ours: true, unit: "requests",
		field: atLeast(0, func(c *Config) *int { return &c.DBPoolMaxWaiters }, 0),
		help:  "Limits the number of requests that wait for a connection; 0 means no limit.",
		more:  "Further requests fail at once with status 504 (PGRST003)."},
	// Two, so that quick requests, which share connections, still have one while the
	// other is lost or reset. Pools of three or fewer reserve none: slow requests
	// would wait for each other while connections are idle.
	{key: "db-pool-reserve", ours: true, unit: "connections",
		field: atLeast(0, func(c *Config) *int { return &c.DBPoolReserve }, 2),
		help:  "Sets how many connections are reserved for requests that take less than 100 ms on average; 0 reserves none.",
		more:  "It has no effect if fewer than two connections remain for other requests."},
	// A proxy or firewall that drops a connection notifies neither end. Ten minutes
	// is longer than the timeouts of reverse proxies. For shorter limits use
	// statement_timeout, for which PostgreSQL reports an error.
	{key: "db-flight-timeout", ours: true, reloadable: true, unit: "seconds",
		field: notNegative(seconds(func(c *Config) *time.Duration { return &c.DBFlightTimeout }, 600),
			func(c *Config) time.Duration { return c.DBFlightTimeout }),
		help: "Sets how long a request waits for the next byte from the database; 0 means no limit.",
		more: "After that time the request gets status 504 and the connection is closed. If the `statement_timeout` of the role is longer, the limit is that plus 30 seconds."},
	// Off by default: the hint tells clients the name of their role, and the error
	// differs from PostgREST's.
	{key: "client-error-hints", ours: true, reloadable: true,
		field: choice(func(c *Config) *ErrorHints { return &c.ClientErrorHints }, NoHints,
			"Invalid client-error-hints. Check your configuration.", "", "grant"),
		help: "Sets whether the hint of an error 42501 names the missing privilege: grant, or nothing if it is not set.",
		more: "The hint has the SQL that grants the privilege. Use it in development: it tells clients the name of their role."},
	// The model is Kubernetes' structured authentication configuration.
	{key: "jwt-issuers", ours: true, inDatabase: true, reloadable: true,
		field: issuers(func(c *Config) *string { return &c.JWTIssuersText }),
		help:  "Sets the providers whose tokens are accepted, a JSON array, or @ and the name of a file that has it.",
		more:  "Each has keys, audiences and roles of its own. See [Issuers](tokens.md#issuers)."},
	// PostgREST has 30 seconds, as a constant.
	{key: "jwt-allowed-skew-seconds", ours: true, inDatabase: true, reloadable: true, unit: "seconds",
		field: notNegative(seconds(func(c *Config) *time.Duration { return &c.JWTAllowedSkew }, 30),
			func(c *Config) time.Duration { return c.JWTAllowedSkew }),
		help: "Sets how far the clocks of this server and of those that sign tokens may differ.",
		more: "A token is accepted for so long after `exp`, and so long before `nbf` and `iat`."},
	// Off by default, because PostgREST accepts tokens without an audience.
	{key: "jwt-aud-required", ours: true, inDatabase: true, reloadable: true,
		field: boolean(func(c *Config) *bool { return &c.JWTAudienceRequired }, false),
		help:  "Refuses tokens without an `aud` claim.",
		more:  "If `jwt-aud` is not set, any audience will do."},
	// A client that has disconnected may not retry. A write that has begun is
	// therefore completed by default.
	{key: "server-cancel-abandoned-writes", ours: true, reloadable: true,
		field: boolean(func(c *Config) *bool { return &c.ServerCancelAbandonedWrites }, false),
		help:  "Cancels writes, and not only reads, when their client goes away."},
	// Kubernetes kills after 30 seconds, systemd after 90. 20 seconds leave time to
	// cancel what still runs and to send its clients an error.
	{key: "server-drain-timeout", ours: true, reloadable: true, unit: "seconds",
		field: seconds(func(c *Config) *time.Duration { return &c.ServerDrainTimeout }, 20),
		help:  "Sets how long requests may take to finish after SIGTERM.",
		more:  "Requests that still run then are cancelled and get status 503."},
}

const defaultHost = "!4"
