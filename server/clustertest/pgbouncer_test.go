package clustertest_test

import (
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"reflect"
	"strconv"
	"sync"
	"syscall"
	"testing"

	"github.com/fastgrest/fastgrest/pgwire/pgtest"
	"github.com/fastgrest/fastgrest/server/servertest"
)

// findPgBouncer returns the path of PgBouncer, or skips the test.
func findPgBouncer(t *testing.T) string {
	t.Helper()
	if path := os.Getenv("FASTGREST_PGBOUNCER"); path != "" {
		return path
	}
	for _, name := range []string{"pgbouncer", "/usr/sbin/pgbouncer", "/usr/local/sbin/pgbouncer"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	t.Skip("SKIPPED WITHOUT PGBOUNCER: install it (apt-get install pgbouncer), or run make test as root")
	return ""
}

// startPgBouncer starts PgBouncer in front of a cluster and returns its
// connection string. It has poolSize server connections for all clients.
func startPgBouncer(t *testing.T, c *pgtest.Cluster, db, mode string, poolSize int) string {
	t.Helper()
	program := findPgBouncer(t)
	dir := servertest.SocketDir(t)
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return path
	}
	users := write("users", fmt.Sprintf("%q \"\"\n%q \"\"\n", pgtest.Login, pgtest.Superuser))
	conf := write("pgbouncer.ini", fmt.Sprintf(`
[databases]
%s = host=%s port=5432
[pgbouncer]
listen_addr =
listen_port = 6432
unix_socket_dir = %s
auth_type = trust
auth_file = %s
pool_mode = %s
default_pool_size = %d
max_client_conn = 200
admin_users = %s
`, db, c.SocketDir(), dir, users, mode, poolSize, pgtest.Login))
	args := []string{conf}
	if os.Geteuid() == 0 { // PgBouncer refuses to run as root
		who := serverAccount(t, c)
		args = append([]string{"-u", who.Username}, args...)
		uid, _ := strconv.Atoi(who.Uid)
		gid, _ := strconv.Atoi(who.Gid)
		if err := os.Chown(dir, uid, gid); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command(program, args...)
	out := &pgtest.Transcript{}
	cmd.Stdout, cmd.Stderr = out, out
	cmd.Dir = dir
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	gone := make(chan struct{})
	go func() { _ = cmd.Wait(); close(gone) }()
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM) // immediate; SIGINT would wait for the clients
		<-gone
		if t.Failed() {
			t.Logf("PgBouncer:\n%s", out)
		}
	})
	eventually(t, "PgBouncer's socket", func() bool {
		select {
		case <-gone:
			t.Fatalf("PgBouncer does not start: %s", out)
		default:
		}
		_, err := os.Stat(filepath.Join(dir, ".s.PGSQL.6432"))
		return err == nil
	})
	return "postgresql:///" + db + "?" + url.Values{"host": {dir}, "port": {"6432"}, "user": {pgtest.Login}}.Encode()
}

// serverAccount returns the account of the cluster, which can read the
// cluster's folder.
func serverAccount(t *testing.T, c *pgtest.Cluster) *user.User {
	t.Helper()
	info, err := os.Stat(c.DataDir())
	if err != nil {
		t.Fatal(err)
	}
	who, err := user.LookupId(strconv.Itoa(int(info.Sys().(*syscall.Stat_t).Uid)))
	if err != nil {
		t.Fatal(err)
	}
	return who
}

// TestTransactionPooler sends requests of several roles from many clients
// through a pooler that has fewer connections than the server's pool. Each
// response shows its role.
func TestTransactionPooler(t *testing.T) {
	t.Parallel()
	findPgBouncer(t) // skips the test before it starts a cluster
	cluster := pgtest.StartOwn(t)
	db := newDB(t, cluster)
	uri := startPgBouncer(t, cluster, db, "transaction", 3)
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
	findPgBouncer(t) // skips the test before it starts a cluster
	cluster := pgtest.StartOwn(t)
	db := newDB(t, cluster)
	a := start(t, map[string]string{"db-uri": startPgBouncer(t, cluster, db, "session", 20)})
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
