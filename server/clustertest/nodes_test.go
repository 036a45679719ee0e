package clustertest_test

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/fastgrest/fastgrest/pgwire/pgtest"
	"github.com/fastgrest/fastgrest/server/servertest"
)

// nodesSchema has what replicas cannot do, or must not.
const nodesSchema = `
create unlogged table api.scratch (id int);
create function api.draw() returns text language sql volatile as $$ select current_setting('cluster_name') $$;
create function api.place() returns text language sql stable as $$ select current_setting('cluster_name') $$;
create function api.strict() returns text language sql stable set default_transaction_isolation = 'serializable'
  as $$ select current_setting('cluster_name') $$;
create table api.counter (n int not null);
insert into api.counter values (0);
create table api.mark (id int primary key, n int not null);
insert into api.mark select i, 0 from generate_series(0, 9) i;
create function api.bump(key int) returns int language sql volatile as $$ update api.mark set n = n + 1 where id = key returning n $$;
grant select on all tables in schema api to test_anon, test_user, test_other, test_serial;
grant update on api.counter, api.mark to test_anon;
`

// cluster3 is a primary, a replica, and a replica that applies changes a minute late.
type cluster3 struct {
	*app
	one, two, late *pgtest.Cluster
	db             string
}

func startNodes(t *testing.T) *cluster3 {
	c := &cluster3{one: pgtest.StartReplicated(t, "cluster_name = 'one'", "synchronous_commit = on", "wal_retrieve_retry_interval = '100ms'")}
	c.db = newDB(t, c.one)
	c.one.Exec(t, c.db, nodesSchema)
	c.two = c.one.StartReplica(t, "cluster_name = 'two'")
	c.late = c.one.StartReplica(t, "cluster_name = 'late'", "recovery_min_apply_delay = '60s'")
	c.one.Exec(t, c.db, "update api.counter set n = 0") // which one of them has not applied
	c.app = start(t, map[string]string{
		"db-uri":               c.one.URI(c.db, pgtest.Login),
		"db-uri-read-replicas": c.two.URI(c.db, pgtest.Login) + ", " + c.late.URI(c.db, pgtest.Login),
		"db-pool":              "4", "db-pool-replica": "3", "db-replica-max-lag": "1", "log-format": "json", "log-level": "info",
	})
	return c
}

// place returns the cluster that serves a read.
func (c *cluster3) place(headers ...string) string {
	c.t.Helper()
	got := c.get("/rpc/place", headers...)
	if got.Status != 200 {
		c.t.Fatalf("%v", got)
	}
	return strings.Trim(got.Body, `"`)
}

func (c *cluster3) awaitPlace(want string) {
	c.t.Helper()
	eventually(c.t, "reads go to "+want, func() bool { return c.place() == want })
}

// node returns a figure of a node. The replicas are on unix sockets.
func (c *cluster3) node(name string, of *pgtest.Cluster) float64 {
	return c.metric(fmt.Sprintf(`fastgrest_node_%s{node="%s:5432"}`, name, of.SocketDir()))
}

// TestNodes has a primary and two replicas: what goes where, and what happens when nodes fail.
func TestNodes(t *testing.T) {
	t.Parallel()
	c := startNodes(t)
	c.awaitPlace("two")
	t.Run("routing", c.routing)
	c.failures(t)
}

// routing checks which node serves what. On a busy machine a replica may take a second to say
// its state. The primary serves its reads meanwhile, so they are sent again.
func (c *cluster3) routing(t *testing.T) {
	f := func(want string, method, target, body string, headers ...string) {
		t.Helper()
		var got servertest.Response
		if !pgtest.Until(servertest.Patience, func() bool {
			got = c.Do(method, target, body, headers...)
			return want == "one" || got.Status != 200 || !strings.Contains(got.Body, `"one"`)
		}) || got.Status != 200 || !strings.Contains(got.Body, `"`+want+`"`) {
			t.Errorf("%s %s %q: %v, want %s", method, target, headers, got, want)
		}
	}
	f("two", "GET", "/rpc/place", "")
	f("two", "POST", "/rpc/place", "{}")
	f("two", "QUERY", "/rpc/place", "limit=1", "Content-Type", "application/x-www-form-urlencoded")
	f("one", "GET", "/rpc/draw", "")
	f("one", "POST", "/rpc/draw", "{}")
	f("one", "GET", "/rpc/place", "", "Prefer", "read=primary")
	f("two", "GET", "/rpc/place", "", "Prefer", "read=primarily")
	f("one", "GET", "/rpc/strict", "")
	f("one", "GET", "/rpc/place", "", bearer(t, "test_serial", "x")...)
	f("two", "GET", "/rpc/place", "", "Accept", "application/x-ndjson")
	if got := c.get("/rpc/place", "Prefer", "read=primary, handling=strict"); got.Header.Get("Preference-Applied") != "handling=strict, read=primary" {
		t.Errorf("Preference-Applied: %q", got.Header.Get("Preference-Applied"))
	}
	eventually(t, "the read of an unlogged table runs again", func() bool {
		if got := c.get("/scratch"); got.Status != 200 || got.Body != "[]" {
			t.Errorf("an unlogged table: %v", got)
		}
		return t.Failed() || c.node("retried_total", c.two) > 0
	})
	if got := c.get("/item?id=eq.x"); got.Status != 400 || got.Code != "22P02" {
		t.Errorf("an error: %v", got)
	}
	f("two", "POST", "/", `{"requests":[{"id":"a","method":"GET","url":"/rpc/place"}]}`, "Content-Type", "application/vnd.pgrst.batch+json")
	f("one", "POST", "/", `{"requests":[{"id":"a","method":"GET","url":"/rpc/place"},{"id":"b","method":"POST","url":"/note","body":{"tag":"y"}}]}`,
		"Content-Type", "application/vnd.pgrst.batch+json")
	if got := c.Do("HEAD", "/", ""); got.Status != 200 {
		t.Errorf("the root: %v", got)
	}

	// A new table is in the catalog before a replica may have it.
	c.one.Exec(t, c.db, "create table api.fresh (id int); insert into api.fresh values (7); notify pgrst")
	if got := c.awaitStatus("/fresh", 200); !strings.Contains(got.Body, "7") {
		t.Errorf("a new table: %v", got)
	}
	c.awaitPlace("two")

	if got := c.node("requests_total", c.late); got != 0 {
		t.Errorf("the late replica has served %v requests", got)
	}
	if got := c.node("retried_total", c.two); got != 1 {
		t.Errorf("%v reads ran again, want that of the unlogged table", got)
	}
	var line struct{ Node string }
	for text := range strings.Lines(c.Out.String()) {
		if strings.Contains(text, `"target":"/scratch"`) {
			if err := json.Unmarshal([]byte(text), &line); err != nil {
				t.Error(err)
			}
		}
	}
	if line.Node != "primary" {
		t.Errorf("the log names the node %q", line.Node)
	}
}

// readiness returns status and text of /ready.
func (c *cluster3) readiness() (int, string) {
	resp, err := c.Admin.Get("http://admin/ready")
	if err != nil {
		return 0, err.Error()
	}
	defer resp.Body.Close()
	text, _ := io.ReadAll(resp.Body)
	return resp.StatusCode, string(text)
}
