package clustertest_test

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strconv"
	"sync"
	"testing"

	"github.com/fastgrest/fastgrest/pgwire/pgtest"
	"github.com/fastgrest/fastgrest/server/servertest"
)

// TestTransactionPooler sends requests of several roles from many clients
// through a pooler that has fewer connections than the server's pool. Each
// response shows its role.
func TestTransactionPooler(t *testing.T) {
	t.Parallel()
	pgtest.FindPgBouncer(t) // skips the test before it starts a cluster
	cluster := pgtest.StartOwn(t)
	db := newDB(t, cluster)
	uri := cluster.StartPgBouncer(t, db, "transaction", 3)
	a := start(t, map[string]string{"db-uri": uri, "db-prepared-statements": "false", "db-pool": "12",
		"db-schema-poll-interval": "1", "db-pool-acquisition-timeout": "50"})

	// LISTEN succeeds, but no notification arrives.
	a.awaitLog("Notifications cannot arrive: a connection pooler does not pass notifications on")
	if got := a.ready(); got != 200 {
		t.Errorf("/ready: %d", got)
	}
	if n := a.Log.Count("listening for database notifications on the \"pgrst\" channel\n"); n > 0 {
		t.Errorf("says %d times that it listens", n)
	}

	const clients, rounds = 48, 25
	roles := []string{"test_user", "test_other", "test_serial", "test_anon"}
	var all sync.WaitGroup
	for client := range clients {
		role := roles[client%len(roles)]
		all.Go(func() {
			for round := range rounds {
				tag := fmt.Sprintf("c%d-%d", client, round)
				token := bearer(t, role, tag)
				for _, r := range []struct {
					method, target, body string
					headers              []string
					status               int
					want                 string
				}{
					{"GET", "/item?id=eq." + strconv.Itoa(1+(client+round)%100) + "&select=name", "", nil, 200, fmt.Sprintf(`[{"name":"item %d"}]`, 1+(client+round)%100)},
					{"GET", "/rpc/who", "", nil, 200, fmt.Sprintf(`{"role" : %q, "claims" : %q, "path" : "\"api\", \"public\"", "cluster" : ""}`, role, tag)},
					{"POST", "/note?select=tag,role", `{"tag":"` + tag + `"}`, []string{"Prefer", "return=representation", "Accept", "application/vnd.pgrst.object+json"}, 201,
						fmt.Sprintf(`{"tag":%q,"role":%q}`, tag, role)},
					{"POST", "/rpc/add_note?select=tag,role", `{"tag":"` + tag + `"}`, nil, 200, fmt.Sprintf(`{"tag":%q,"role":%q}`, tag, role)},
					// Both rows are updated and rolled back; no other request
					// may see the update.
					{"PATCH", "/note?tag=eq." + tag, `{"tag":"undone"}`, []string{"Accept", "application/vnd.pgrst.object+json", "Prefer", "return=representation"}, 406, "PGRST116"},
					{"GET", "/note?tag=eq." + tag + "&select=tag", "", nil, 200, fmt.Sprintf(`[{"tag":%q}, {"tag":%q}]`, tag, tag)},
					{"DELETE", "/note?tag=eq." + tag, "", []string{"Prefer", "count=exact"}, 204, ""},
					{"GET", "/none", "", nil, 404, "PGRST205"},
					{"POST", "/note", `{"role":"no tag"}`, nil, 400, "23502"},
				} {
					var got servertest.Response
					var err error
					// A serializable transaction may fail; the client repeats
					// it.
					for range 100 {
						got, err = a.Try(r.method, r.target, r.body, append(r.headers, token...)...)
						if err != nil || got.Code != "40001" {
							break
						}
					}
					ok := got.Body == r.want || got.Code != "" && got.Code == r.want || sameJSON(got.Body, r.want)
					if err != nil || got.Status != r.status || !ok {
						t.Errorf("%s as %s: %s %s: %v %v, want %d %s", tag, role, r.method, r.target, got, err, r.status, r.want)
						return
					}
				}
			}
		})
	}
	all.Wait()
	if got := value(t, cluster, db, "select count(*) from api.note"); got != "0" {
		t.Errorf("%s rows are left", got)
	}
	if got := value(t, cluster, db, "select count(*) <= 3 from pg_stat_activity where usename = '"+pgtest.Login+"'"); got != "t" {
		t.Error("there are more connections than the pooler may have: the test does not test what it says")
	}

	// The poll replaces notifications.
	cluster.Exec(t, db, "create table api.fresh (id int)")
	a.awaitStatus("/fresh", 200)
}

// TestSessionPooler checks that notifications arrive through a pooler in
// session mode, and that the server detects it.
func TestSessionPooler(t *testing.T) {
	t.Parallel()
	pgtest.FindPgBouncer(t) // skips the test before it starts a cluster
	cluster := pgtest.StartOwn(t)
	db := newDB(t, cluster)
	a := start(t, map[string]string{"db-uri": cluster.StartPgBouncer(t, db, "session", 20)})
	a.awaitLog("listening for database notifications")
	cluster.Exec(t, db, "create table api.fresh (id int); notify pgrst")
	a.awaitStatus("/fresh", 200)
	if n := a.Log.Count("Notifications cannot arrive"); n > 0 {
		t.Errorf("says %d times that they do not", n)
	}
}

func sameJSON(a, b string) bool {
	var x, y any
	if json.Unmarshal([]byte(a), &x) != nil || json.Unmarshal([]byte(b), &y) != nil {
		return false
	}
	return reflect.DeepEqual(x, y)
}
