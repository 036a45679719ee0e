package clustertest_test

import (
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/fastgrest/fastgrest/pgwire/pgtest"
)

// TestReplica runs a server that has only a read replica. Notifications do not
// arrive on a replica, so the poll must detect changes on the primary.
func TestReplica(t *testing.T) {
	t.Parallel()
	primary := pgtest.StartReplicated(t, "cluster_name = 'primary'", "max_standby_streaming_delay = '50ms'")
	db := newDB(t, primary)
	replica := primary.StartReplica(t, "cluster_name = 'replica'", "log_statement = 'all'")
	a := start(t, map[string]string{"db-uri": replica.URI(db, pgtest.Login), "db-schema-poll-interval": "1"})

	if got := a.get("/item?id=lte.3&select=id"); got.Body != `[{"id":1},`+"\n"+` {"id":2},`+"\n"+` {"id":3}]` && got.Body != `[{"id":1},{"id":2},{"id":3}]` {
		t.Errorf("read: %v", got)
	}
	if got := a.get("/rpc/who"); got.Status != 200 || !strings.Contains(got.Body, `"replica"`) {
		t.Errorf("call: %v", got)
	}
	for _, r := range [][3]string{
		{"POST", "/note", `{"tag":"x"}`}, {"PATCH", "/item?id=eq.1", `{"name":"x"}`}, {"DELETE", "/item?id=eq.1", ""}, {"POST", "/rpc/add_note", `{"tag":"x"}`},
	} {
		got := a.Do(r[0], r[1], r[2])
		if got.Status != 405 || got.Code != "25006" {
			t.Errorf("%s %s: %v, want 405 and 25006", r[0], r[1], got)
		}
	}

	// The listener keeps trying without logging each attempt.
	eventually(t, "four attempts to listen", func() bool { return strings.Count(replica.Log(), "show transaction_read_only") >= 4 })
	for text, want := range map[string]int{"Notifications cannot arrive": 1, "db-schema-poll-interval": 1, "Failed listening": 1, "Retrying listening": 1} {
		if got := a.Log.Count(text); got != want {
			t.Errorf("%d times %q in the log, want %d", got, text, want)
		}
	}
	if got := a.ready(); got != 200 {
		t.Errorf("/ready: %d", got)
	}

	primary.Exec(t, db, "create table api.fresh (id int); insert into api.fresh values (7)")
	if got := a.awaitStatus("/fresh", 200); !strings.Contains(got.Body, "7") {
		t.Errorf("new table: %v", got)
	}
	primary.Exec(t, db, "alter role test_login set pgrst.db_max_rows = '2'")
	eventually(t, "settings in the database", func() bool { return a.get("/item").Header.Get("Content-Range") == "0-1/*" })
	t.Run("conflict", func(t *testing.T) { recoveryConflict(t, a, primary, replica, db) })

	// Notifications work after the promotion.
	replica.Promote(t)
	a.awaitLog("listening for database notifications")
	if got := a.Do("POST", "/note", `{"tag":"x"}`); got.Status != 201 {
		t.Errorf("write after promotion: %v", got)
	}
}

// recoveryConflict checks that a query which the replica cancels because of a
// replication conflict is not repeated.
func recoveryConflict(t *testing.T, a *app, primary, replica *pgtest.Cluster, db string) {
	primary.Exec(t, db, `
		create table api.vanishing as select i from generate_series(1, 1000) i;
		create function api.slow() returns bigint language plpgsql stable as $$
		begin perform from api.vanishing limit 1; perform pg_sleep(100); return (select count(*) from api.vanishing); end $$`)
	a.awaitStatus("/vanishing?limit=1", 200)
	done := a.Later("GET", "/rpc/slow", "")
	sleeping := func() bool {
		return strings.TrimSpace(value(t, replica, db, "select count(*) from pg_stat_activity where wait_event = 'PgSleep'")) == "1"
	}
	eventually(t, "the query runs", sleeping)
	primary.Exec(t, db, "delete from api.vanishing")
	for { // another session's snapshot may keep the rows for a while
		primary.Exec(t, db, "vacuum api.vanishing")
		select {
		case got := <-done:
			if got.Status != 500 || got.Code != "40001" {
				t.Errorf("%v, want 500 and 40001", got)
			}
			return
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// TestFailover has two hosts and wants the one that takes writes. The first
// stops, the second is promoted, and the first returns as its replica.
func TestFailover(t *testing.T) {
	t.Parallel()
	one := pgtest.StartReplicated(t, "cluster_name = 'one'")
	db := newDB(t, one)
	two := one.StartReplica(t, "cluster_name = 'two'")
	a := start(t, map[string]string{"db-uri": hosts(db, "read-write", one, two), "db-pool": "4"})
	a.awaitLog("listening for database notifications")

	var phase atomic.Int32 // 0: one is the primary, 1: no primary, 2: two is the primary
	var served [3]atomic.Int64
	stop := make(chan struct{})
	var clients sync.WaitGroup
	for range 16 {
		clients.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				before := phase.Load()
				got, err := a.Try("POST", "/rpc/cluster", `{}`)
				switch {
				case err != nil:
					t.Error(err)
					return
				case got.Status == 503 || got.Status == 504:
					if before == 2 {
						t.Errorf("after the failover: %v", got)
					}
				case got.Status != 200:
					t.Errorf("%v", got)
				case before == 2 && got.Body != `"two"`, before == 0 && phase.Load() == 0 && got.Body != `"one"`:
					t.Errorf("in phase %d: %v", before, got)
				default:
					served[before].Add(1)
				}
				if got.Status != 200 {
					time.Sleep(5 * time.Millisecond)
				}
			}
		})
	}
	eventually(t, "requests before", func() bool { return served[0].Load() > 100 })
	phase.Store(1)
	one.Halt(t, syscall.SIGINT)
	two.Promote(t)
	a.awaitBody("POST", "/rpc/cluster", `"two"`)
	// From here on requests must succeed and must reach the new primary, even
	// when the first host, which is tried first, is back.
	phase.Store(2)
	eventually(t, "requests after", func() bool { return served[2].Load() > 100 })
	one.Demote(t, two)
	one.Resume(t)
	n := served[2].Load()
	eventually(t, "requests with both", func() bool { return served[2].Load() > n+100 })
	// New connections also go to the new primary.
	two.Exec(t, db, "create table api.later (id int); notify pgrst")
	a.awaitStatus("/later", 200)
	n = served[2].Load()
	eventually(t, "requests over new connections", func() bool { return served[2].Load() > n+100 })
	close(stop)
	clients.Wait()
	if got := value(t, one, "postgres", "select count(*) from pg_stat_activity where usename = 'test_login' and state = 'active'"); got != "0" {
		t.Errorf("%s connections are at work on the old primary", got)
	}
}

// TestFenced makes the primary read-only without stopping it, so its
// connections stay open. The first write that it refuses closes them, and with
// target_session_attrs new ones go to the new primary. Without
// target_session_attrs, or if a function itself raises the read-only error, the
// connections stay.
func TestFenced(t *testing.T) {
	one := pgtest.StartReplicated(t, "cluster_name = 'one'")
	db := newDB(t, one)
	one.Exec(t, db, "create function api.refuses() returns void language plpgsql volatile as $$ begin raise 'no' using errcode = '25006'; end $$;"+
		"create function api.pretends() returns void language plpgsql volatile as $$ begin set default_transaction_read_only = on; raise 'no' using errcode = '25006'; end $$")
	two := one.StartReplica(t, "cluster_name = 'two'")
	wants := start(t, map[string]string{"db-uri": hosts(db, "read-write", one, two), "db-pool": "8", "db-channel-enabled": "true"})
	wants.awaitLog("listening for database notifications")
	stays := start(t, map[string]string{"db-uri": hosts(db, "any", one, two), "db-pool": "8", "db-channel-enabled": "false"})
	opened := func(a *app) float64 { return a.metric("fastgrest_db_pool_opened_total") }
	const strayed = "has become read-only"

	// Functions that raise the error and make their session read-only say
	// nothing about the server.
	wants.settled()
	wants.get("/item?limit=1")
	before := opened(wants)
	for range 20 {
		for _, target := range []string{"/rpc/refuses", "/rpc/pretends"} {
			if got := wants.Do("POST", target, "{}"); got.Status != 405 || got.Code != "25006" {
				t.Fatalf("%s: %v", target, got)
			}
		}
		if got := wants.get("/rpc/add_note?tag=x"); got.Status != 405 || got.Code != "25006" {
			t.Fatalf("a write by GET: %v", got)
		}
		if got := wants.Do("POST", "/note", `{"tag":"x"}`); got.Status != 201 {
			t.Fatalf("a write: %v", got)
		}
	}
	if n := opened(wants) - before; n != 0 || wants.Log.Count(strayed) > 0 {
		t.Errorf("%v connections were made for functions that refuse", n)
	}

	one.Exec(t, "postgres", "alter system set default_transaction_read_only = on")
	one.Exec(t, "postgres", "select pg_reload_conf()")
	two.Promote(t)
	eventually(t, "the old primary is read-only", func() bool { return value(t, one, db, "show transaction_read_only") == "on" })
	eventually(t, "everybody may write here", func() bool { return value(t, two, db, "show transaction_read_only") == "off" })
	before, kept := opened(wants), opened(stays)
	var refused atomic.Int64
	var clients sync.WaitGroup
	for client := range 16 {
		clients.Go(func() {
			for written := 0; written < 20; {
				got, err := wants.Try("POST", "/note", fmt.Sprintf(`{"tag":"c%d"}`, client))
				switch {
				case err != nil:
					t.Error(err)
					return
				case got.Status == 201:
					written++
				case got.Status == 405 && got.Code == "25006":
					if refused.Add(1) > 16*8 { // too many, see below
						return
					}
				default:
					t.Errorf("%v", got)
					return
				}
			}
		})
	}
	clients.Wait()
	if got := value(t, two, db, "select count(*) from api.note where tag like 'c%'"); got != "320" {
		t.Errorf("%s rows on the new primary, want 320", got)
	}
	// Each old connection may refuse the flights that it had received by then,
	// and no more.
	if n := refused.Load(); n < 1 || n > 16*8 {
		t.Errorf("%d writes were refused", n)
	}
	if got := wants.get("/rpc/who"); !strings.Contains(got.Body, `"two"`) {
		t.Errorf("reads go to %v", got)
	}
	wants.awaitLog(strayed)
	if n := wants.Log.Count(strayed); n != 1 {
		t.Errorf("%d times in the log", n)
	}
	// The listener has moved as well, and the catalog is the new primary's.
	two.Exec(t, db, "create table api.later (id int)")
	eventually(t, "the listener is on the new primary", func() bool {
		two.Exec(t, db, "notify pgrst")
		got, err := wants.Try("GET", "/later", "")
		return err == nil && got.Status == 200
	})
	if n := opened(wants) - before; n > 8*float64(wants.loads()+2) {
		t.Errorf("%v connections were made", n)
	}

	for range 50 {
		if got := stays.Do("POST", "/note", `{"tag":"x"}`); got.Status != 405 || got.Code != "25006" {
			t.Fatalf("of any server: %v", got)
		}
	}
	if n := opened(stays) - kept; n > 0 || stays.Log.Count(strayed) > 0 {
		t.Errorf("%v connections were made by one that takes any server", n)
	}
}
