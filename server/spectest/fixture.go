package spectest

import (
	"fmt"
	"net/url"
	"path/filepath"
	"sync"
	"testing"

	"github.com/fastgrest/fastgrest/pgwire/pgtest"
)

// fixture is a PostgreSQL cluster with the corpus's database as a template.
type fixture struct {
	cluster *pgtest.Cluster
	port    string
	version int // major version of PostgreSQL

	mu    sync.Mutex // held while a template is copied, because PostgreSQL copies a template once at a time
	count int
	clean []*database // unused copies without changes
}

const (
	template      = "spectest_fixture"
	authenticator = "authenticator"
	password      = "festival_pw"
)

// serverSettings fix what the responses depend on: plans and estimates must not
// change while tests run, messages must not be translated, and an endless
// recursion must end early.
const serverSettings = `
alter system set timezone = 'UTC';
alter system set lc_messages = 'C';
alter system set autovacuum = off;
alter system set jit = off;
alter system set max_parallel_workers_per_gather = 0;
alter system set max_stack_depth = '1MB';
alter system set log_min_messages = 'fatal';`

var loaded struct {
	sync.Mutex
	fixture *fixture
}

// startFixture loads the fixture once into the cluster that all tests of the
// process share.
func startFixture(t *testing.T, corpus string) *fixture {
	t.Helper()
	loaded.Lock()
	defer loaded.Unlock()
	if loaded.fixture == nil {
		loaded.fixture = loadFixture(t, corpus)
	}
	return loaded.fixture
}

func loadFixture(t *testing.T, corpus string) *fixture {
	t.Helper()
	c := pgtest.Start(t)
	u, err := url.Parse(c.TCPURI(template, authenticator))
	if err != nil {
		t.Fatal(err)
	}
	version := c.Major()
	for stmt := range statements(serverSettings) {
		c.Exec(t, "postgres", stmt)
	}
	c.Exec(t, "postgres", "select pg_reload_conf()")
	c.Exec(t, "postgres", "create database "+template)
	c.LoadSQL(t, template, filepath.Join(corpus, "schema.sql"))
	c.LoadSQL(t, template, filepath.Join(corpus, "data.sql"))
	return &fixture{cluster: c, port: u.Port(), version: version}
}

// database is a copy of the fixture.
type database struct {
	name, port string
	fixture    *fixture
	written    bool // a request that may write was sent to it
}

// clone makes a copy that is dropped when the test ends.
func (f *fixture) clone(t *testing.T) *database {
	t.Helper()
	db := f.copy(t)
	t.Cleanup(func() { f.drop(t, db) })
	return db
}

func (f *fixture) drop(t *testing.T, db *database) {
	f.cluster.Exec(t, "postgres", fmt.Sprintf("drop database %s with (force)", db.name))
}

// borrow returns a copy for exclusive use by the test. If the test only reads,
// the next test gets the same copy, because to create and drop a copy takes
// longer than to run most groups. A write that is rolled back changes the copy
// too: sequences advance, and a table that has grown gives other estimates.
func (f *fixture) borrow(t *testing.T) *database {
	t.Helper()
	db := f.unused()
	if db == nil {
		db = f.copy(t)
	}
	t.Cleanup(func() {
		if db.written {
			f.drop(t, db)
			return
		}
		f.mu.Lock()
		defer f.mu.Unlock()
		f.clean = append(f.clean, db)
	})
	return db
}

func (f *fixture) unused() *database {
	f.mu.Lock()
	defer f.mu.Unlock()
	last := len(f.clean) - 1
	if last < 0 {
		return nil
	}
	db := f.clean[last]
	f.clean = f.clean[:last]
	return db
}

func (f *fixture) copy(t *testing.T) *database {
	t.Helper()
	f.mu.Lock()
	defer f.mu.Unlock()
	f.count++
	db := &database{name: fmt.Sprintf("spec_%d", f.count), port: f.port, fixture: f}
	f.cluster.Exec(t, "postgres", fmt.Sprintf("create database %s template %s", db.name, template))
	return db
}

// exec runs SQL as the superuser.
func (d *database) exec(t *testing.T, sql string) {
	t.Helper()
	d.fixture.cluster.Exec(t, d.name, sql)
}

// uri returns the server's connection string. It uses TCP, because the corpus
// shows such URIs.
func (d *database) uri() string {
	return fmt.Sprintf("postgresql://%s:%s@127.0.0.1:%s/%s", authenticator, password, d.port, d.name)
}
