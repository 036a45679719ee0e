package check

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

// pooler is what was learned of a connection pooler between us and PostgreSQL.
type pooler struct {
	shares  bool // connections to PostgreSQL are shared by clients between transactions
	forgets bool // prepared statements of a client are unknown on other connections to PostgreSQL
}

// probeTime is the time that a question to a pooler may take. A pool may have no connection left for us.
const probeTime = 5 * time.Second

// probePooler finds out how a pooler shares connections, with two connections outside of transactions.
func (s *session) probePooler(ctx context.Context) (p pooler) {
	if pid := backend(ctx, s.conn); pid == "" || pid == strconv.Itoa(int(s.conn.PID())) {
		return p // the process that greeted us answers: there is no pooler
	}
	ctx, cancel := context.WithTimeout(ctx, probeTime)
	defer cancel()
	var pair [2]*pgconn.PgConn
	for i := range pair {
		conn, _, err := connect(ctx, s.config, s.options.Version, false)
		if err != nil {
			return p
		}
		defer conn.Close(context.Background())
		pair[i] = conn
	}
	for range 3 {
		one, other := backend(ctx, pair[0]), backend(ctx, pair[1])
		p.shares = p.shares || one != "" && one == other
	}
	if p.shares {
		p.forgets = s.config.DBPreparedStatements && forgets(ctx, pair[0], pair[1])
	}
	return p
}

// backend returns the id of the process that serves a connection, "" after an error.
func backend(ctx context.Context, conn *pgconn.PgConn) (pid string) {
	_ = query(ctx, conn, "select pg_catalog.pg_backend_pid()", nil, func(columns [][]byte) error { pid = string(columns[0]); return nil })
	return pid
}

// forgets prepares a statement on a, keeps a connection to PostgreSQL busy through b, and executes the statement on a,
// where it reaches another connection.
func forgets(ctx context.Context, a, b *pgconn.PgConn) bool {
	const name = "fastgrest_check"
	if _, err := a.Prepare(ctx, name, "select", nil); err != nil {
		return false
	}
	if err := command(ctx, b, "BEGIN"); err != nil {
		return false
	}
	_, err := a.ExecPrepared(ctx, name, nil, nil, nil).Close()
	var refused *pgconn.PgError
	return errors.As(err, &refused) && refused.Code == "26000" // invalid_sql_statement_name
}

// checkLink looks at the way to PostgreSQL.
func (s *session) checkLink(ctx context.Context) ([]Finding, error) {
	var list []Finding
	add := func(on bool, f Finding) {
		if on {
			list = append(list, f)
		}
	}
	add(s.version/10000 > newestVersion, Finding{Warning, "version-new", fmt.Sprintf("The server is PostgreSQL %d.", s.version/10000),
		fmt.Sprintf("The newest version that is tested is %d.", newestVersion), "-- look for a newer release of fastgrest"})
	list = append(list, s.checkTransport()...)
	add(s.config.DBPreparedStatements && s.pooler.forgets, Finding{Warning, "prepared-pooler", "The connection pooler does not know prepared statements of its clients.",
		"Requests fail when they reach a connection on which their statement was not prepared.",
		"db-prepared-statements = false\n# or max_prepared_statements in PgBouncer 1.21 or newer"})
	replica := false
	err := s.query(ctx, "select pg_catalog.pg_is_in_recovery()", nil, func(columns [][]byte) error { replica = string(columns[0]) == "t"; return nil })
	if err != nil {
		return nil, err
	}
	reason := ""
	switch {
	case s.config.DBSchemaPollInterval > 0 || !s.config.DBChannelEnabled:
	case s.pooler.shares:
		reason = "A connection pooler in transaction mode is in between, which passes no notifications on."
	case replica && !s.reachesPrimary(ctx):
		reason = "All hosts of db-uri are read replicas, which have no notifications."
	}
	add(reason != "", Finding{Warning, "notify-missing", reason, "After a change of the schema the server goes on with the old one until it gets a signal.",
		"db-schema-poll-interval = 10\ndb-channel-enabled = false"})
	return list, nil
}

// reachesPrimary reports whether one of the hosts accepts writes. The server listens there.
func (s *session) reachesPrimary(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, probeTime)
	defer cancel()
	conn, _, err := connect(ctx, s.config, s.options.Version, true)
	if err != nil {
		return false
	}
	_ = conn.Close(ctx)
	return true
}

// checkTransport looks at encryption.
func (s *session) checkTransport() []Finding {
	socket, cfg := s.conn.Conn(), s.tls
	_, encrypted := socket.(*tls.Conn)
	verified := cfg != nil && (!cfg.InsecureSkipVerify || cfg.VerifyPeerCertificate != nil || cfg.VerifyConnection != nil)
	return transportFindings(socket.RemoteAddr(), encrypted, verified)
}

// transportFindings is checkTransport with what it has found out.
func transportFindings(remote net.Addr, encrypted, verified bool) []Finding {
	address, isTCP := remote.(*net.TCPAddr)
	if !isTCP || address.IP.IsLoopback() || encrypted && verified {
		return nil
	}
	const do = "# in db-uri, with the certificate of the authority in sslrootcert:\nsslmode=verify-full"
	if encrypted {
		return []Finding{{Advice, "tls-unverified", "The certificate of " + address.IP.String() + " is not verified.",
			"Another server can take the place of the database.", do}}
	}
	level := Warning
	if address.IP.IsPrivate() {
		level = Advice
	}
	return []Finding{{level, "tls-missing", "The connection to " + address.IP.String() + " is not encrypted.",
		"The network can read the password and all data.", do}}
}
