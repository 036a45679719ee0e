package server

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/fastgrest/fastgrest/pgwire/pgtest"
)

var raceSchema = transactionSchema + `
create table public.log (tag text, op text);
create function public.note_it() returns trigger language plpgsql security definer as $$
begin
  insert into public.log values (coalesce(new.tag, old.tag), tg_op);
  return null;
end $$;
create table api.entry (tag text, n int default 0);
create table api.keyed (id int primary key, tag text, n int);
create table api.account (id int primary key, balance int, tag text);
insert into api.account select i, 100 from generate_series(1, 8) i;
create trigger t after insert or update or delete on api.entry for each row execute function public.note_it();
create trigger t after insert or update on api.keyed for each row execute function public.note_it();
-- moves an amount and notes it once; the order of the locks is the caller's, so
-- there are deadlocks
create function api.transfer(source int, target int, amount int, tag text) returns void volatile language plpgsql as $$
begin
  update api.account set balance = balance - amount where id = source;
  update api.account set balance = balance + amount where id = target;
  insert into api.entry values (transfer.tag, amount);
end $$;
grant all on all tables in schema api to test_anon, test_serial;
`

// TestConcurrentWriters has many writers do all kinds of writes at once while
// their connections are killed. In the end it checks every write: one that
// succeeded is there once, one that failed is not, and one whose outcome was
// reported as unknown may be either.
func TestConcurrentWriters(t *testing.T) {
	w := startWriter(t, raceSchema, map[string]string{direct: "yes", "db-pool": "4", "db-tx-end": "commit-allow-override"})
	const (
		workers = 8
		seed    = 20240229
	)
	lasts := 4 * time.Second
	if testing.Short() {
		lasts = time.Second
	}
	serial := w.as("test_serial")
	type write struct {
		tag  string
		rows int // in the log if it succeeded
		r    *reply
	}
	var (
		mu     sync.Mutex
		writes []write
		wg     sync.WaitGroup
	)
	end := time.Now().Add(lasts)
	// A busy machine may need longer for something of each kind.
	latest := end.Add(time.Minute)
	var came sync.Map
	var done atomic.Int64
	enough := func() bool {
		for _, kind := range []string{"done", "in doubt", "PGRST116", "PGRST124"} {
			if _, ok := came.Load(kind); !ok {
				return false
			}
		}
		return true
	}
	for worker := range workers {
		wg.Go(func() {
			random := rand.New(rand.NewPCG(seed, uint64(worker)))
			for n := 0; time.Now().Before(end) || !enough() && time.Now().Before(latest); n++ {
				tag := fmt.Sprintf("w%d-%d", worker, n)
				var head []string
				if random.IntN(4) == 0 {
					head = append(head, serial)
				}
				one := fmt.Sprintf(`{"tag":%q}`, tag)
				two := "[" + one + "," + one + "]"
				rows, method, target, body := 1, "POST", "/entry", one
				switch random.IntN(11) {
				case 0:
				case 1:
					rows, body = 2, two
				case 2:
					head = append(head, full)
				case 3:
					head = append(head, full, object)
				case 4:
					head = append(head, full, object)
					rows, body = 0, two
				case 5:
					head = append(head, "Prefer: tx=rollback")
					rows = 0
				case 6:
					id := random.IntN(20)
					method, target = "PUT", fmt.Sprintf("/keyed?id=eq.%d", id)
					body = fmt.Sprintf(`{"id":%d,"tag":%q,"n":%d}`, id, tag, n)
				case 7:
					target, body = "/keyed", fmt.Sprintf(`[{"id":%d,"tag":%q},{"id":%d,"tag":%q}]`, 100+random.IntN(20), tag, 200+random.IntN(20), tag)
					head = append(head, "Prefer: resolution=merge-duplicates")
					rows = 2
				case 8:
					target = "/rpc/transfer"
					body = fmt.Sprintf(`{"source":%d,"target":%d,"amount":%d,"tag":%q}`, 1+random.IntN(8), 1+random.IntN(8), random.IntN(50), tag)
				case 9:
					method, target, body = "PATCH", "/account?id=lt.9", fmt.Sprintf(`{"tag":%q}`, tag)
					head = append(head, "Prefer: handling=strict, max-affected=7")
					rows = 0
				case 10:
					target = "/entry?select=n," + strings.Repeat("x", 1+random.IntN(30)) + ":tag"
					head = append(head, full)
				}
				r := w.ask(method, target, body, head...)
				switch {
				case r.status < 300:
					came.Store("done", true)
					done.Add(1)
				case strings.Contains(r.body, inDoubt):
					came.Store("in doubt", true)
				default:
					came.Store(r.code, true)
				}
				mu.Lock()
				writes = append(writes, write{tag, rows, r})
				mu.Unlock()
			}
		})
	}
	stop := make(chan struct{})
	killer := make(chan int)
	go func() { // of connections
		killed := 0
		random := rand.New(rand.NewPCG(seed, 99))
		for {
			select {
			case <-stop:
				killer <- killed
				return
			case <-time.After(time.Duration(random.IntN(40)) * time.Millisecond):
				w.sql("select pg_terminate_backend(pid) from pg_stat_activity where usename = 'test_login' and datname = current_database() order by random() limit 1")
				killed++
				// A slow machine could not finish a single write between two kills.
				before := done.Load()
				pgtest.Until(time.Second, func() bool { return done.Load() > before })
			}
		}
	}()
	wg.Wait()
	close(stop)
	killed := <-killer
	// Backends that were told to end may be about to commit.
	w.await("not exists (select from pg_stat_activity where usename = 'test_login' and datname = current_database() and state <> 'idle')")

	found := map[string]int{}
	for _, line := range strings.Fields(w.sql("select string_agg(tag || '=' || n, ' ') from (select tag, count(*) n from public.log group by tag) _")) {
		var n int
		tag, count, _ := strings.Cut(line, "=")
		fmt.Sscan(count, &n)
		found[tag] = n
	}
	outcomes := map[string]int{}
	for _, x := range writes {
		n := found[x.tag]
		doubt := strings.Contains(x.r.body, inDoubt)
		switch {
		case x.r.status < 300:
			outcomes["succeeded"]++
			if n != x.rows {
				t.Errorf("%s: %v, but %d rows instead of %d", x.tag, x.r, n, x.rows)
			}
		case doubt:
			outcomes["in doubt"]++
			if n != 0 {
				outcomes["in doubt and done"]++
			}
			if n != 0 && n != x.rows {
				t.Errorf("%s: %v, and %d rows, half of it", x.tag, x.r, n)
			}
		default:
			outcomes[x.r.code]++
			if n != 0 {
				t.Errorf("%s: %v, but %d rows", x.tag, x.r, n)
			}
		}
		switch x.r.code {
		case "", "PGRST001", "PGRST116", "PGRST124", "40001", "40P01", "57P01", "PGRST003":
		default:
			t.Errorf("%s: %v", x.tag, x.r)
		}
	}
	if sum := w.sql("select sum(balance) from api.account"); sum != "800" {
		t.Errorf("accounts add up to %s", sum)
	}
	if n := w.count("api.account where tag is not null"); n != 0 {
		t.Errorf("%d accounts have a tag", n)
	}
	t.Logf("%d writes, %d kills: %v", len(writes), killed, outcomes)
	if outcomes["succeeded"] == 0 || outcomes["in doubt"] == 0 || outcomes["PGRST116"] == 0 || outcomes["PGRST124"] == 0 {
		t.Error("some kinds of outcome never came up")
	}
}
