package manual_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/fastgrest/fastgrest/pgwire/pgtest"
	"github.com/fastgrest/fastgrest/server/servertest"
)

// The addresses that pages have in commands and see in responses.
const (
	apiName   = "localhost:3000"
	adminName = "localhost:3001"
)

// secret signs the tokens of pages without a jwt-secret among their settings.
const secret = "a secret of at least thirty-two characters"

// fixture is what the pages share: the program, and a cluster with the library.
type fixture struct {
	program string
	cluster *pgtest.Cluster
}

// newFixture compiles the program and starts the cluster. Both go with the test.
func newFixture(t *testing.T) *fixture {
	t.Helper()
	b := &fixture{servertest.Program(t), pgtest.StartOwn(t)}
	loadLibrary(t, b.cluster)
	return b
}

// loadLibrary makes the database library in a cluster. Databases of pages are copies of it.
func loadLibrary(t *testing.T, c *pgtest.Cluster) {
	t.Helper()
	c.Exec(t, "postgres", "create database library")
	c.LoadSQL(t, "library", "testdata/library.sql")
}

// site is the database of a page and the program that serves it.
type site struct {
	t          *testing.T
	program    string
	cluster    *pgtest.Cluster
	database   string
	owner      *pgtest.Conn
	settings   map[string]string
	cmd        *exec.Cmd // nil until something needs the program
	log        pgtest.Transcript
	over       chan struct{} // closed when the program has ended
	api, admin string        // addresses
	dir        string        // where commands run
}

// newSite makes the database of a page. The program starts when the page needs it.
func newSite(t *testing.T, b *fixture, p *page) *site {
	t.Helper()
	s := &site{t: t, program: b.program, settings: map[string]string{
		"db-schemas": "api", "db-anon-role": "web_anon", "jwt-secret": secret,
		"server-host": "127.0.0.1", "server-port": "0", "log-level": "info",
	}, dir: t.TempDir()}
	if slices.ContainsFunc(p.lines, func(line string) bool { return strings.Contains(line, adminName) }) {
		s.settings["admin-server-port"] = pgtest.FreePort(t, "127.0.0.1") // 0 would be off
	}
	for key, value := range p.settings {
		s.settings[key] = value
	}
	switch p.database {
	case "library":
		s.cluster, s.database = b.cluster, strings.TrimSuffix(strings.ReplaceAll(p.file, "/", "_"), ".md")
		s.cluster.Exec(t, "postgres", `create database "`+s.database+`" template library`)
	case "own":
		s.cluster, s.database = pgtest.StartOwn(t), "library"
		loadLibrary(t, s.cluster)
	case "empty":
		s.cluster, s.database = pgtest.StartOwn(t), "postgres"
	}
	s.owner = s.cluster.Connect(t, s.database)
	return s
}

// start starts the program if it does not run.
func (s *site) start() {
	s.t.Helper()
	if s.cmd != nil {
		return
	}
	var args []string
	for key, value := range s.settings {
		args = append(args, "--"+key+"="+value)
	}
	if s.settings["db-uri"] == "" {
		args = append(args, "--db-uri="+s.cluster.URI(s.database, "authenticator"))
	}
	s.cmd = exec.Command(s.program, args...)
	s.cmd.Env, s.cmd.Dir = environment(), s.dir
	s.cmd.Stdout, s.cmd.Stderr = &s.log, &s.log
	if err := s.cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	s.over = make(chan struct{})
	go func() { _ = s.cmd.Wait(); close(s.over) }()
	s.t.Cleanup(func() {
		_ = s.cmd.Process.Signal(syscall.SIGTERM)
		<-s.over
	})
	s.await("the program is ready", func() bool {
		s.api, s.admin = s.address("API server listening on "), s.address("Admin server listening on ")
		return s.api != "" && (s.admin != "" || s.settings["admin-server-port"] == "") && s.loads() > 0
	})
}

// address is the end of the line that says where a server listens, or "".
func (s *site) address(before string) string {
	for _, line := range s.log.Lines() {
		if _, address, ok := strings.Cut(line, before); ok {
			return address
		}
	}
	return ""
}

// loads is how often the schema cache has been loaded.
func (s *site) loads() int { return s.log.Count("Schema cache loaded in") }

// reload has the program read configuration and catalog, if it runs, and waits for it. The first
// load that ends may have begun before the signal; the second one has not.
func (s *site) reload() {
	s.t.Helper()
	if s.cmd == nil {
		return
	}
	for range 2 {
		before := s.loads()
		if err := s.cmd.Process.Signal(syscall.SIGHUP); err != nil {
			s.t.Fatal(err)
		}
		s.await("the schema cache is loaded", func() bool { return s.loads() > before })
	}
}

func (s *site) await(what string, so func() bool) {
	s.t.Helper()
	ended := false
	if !pgtest.Until(patience, func() bool {
		select {
		case <-s.over:
			ended = true
		default:
		}
		return ended || so()
	}) || ended {
		s.t.Fatalf("never: %s\n%s", what, s.log.String())
	}
}

// exec runs statements as a role, or as the owner of the database if there is no role.
func (s *site) exec(sql, role string) error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if role != "" {
		if _, err := s.owner.Exec(ctx, "set role "+role).ReadAll(); err != nil {
			return err
		}
		defer s.owner.Value("reset role")
	}
	_, err := s.owner.Exec(ctx, sql).ReadAll()
	return err
}

// shell runs a command and returns what it prints. The program and psql are on its path, and psql
// connects to the database. Tokens are variables.
func (s *site) shell(command string, tokens map[string]string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if strings.Contains(command, apiName) || strings.Contains(command, adminName) {
		s.start()
		command = strings.NewReplacer(apiName, s.api, adminName, s.admin).Replace(command)
	}
	cmd := exec.CommandContext(ctx, "sh", "-ec", command)
	cmd.Dir, cmd.WaitDelay = s.dir, 5*time.Second
	path := filepath.Dir(s.program) + ":" + os.Getenv("TEST_PG_BIN_DIR") + ":" + os.Getenv("PATH")
	cmd.Env = append(environment(), "PATH="+path, "PGHOST="+s.cluster.SocketDir(), "PGPORT="+s.port(),
		"PGDATABASE="+s.database, "PGUSER="+pgtest.Superuser)
	for name, token := range tokens {
		cmd.Env = append(cmd.Env, name+"="+token)
	}
	out, err := cmd.Output()
	return s.public(strings.TrimRight(string(out), "\n")), err
}

// port is the port of PostgreSQL.
func (s *site) port() string { return s.owner.Value("show port") }

// public replaces the addresses by those that pages have.
func (s *site) public(text string) string {
	if s.cmd == nil {
		return text
	}
	if s.admin != "" {
		text = strings.ReplaceAll(text, s.admin, adminName)
	}
	return strings.ReplaceAll(text, s.api, apiName)
}

// environment is that of the test without variables that configure the program or libpq.
func environment() []string {
	return append(slices.DeleteFunc(os.Environ(), func(kv string) bool {
		return strings.HasPrefix(kv, "PGRST_") || strings.HasPrefix(kv, "PG") || strings.HasPrefix(kv, "TZ=")
	}), "TZ=UTC")
}
