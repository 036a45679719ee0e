package check

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/fastgrest/fastgrest/server/config"
)

// session is one connection as the authenticator, in a read-only transaction.
type session struct {
	config  *config.Config // with the settings of the database; nil if these are invalid
	stored  []Finding      // about these settings
	options Options
	conn    *pgconn.PgConn
	tls     *tls.Config // of the connection; nil for none
	version int         // server_version_num
	// timeout is the statement_timeout of new sessions, in milliseconds.
	timeout int
	facts   facts
	pooler  pooler
}

// refusal is an error that is a finding: there is no database to check.
type refusal struct{ finding Finding }

func (r *refusal) Error() string { return r.finding.Found }

// statementTime is the time limit of each statement.
const statementTime = 30 * time.Second

const (
	oldestVersion = 14
	newestVersion = 18 // the newest that is tested
)

// connect opens a connection with the parameters of the server. readWrite: only a host that accepts writes.
func connect(ctx context.Context, c *config.Config, version string, readWrite bool) (*pgconn.PgConn, *tls.Config, error) {
	cfg, err := pgconn.ParseConfig(c.ConnString(config.ConnOptions{ApplicationName: "fastgrest check " + version, ReadWrite: readWrite}))
	if err != nil {
		return nil, nil, err
	}
	conn, err := pgconn.ConnectConfig(ctx, cfg)
	return conn, cfg.TLSConfig, err
}

// query runs a statement with parameters as text, and hands every row to each, columns as text, nil for null, valid
// during the call. It leaves no named statement, which would stay in a connection of a pooler.
func query(ctx context.Context, conn *pgconn.PgConn, sql string, args []string, each func(columns [][]byte) error) error {
	values := make([][]byte, len(args))
	for i, arg := range args {
		values[i] = []byte(arg)
	}
	rows := conn.ExecParams(ctx, sql, values, nil, nil, nil)
	var failed error
	for failed == nil && rows.NextRow() {
		failed = each(rows.Values())
	}
	if _, err := rows.Close(); err != nil {
		return err
	}
	return failed
}

// command runs a statement without parameters.
func command(ctx context.Context, conn *pgconn.PgConn, sql string) error {
	_, err := conn.Exec(ctx, sql).ReadAll()
	return err
}

// open connects and begins the transaction. The error is a *refusal if there is no usable database.
func open(ctx context.Context, c *config.Config, o Options) (*session, error) {
	conn, encryption, err := connect(ctx, c, o.Version, false)
	if err != nil {
		return nil, &refusal{Finding{Error, "connection-failed", err.Error(), "The server waits for its database, and requests get 503.",
			"# correct db-uri, or start the database"}}
	}
	s := &session{config: c, options: o, conn: conn, tls: encryption}
	s.pooler = s.probePooler(ctx)
	if err := s.begin(ctx, c); err != nil {
		s.close()
		return nil, err
	}
	return s, nil
}

func (s *session) close() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	_ = command(ctx, s.conn, "ROLLBACK") // else a pooler closes its connection
	_ = s.conn.Close(ctx)
}

func (s *session) begin(ctx context.Context, c *config.Config) (err error) {
	if err := command(ctx, s.conn, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"); err != nil {
		return err
	}
	err = s.query(ctx, `select pg_catalog.current_setting('server_version_num'),
		(select s.setting from pg_catalog.pg_settings s where s.name operator(pg_catalog.=) 'statement_timeout')`, nil, func(columns [][]byte) (err error) {
		if s.version, err = strconv.Atoi(string(columns[0])); err == nil {
			s.timeout, err = strconv.Atoi(string(columns[1]))
		}
		return err
	})
	if err != nil {
		return err
	}
	if s.version < oldestVersion*10000 {
		return &refusal{Finding{Error, "version-old", fmt.Sprintf("The server is PostgreSQL %d.", s.version/10000),
			"The oldest version that works is 14.", "# upgrade PostgreSQL"}}
	}
	if err := command(ctx, s.conn, fmt.Sprintf("SET LOCAL statement_timeout = %d", statementTime.Milliseconds())); err != nil {
		return err
	}
	if err := s.readStored(ctx, c); err != nil || s.config == nil {
		return err
	}
	// From here on names without a schema are those of pg_catalog, operators included.
	if err := command(ctx, s.conn, "SET LOCAL search_path = pg_catalog, pg_temp"); err != nil {
		return err
	}
	return s.readFacts(ctx)
}

// readStored adds the settings of the database to the configuration. The function of db-pre-config may fail, which
// must not end the transaction.
func (s *session) readStored(ctx context.Context, c *config.Config) error {
	if !c.DBConfig {
		return nil
	}
	source := s.options.Source
	inside := func(read func() error) error {
		if err := command(ctx, s.conn, "SAVEPOINT stored"); err != nil {
			return err
		}
		if err := read(); err != nil {
			s.stored = append(s.stored, Finding{Error, "stored-settings-unreadable", "The settings in the database cannot be read: " + err.Error() + ".",
				"The server goes on without them.", "# correct the function of db-pre-config, or set db-config = false"})
			return command(ctx, s.conn, "ROLLBACK TO SAVEPOINT stored")
		}
		return command(ctx, s.conn, "RELEASE SAVEPOINT stored")
	}
	err := inside(func() (err error) {
		source.Database, err = config.ReadDatabase(ctx, s.query, c.DBPreConfig)
		return err
	})
	if err != nil {
		return err
	}
	err = inside(func() (err error) {
		source.RoleSettings, source.RoleIsolation, err = config.ReadRoles(ctx, s.query)
		return err
	})
	if err != nil {
		return err
	}
	if s.config, err = config.Load(source); err != nil {
		s.config, s.stored = nil, append(s.stored, unusable(err))
	}
	return nil
}

// query is a config.Querier.
func (s *session) query(ctx context.Context, sql string, args []string, each func(columns [][]byte) error) error {
	return query(ctx, s.conn, sql, args, each)
}

// array is a list as a parameter, which the query reads as JSON.
func array(list []string) string {
	if list == nil {
		return "[]"
	}
	text, _ := json.Marshal(list) // of strings: never fails
	return string(text)
}

// facts is what several checks need about the roles.
type facts struct {
	reachable []string // OIDs of the roles that a request may have, except the authenticator's own
	via       []string // for each of them, the OID of the member through which it is reached
}

// readFacts finds the roles to which the authenticator may switch. A superuser may switch to all. Then the roles
// count that it is a member of, and the anonymous role.
func (s *session) readFacts(ctx context.Context) error {
	may := "true"
	if s.version >= 160000 {
		may = "m.set_option"
	}
	return s.query(ctx, `
with recursive way(oid, via) as (
  (select m.roleid, m.member from pg_catalog.pg_auth_members m
     join pg_catalog.pg_roles me on me.oid = m.member
    where me.rolname = current_user and `+may+`
   union
   select anon.oid, me.oid from pg_catalog.pg_roles anon, pg_catalog.pg_roles me
    where anon.rolname = $1::pg_catalog.text and me.rolname = current_user and me.rolsuper and anon.oid <> me.oid)
  union
  select m.roleid, m.member from way join pg_catalog.pg_auth_members m on m.member = way.oid where `+may+`
)
select distinct on (r.oid) r.oid, way.via
  from way join pg_catalog.pg_roles r using (oid)
 where r.rolname <> current_user
 order by r.oid, way.via`, []string{s.config.DBAnonRole}, func(columns [][]byte) error {
		s.facts.reachable = append(s.facts.reachable, string(columns[0]))
		s.facts.via = append(s.facts.via, string(columns[1]))
		return nil
	})
}
