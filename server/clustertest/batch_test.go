package clustertest_test

import (
	"fmt"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/fastgrest/fastgrest/pgwire/pgtest"
)

const bank = `
create table api.account (id int primary key, balance bigint not null);
insert into api.account select i, 1000 from generate_series(1, 100) i;
create table api.transfer (tag text primary key);
create function api.deposit(who int, amount int) returns bigint volatile language sql as
  'update api.account set balance = balance + amount where id = who returning balance';
grant all on all tables in schema api to test_anon;
`

// TestBatchTransfers moves money by batches of three parts, from 64 clients, while
// the backends of PostgreSQL are ended every second. No money is made or lost.
func TestBatchTransfers(t *testing.T) {
	t.Parallel()
	lasts := 3 * time.Second
	if text := os.Getenv("CHAOS_TIME"); text != "" {
		var err error
		if lasts, err = time.ParseDuration(text); err != nil {
			t.Fatal(err)
		}
	}
	cluster := pgtest.StartOwn(t)
	db := newDB(t, cluster)
	cluster.Exec(t, db, bank)
	a := start(t, map[string]string{"db-uri": cluster.URI(db, pgtest.Login), "db-pool": "10"})
	var done, unknown, undone sync.Map // tags, by what the clients were told
	var succeeded, failed, open atomic.Int64
	stop := make(chan struct{})
	var clients sync.WaitGroup
	for client := range 64 {
		clients.Go(func() {
			for n := 0; ; n++ {
				select {
				case <-stop:
					return
				default:
				}
				tag := fmt.Sprintf("c%d-%d", client, n)
				from, to, amount := 1+(client*31+n)%100, 1+(client*17+n*7)%100, 1+n%50
				deposit := `{"id":"%s","method":"POST","url":"/rpc/deposit","body":{"who":%d,"amount":%d}}`
				parts := []string{fmt.Sprintf(deposit, "from", from, -amount), fmt.Sprintf(deposit, "to", to, amount),
					fmt.Sprintf(`{"id":"tag","method":"POST","url":"/transfer","body":{"tag":%q}}`, tag)}
				if n%2 == 1 { // in two flights
					parts[2] = fmt.Sprintf(`{"id":"tag","method":"POST","url":"/transfer","body":{"tag":%q}},
						{"id":"check","method":"GET","url":"/account?select=id&balance=eq.$ref(to%%23)"}`, tag)
				}
				got, err := a.Try("POST", "/", `{"requests":[`+strings.Join(parts, ",")+`]}`, "Content-Type", "application/vnd.pgrst.batch+json")
				switch {
				case err != nil:
					t.Errorf("%s: %v", tag, err)
					return
				case got.Status == 200:
					done.Store(tag, true)
					succeeded.Add(1)
					continue
				case got.Status < 400:
					t.Errorf("%s: %v", tag, got)
					return
				case strings.Contains(got.Body, "It is unknown whether"):
					unknown.Store(tag, true)
					open.Add(1)
				default:
					undone.Store(tag, true)
					failed.Add(1)
				}
				time.Sleep(2 * time.Millisecond) // a client backs off after a failure
			}
		})
	}
	for began := time.Now(); time.Since(began) < lasts; {
		before := succeeded.Load()
		time.Sleep(time.Second)
		cluster.Exec(t, db, "select pg_terminate_backend(pid) from pg_stat_activity where usename = '"+pgtest.Login+"'")
		eventually(t, "a transfer", func() bool { return succeeded.Load() > before || !a.Running() })
	}
	close(stop)
	clients.Wait()
	t.Logf("%d transfers, %d failures, %d of unknown outcome", succeeded.Load(), failed.Load(), open.Load())
	if sum := value(t, cluster, db, "select sum(balance) from api.account"); sum != "100000" {
		t.Errorf("the sum is %s", sum)
	}
	there := map[string]bool{}
	for _, tag := range strings.Fields(value(t, cluster, db, "select coalesce(string_agg(tag, ' '), '') from api.transfer")) {
		there[tag] = true
	}
	check := func(tags *sync.Map, want bool) {
		tags.Range(func(tag, _ any) bool {
			if there[tag.(string)] != want {
				t.Errorf("%s is in the database: %t", tag, there[tag.(string)])
			}
			return true
		})
	}
	check(&done, true)
	check(&undone, false)
}
