package clustertest_test

import (
	"fmt"
	"os"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/fastgrest/fastgrest/pgwire/pgtest"
)

const bookmarksSchema = `
create table api.mark (id int primary key, n int not null);
insert into api.mark select i, 0 from generate_series(0, 99) i;
create table api.deferred (id int primary key, twin int references api.deferred deferrable initially deferred);
create function api.place() returns text language sql stable as $$ select current_setting('cluster_name') $$;
create function api.bump(key int) returns int language sql volatile as $$ update api.mark set n = n + 1 where id = key returning n $$;
grant all on api.mark, api.deferred to test_anon;
`

// pairs is the number of writes that are read back, with a bookmark and without. 100000
// takes some minutes.
func pairs(t *testing.T) int {
	n, err := strconv.Atoi(os.Getenv("FASTGREST_TEST_PAIRS"))
	if err != nil {
		return 300
	}
	t.Logf("%d pairs", n)
	return n
}

// TestBookmarks writes, and reads what it wrote, from a replica and from one that is late.
func TestBookmarks(t *testing.T) {
	t.Parallel()
	one := pgtest.StartReplicated(t, "cluster_name = 'one'", "synchronous_commit = on")
	db := newDB(t, one)
	one.Exec(t, db, bookmarksSchema)
	two := one.StartReplica(t, "cluster_name = 'two'")
	late := one.StartReplica(t, "cluster_name = 'late'", "recovery_min_apply_delay = '60ms'")
	a := start(t, map[string]string{
		"db-uri":               one.URI(db, pgtest.Login),
		"db-uri-read-replicas": two.URI(db, pgtest.Login) + "," + late.URI(db, pgtest.Login),
		"db-tx-end":            "commit-allow-override", "db-replica-max-lag": "5",
	})
	both := func() {
		t.Helper()
		for _, c := range []string{"two", "late"} {
			eventually(t, "reads go to "+c, func() bool { return strings.Contains(a.get("/rpc/place").Body, c) })
		}
	}
	both()
	t.Run("forms", func(t *testing.T) { bookmarkForms(t, a) })

	// Without the position a write has been committed all the same.
	one.Exec(t, db, "revoke execute on function pg_catalog.pg_current_wal_insert_lsn() from public")
	got := a.Do("POST", "/note", `{"tag":"unmarked"}`)
	if n := value(t, one, db, "select count(*) from api.note where tag = 'unmarked'"); got.Status != 201 || got.Header.Get("Pgrst-Bookmark") != "" || n != "1" {
		t.Errorf("a write without a position: %v, %s rows", got, n)
	}
	one.Exec(t, db, "grant execute on function pg_catalog.pg_current_wal_insert_lsn() to public")
	both()

	n := pairs(t)
	for _, marked := range []bool{true, false} {
		served := func(c *pgtest.Cluster) float64 {
			return a.metric(fmt.Sprintf(`fastgrest_node_requests_total{node="%s:5432"}`, c.SocketDir()))
		}
		before := served(two) + served(late)
		stale := writeAndRead(t, a, n, marked)
		t.Logf("%d pairs, bookmarks %t: %d stale reads; replicas served %v of the reads", n, marked, stale, served(two)+served(late)-before)
		if marked && stale > 0 {
			t.Errorf("%d of %d reads with a bookmark are stale", stale, n)
		}
		if !marked && stale == 0 {
			t.Error("without bookmarks no read is stale, so the test proves nothing")
		}
	}
}

// writeAndRead returns how many reads did not have the write before them.
func writeAndRead(t *testing.T, a *app, pairs int, marked bool) int64 {
	var stale, next atomic.Int64
	var clients sync.WaitGroup
	for client := range 8 {
		clients.Go(func() {
			key := client
			if marked {
				key += 50
			}
			for next.Add(1) <= int64(pairs) {
				wrote, err := a.Try("POST", "/rpc/bump", fmt.Sprintf(`{"key":%d}`, key))
				mark := wrote.Header.Get("Pgrst-Bookmark")
				if err != nil || wrote.Status != 200 || mark == "" {
					t.Errorf("a write: %v %v, bookmark %q", wrote, err, mark)
					return
				}
				var headers []string
				if marked {
					headers = []string{"Pgrst-Bookmark", mark}
				}
				got, err := a.Try("GET", fmt.Sprintf("/mark?id=eq.%d&select=n", key), "", headers...)
				if err != nil || got.Status != 200 {
					t.Errorf("a read: %v %v", got, err)
					return
				}
				if want := fmt.Sprintf(`[{"n":%s}]`, wrote.Body); got.Body != want {
					stale.Add(1)
				}
			}
		})
	}
	clients.Wait()
	return stale.Load()
}

// bookmarkForms checks which responses have a bookmark, and what requests with one get.
func bookmarkForms(t *testing.T, a *app) {
	const header = "Pgrst-Bookmark"
	shape := regexp.MustCompile(`^1/[0-9A-F]+/[0-9A-F]+$`)
	f := func(want bool, status int, method, target, body string, headers ...string) {
		t.Helper()
		got := a.Do(method, target, body, headers...)
		if has := shape.MatchString(got.Header.Get(header)); got.Status != status || has != want || !has && got.Header.Get(header) != "" {
			t.Errorf("%s %s %q: %v, bookmark %q", method, target, headers, got, got.Header.Get(header))
		}
	}
	one := []string{"Accept", "application/vnd.pgrst.object+json", "Prefer", "return=representation"}
	f(true, 201, "POST", "/note", `{"tag":"x"}`)
	f(true, 201, "POST", "/note", `{"tag":"x"}`, "Prefer", "return=representation")
	f(true, 200, "PATCH", "/mark?id=eq.1", `{"n":5}`, one...)
	f(false, 406, "PATCH", "/mark?id=lt.3", `{"n":5}`, one...)
	f(true, 204, "DELETE", "/note?tag=eq.none", "")
	f(true, 200, "PUT", "/mark?id=eq.1", `{"id":1,"n":7}`, "Prefer", "return=representation")
	f(false, 201, "POST", "/note", `{"tag":"x"}`, "Prefer", "tx=rollback")
	f(false, 409, "POST", "/deferred", `{"id":1,"twin":2}`)
	f(false, 409, "POST", "/mark", `{"id":1,"n":2}`)
	f(true, 200, "POST", "/rpc/bump", `{"key":90}`)
	f(false, 200, "GET", "/mark?limit=1", "")
	f(false, 200, "POST", "/rpc/place", "{}")
	batch := []string{"Content-Type", "application/vnd.pgrst.batch+json"}
	f(true, 200, "POST", "/", `{"requests":[{"id":"a","method":"POST","url":"/note","body":{"tag":"y"}}]}`, batch...)
	f(true, 200, "POST", "/", `{"requests":[{"id":"a","method":"POST","url":"/note","headers":{"Prefer":"return=representation"},"body":[{"tag":"y"}]},
		{"id":"b","method":"POST","url":"/note","body":{"tag":{"$ref":"a#/0/tag"}}}]}`, batch...)
	f(false, 200, "POST", "/", `{"requests":[{"id":"a","method":"GET","url":"/mark"}]}`, batch...)
	f(false, 409, "POST", "/", `{"requests":[{"id":"a","method":"POST","url":"/mark","body":{"id":1,"n":1}}]}`, batch...)

	for _, text := range []string{"", "x", "1", "1/", "1/0", "1/0/", "0/0/1", "01/0/1", "-1/0/1", "+1/0/1", "1/0/1/", "1/G/1", "1/0/123456789", "4294967296/0/1", "1/0/1, 1/0/2", strings.Repeat("1", 5000)} {
		if got := a.get("/mark?limit=1", header, text); got.Status != 400 || got.Code != "PGRSTX60" {
			t.Errorf("the bookmark %.20q: %v", text, got)
		}
	}
	for text, want := range map[string]string{"9/0/1": "one", "1/FFFFFFFF/FFFFFFFF": "one"} {
		if got := a.get("/rpc/place", header, text); got.Status != 200 || got.Body != `"`+want+`"` {
			t.Errorf("the bookmark %q: %v, want %s", text, got, want)
		}
	}
	eventually(t, "a replica serves a read with an old bookmark", func() bool { // not while both are slow to say their states
		got := a.get("/rpc/place", header, "1/0/1")
		return got.Status == 200 && (got.Body == `"two"` || got.Body == `"late"`)
	})
	got := a.get("/rpc/place", header, "1/0/1", "Prefer", "read=bookmark, handling=strict", "Origin", "https://a.example")
	if got.Header.Get("Preference-Applied") != "handling=strict, read=bookmark" || !strings.HasSuffix(got.Header.Get("Access-Control-Expose-Headers"), ", "+header) {
		t.Errorf("headers %v", got.Header)
	}
	if got := a.get("/rpc/place", "Prefer", "read=bookmark"); got.Status != 200 || got.Header.Get("Preference-Applied") != "" {
		t.Errorf("read=bookmark without a bookmark: %v %v", got, got.Header)
	}
}
