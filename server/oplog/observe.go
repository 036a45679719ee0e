package oplog

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/fastgrest/fastgrest/parser/jsontext"
)

// An argument called problem is the JSON text of a PostgREST error object, as a
// client would receive it for the same failure. An argument called id is the ID
// of the request that caused the event; it is logged in the JSON format only.

// --- the process ---

// Starting is logged first.
func (l *Logger) Starting(version string) { l.say(Info, "Starting fastgrest ", version, "...") }

// Listening logs the address of the API's socket.
func (l *Logger) Listening(address string) { l.say(Info, "API server listening on ", address) }

// AdminListening logs the address of the admin socket.
func (l *Logger) AdminListening(address string) { l.say(Info, "Admin server listening on ", address) }

// AdminPage logs the URL of the admin port's page.
func (l *Logger) AdminPage(address string) { l.say(Info, "Admin page at http://", address, "/ui") }

// AdminCrashed is logged before the process exits.
func (l *Logger) AdminCrashed(err error) {
	l.say(Crit, "Admin server crashed unexpectedly: ", oneLine(err.Error()))
}

// Ending logs why the process exits without a signal.
func (l *Logger) Ending(err error) { l.say(Crit, oneLine(err.Error())) }

// Terminating logs the signal that ends the process.
func (l *Logger) Terminating(signal string) { l.say(Info, "Received termination unix signal ", signal) }

// ShutdownFailed logs an error during the shutdown, which continues.
func (l *Logger) ShutdownFailed(err error) { l.say(Error, "Shutdown: ", oneLine(err.Error())) }

// ConnectionsLeft means that some cancelled requests did not end in time.
func (l *Logger) ConnectionsLeft() {
	l.say(Warn, "Some database connections are still busy and end with the process")
}

// NoSpoolDirectory means that large responses are kept in memory.
func (l *Logger) NoSpoolDirectory(err error) {
	l.say(Warn, "Large responses are kept in memory, because no file can be created (spool-directory): ", oneLine(err.Error()))
}

// RollbackFailed means that a connection is closed because its rollback failed.
func (l *Logger) RollbackFailed(id []byte, err error) {
	if l.Level() < Error {
		return
	}
	l.event(Error, id, "", "A transaction could not be rolled back, its connection is closed: ", oneLine(err.Error()))
}

// --- configuration ---

// ConfigReloaded is logged after every successful reload.
func (l *Logger) ConfigReloaded() { l.say(Info, "Config reloaded") }

// ConfigWarning is about settings that have no effect or an unexpected one.
func (l *Logger) ConfigWarning(text string) { l.say(Warn, "WARNING: ", text) }

// ConfigInvalid means that the old configuration stays in force.
func (l *Logger) ConfigInvalid(err error) {
	l.say(Error, "Failed reloading config: ", oneLine(err.Error()))
}

// ConfigReadFailed is about the settings in the database.
func (l *Logger) ConfigReadFailed(problem string) {
	l.sayProblem(Error, problem, "Failed to query database settings for the config parameters.")
}

// RoleSettingsFailed is about the settings of the roles that requests may take.
func (l *Logger) RoleSettingsFailed(problem string) {
	l.sayProblem(Error, problem, "Failed to query the role settings. ")
}

// DeprecatedRolePath warns about a jwt-role-claim-key in the old syntax.
func (l *Logger) DeprecatedRolePath(path string) {
	l.line(Warn, "WARNING: The config `jwt-role-claim-key=", path, "` is using the deprecated JSPath syntax.")
	l.say(Warn, "Update `jwt-role-claim-key=", path, "` to the new JSONPath syntax as support for JSPath will be removed in a future release. ",
		"See the migration guide on how to update: https://github.com/PostgREST/postgrest/blob/main/CHANGELOG.md#migration-to-v16")
}

// --- database ---

// Connected logs the full version of the database server.
func (l *Logger) Connected(version string) { l.say(Info, "Successfully connected to ", version) }

// VersionFailed means that the query for the server's version failed.
func (l *Logger) VersionFailed(problem string) {
	l.sayProblem(Error, problem, "Failed to query the PostgreSQL version. ")
}

// UnsupportedVersion is logged before the process exits.
func (l *Logger) UnsupportedVersion(version, minimum string) {
	l.say(Crit, "Cannot run in this PostgreSQL version (", version, "), fastgrest needs at least ", minimum)
}

// Reconnecting announces the pause before the next attempt.
func (l *Logger) Reconnecting(delay time.Duration) {
	l.say(Warn, "Attempting to reconnect to the database in ", seconds(delay), " seconds...")
}

// NoRecovery precedes the end of a process that may not reconnect.
func (l *Logger) NoRecovery() { l.say(Crit, "Automatic recovery disabled, exiting.") }

// Fatal is why a database error ends the process.
type Fatal uint8

const (
	FatalAuth              Fatal = iota // wrong or missing password
	FatalBug                            // the database refused SQL of the server's own
	FatalTransactionPooler              // 42P05: prepared statements behind a transaction pooler
	FatalStatementPooler                // 08P01: transactions behind a statement pooler
)

var fatalTexts = [...]string{
	FatalAuth:              "Failed to establish a connection. ",
	FatalBug:               "This is probably a bug in fastgrest, please report it at https://github.com/fastgrest/fastgrest/issues. ",
	FatalTransactionPooler: "If you are using connection poolers in transaction mode, try setting db-prepared-statements to false. ",
	FatalStatementPooler:   "Connection poolers in statement mode are not supported.",
}

// FatalError is logged before the process exits.
func (l *Logger) FatalError(why Fatal, problem string) {
	l.sayProblem(Crit, problem, fatalTexts[why])
}

// QueryFailed is a database error that a client received as a 5xx, or after the first rows
// of a response.
func (l *Logger) QueryFailed(id []byte, problem string) {
	if l.Level() >= Error {
		l.event(Error, id, problem)
	}
}

// Panicked is a panic while handling a request.
func (l *Logger) Panicked(value any, stack []byte) {
	message := "A request panicked, which is a bug: " + strconv.Quote(fmt.Sprint(value))
	if l.JSON() {
		l.say(Error, message, "\n", string(stack))
		return
	}
	l.line(Error, message)
	for line := range strings.Lines(string(stack)) {
		l.line(Error, strings.TrimRight(line, "\n"))
	}
	l.Flush()
}

// Query logs the statements of a request if the level includes its status. The
// caller checks whether log-query is on.
func (l *Logger) Query(id []byte, status int, statements ...string) {
	if !l.LogsStatus(status) {
		return
	}
	for _, sql := range statements {
		if l.JSON() {
			dst := l.beginJSON(Info)
			dst = append(dst, `,"status":`...)
			dst = strconv.AppendInt(dst, int64(status), 10)
			dst = jsontext.AppendString(append(dst, `,"sql":`...), sql)
			l.endJSON(dst, id)
		} else {
			l.end(append(l.begin(), strings.ReplaceAll(sql, "\n", " ")...))
		}
	}
}

// --- schema cache ---

// Timing is the time of one query of a schema cache load.
type Timing struct {
	Name string
	Took time.Duration
}

// SchemaCacheQueried is called before SchemaCacheLoaded. The timings are logged
// at level debug only.
func (l *Logger) SchemaCacheQueried(took time.Duration, timings []Timing) {
	l.line(Info, "Schema cache queried in ", millis(took), " milliseconds ")
	if l.Level() >= Debug && len(timings) > 0 {
		parts := make([]string, len(timings))
		for i, t := range timings {
			parts[i] = t.Name + ": " + millis(t.Took) + " ms"
		}
		l.line(Debug, strings.Join(parts, ", "))
	}
	l.err.flush()
}

// SchemaCacheLoaded ends a load. summary has the counts of what was loaded.
func (l *Logger) SchemaCacheLoaded(took time.Duration, summary string) {
	l.line(Info, "Schema cache loaded ", summary)
	l.say(Info, "Schema cache loaded in ", millis(took), " milliseconds")
}

// SchemaCacheFailed logs the settings that most often cause the failure.
func (l *Logger) SchemaCacheFailed(schemas, extraSearchPath []string, problem string) {
	l.sayProblem(Error, problem, "Failed to load the schema cache using db-schemas=", strings.Join(schemas, ","),
		" and db-extra-search-path=", strings.Join(extraSearchPath, ","), ". ")
}

// SchemaCacheEmpty is a request that came before the first load. problem is its response.
func (l *Logger) SchemaCacheEmpty(id []byte, problem string) {
	if l.Level() >= Error {
		l.event(Error, id, problem)
	}
}

// ViewsUnreadable warns about views without keys, and so without relationships.
func (l *Logger) ViewsUnreadable(views []string) {
	l.say(Warn, "Could not understand the definition of: ", strings.Join(views, ", "))
}

// LegacyTargetNames warns about a request that names embeds by relation
// although they have an alias. Each replacement is a relation and its alias.
func (l *Logger) LegacyTargetNames(replacements [][2]string, method, target string) {
	var list strings.Builder
	for i, r := range replacements {
		if i > 0 {
			list.WriteString(", ")
		}
		list.WriteString(quoted(r[0]) + " to " + quoted(r[1]))
	}
	l.line(Warn, "WARNING: ", LegacyTargetNamesText)
	l.line(Warn, "Update filters, orders or limits that use ", list.String(), " in ", quoted(method+" "+target))
}

// LegacyTargetNamesText is also the text of such a response's Warning header.
const LegacyTargetNamesText = "Embedded resource was referenced by relation name even though it has an alias. " +
	"This is deprecated and will stop working in a future release."

// --- listener ---

// ListenerStarted logs the server that sends notifications. port is empty for a
// unix socket.
func (l *Logger) ListenerStarted(version, host, port, channel string) {
	if port != "" {
		host += ":" + port
	}
	l.say(Info, "Listener connected to ", version, " on ", strconv.Quote(host),
		" and listening for database notifications on the ", strconv.Quote(channel), " channel")
}

// ListenerFailed is followed by ListenerRetrying.
func (l *Logger) ListenerFailed(channel string, err error) {
	l.say(Error, "Failed listening for database notifications on the ", strconv.Quote(channel), " channel. ", oneLine(err.Error()))
}

// ListenerRetrying logs the pause before the next attempt.
func (l *Logger) ListenerRetrying(delay time.Duration) {
	l.say(Warn, "Retrying listening for database notifications in ", seconds(delay), " seconds...")
}

// ListenerImpossible logs why notifications cannot arrive and how to replace
// them. It is not repeated with every attempt.
func (l *Logger) ListenerImpossible(why error, pollInterval time.Duration) {
	const text = "Notifications cannot arrive: "
	if pollInterval > 0 {
		l.say(Warn, text, why.Error(), ". The catalog is polled every ", seconds(pollInterval), " seconds instead (db-schema-poll-interval).")
		return
	}
	l.say(Warn, text, why.Error(), ". Set db-schema-poll-interval to poll the catalog instead.")
}

// Strayed means that the pool's server became read-only without closing its
// connections.
func (l *Logger) Strayed() {
	l.say(Warn, "The database server has become read-only: connecting to one that accepts writes (target_session_attrs)")
}

// SchemaChanged means that a poll found a changed catalog.
func (l *Logger) SchemaChanged() {
	l.say(Info, "The schema or its settings have changed, reloading (db-schema-poll-interval)")
}

// PollFailed is a failed poll of the catalog. Of consecutive failures only the
// first is logged.
func (l *Logger) PollFailed(problem string) {
	l.sayProblem(Error, problem, "Failed to poll the schema for changes (db-schema-poll-interval). ")
}

// ListenerQueueFix is logged before a call that unblocks a stuck notification
// queue.
func (l *Logger) ListenerQueueFix() {
	l.say(Warn, "This is likely a PostgreSQL bug in the notification queue, executing the following to try to solve it: SELECT pg_notification_queue_usage();")
}

// ListenerSchemaReload is a notification that requests a reload of the schema
// cache.
func (l *Logger) ListenerSchemaReload(channel string) {
	l.say(Info, "Received a schema cache reload message on the ", strconv.Quote(channel), " channel")
}

// ListenerConfigReload is a notification that requests a reload of the
// configuration.
func (l *Logger) ListenerConfigReload(channel string) {
	l.say(Info, "Received a config reload message on the ", strconv.Quote(channel), " channel")
}

// --- pool and token cache ---

// PoolInit logs the size of the pool.
func (l *Logger) PoolInit(size int) {
	l.say(Info, "Connection Pool initialized with a maximum size of ", strconv.Itoa(size), " connections")
}

// ResetFailed is a session reset that PostgreSQL refused.
func (l *Logger) ResetFailed(err error) {
	l.say(Warn, "A database session could not be reset, so its connection is closed: ", oneLine(err.Error()))
}

// KeysFetched is a key set whose keys have changed, or that could not be fetched before.
func (l *Logger) KeysFetched(from string, keys int) {
	l.say(Info, "Fetched ", strconv.Itoa(keys), " keys of ", oneLine(from))
}

// KeysFailed is a key set that cannot be fetched. The keys before stay in force.
func (l *Logger) KeysFailed(from, problem string, pause time.Duration) {
	l.say(Error, "Failed to fetch the keys of ", oneLine(from), ". ", oneLine(problem), ". Retrying in ", seconds(pause), " seconds...")
}

// NodeServes means that a database serves requests again.
func (l *Logger) NodeServes(node string) { l.say(Info, "The database ", node, " serves requests") }

// NodeServesNot means that a database serves no requests for a while.
func (l *Logger) NodeServesNot(node, why string) {
	l.say(Warn, "The database ", node, " serves no requests: ", oneLine(why))
}

// PoolTimeout is a request that got no connection in time. problem is its
// response. At most one is logged per timeoutsEvery.
func (l *Logger) PoolTimeout(problem string) {
	if l.Level() >= Error {
		l.timeouts.do(timeoutsEvery, func() { l.event(Error, nil, problem) })
	}
}

// ConnState is an event in the life of a pooled connection.
type ConnState uint8

const (
	ConnConnecting ConnState = iota
	ConnEstablished
	ConnReturned // after a successful session
	ConnUsed
	ConnAged
	ConnIdled
	ConnReleased
	ConnBroken
)

var connTexts = [...]string{
	ConnConnecting:  " is being established",
	ConnEstablished: " is available due to connection establishment",
	ConnReturned:    " is available due to session success",
	ConnUsed:        " is used",
	ConnAged:        " is terminated due to max lifetime",
	ConnIdled:       " is terminated due to max idletime",
	ConnReleased:    " is terminated due to release",
	ConnBroken:      " is terminated due to network error",
}

// PoolConn logs an event of one connection at level debug.
func (l *Logger) PoolConn(id string, state ConnState) {
	l.debug("Connection ", id, connTexts[state])
}

// PoolRequest starts the wait for a connection, at level debug.
func (l *Logger) PoolRequest() { l.debug("Trying to borrow a connection from pool") }

// PoolBorrowed ends the wait that PoolRequest started, at level debug.
func (l *Logger) PoolBorrowed() { l.debug("Borrowed a connection from the pool") }

// PoolFlushed is logged after every schema cache load, at level debug.
func (l *Logger) PoolFlushed() { l.debug("Database connection pool flushed") }

// TokenLookup is a lookup in the token cache, at level debug.
func (l *Logger) TokenLookup() { l.debug("Looked up a JWT in JWT cache") }

// TokenEvicted is a token that was removed for a new one, at level debug.
func (l *Logger) TokenEvicted() { l.debug("Evicted entry from JWT cache") }

// Printf logs messages of the HTTP library at level debug. It makes Logger a
// fasthttp.Logger. All other events have their own methods.
func (l *Logger) Printf(format string, args ...any) {
	if l.Level() >= Debug {
		l.line(Debug, "HTTP server: ", oneLine(fmt.Sprintf(format, args...)))
	}
}

func (l *Logger) debug(parts ...string) {
	if l.Level() >= Debug {
		l.line(Debug, parts...)
	}
}

// --- formats of values ---

// millis formats a duration in milliseconds with one decimal, as in "3.8".
func millis(d time.Duration) string {
	return strconv.FormatFloat(float64(d)/float64(time.Millisecond), 'f', 1, 64)
}

// seconds formats a duration in whole seconds.
func seconds(d time.Duration) string { return strconv.FormatInt(int64(d/time.Second), 10) }
