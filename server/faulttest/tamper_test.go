package faulttest_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/fastgrest/fastgrest/pgwire/pgtest"
	"github.com/fastgrest/fastgrest/server/faulttest"
	"github.com/fastgrest/fastgrest/server/servertest"
)

// TestDelays delays the bytes of both directions at random. Responses must be
// the same as without delay, on new and on used connections.
func TestDelays(t *testing.T) {
	f := start(t, pgtest.Start(t), map[string]string{"db-pool": "2"})
	f.db.Value("insert into api.thing select 'tag' || i, i from generate_series(1, 500) i")
	requests := []request{
		{method: "GET", target: "/thing?select=tag,n&order=n"},
		{method: "GET", target: "/thing?n=eq.3"},
		{method: "GET", target: "/thing?n=lt.10", headers: []string{"Prefer", "count=exact"}},
		{method: "GET", target: "/nothing"},
		{"POST", "/note", `{"tag":"a"}`, single},
		{"POST", "/thing", `{"tag":"tag1"}`, nil}, // exists already
		{"POST", "/rpc/add_note", `{"tag":"b"}`, nil},
	}
	var want []servertest.Response
	for _, r := range requests {
		want = append(want, f.do(t, r, ""))
	}
	draw := rand.New(rand.NewPCG(1, 1))
	f.Tamper(func(faulttest.Direction, []byte) time.Duration {
		return time.Duration(draw.IntN(int(10 * time.Millisecond)))
	})
	for round := range 8 {
		if round%3 == 0 {
			f.db.Value("select pg_terminate_backend(pid, 5000) from pg_stat_activity where usename = 'test_login' and datname = current_database()")
			f.do(t, request{method: "GET", target: "/thing?limit=0"}, "") // finds a broken connection
			f.do(t, request{method: "GET", target: "/thing?limit=0"}, "")
		}
		for i, r := range requests {
			if a := f.do(t, r, ""); a.String() != want[i].String() {
				t.Errorf("%s %s: %v instead of %v", r.method, r.target, a, want[i])
			}
		}
	}
}

// TestHalfClosed closes one direction of the connection, at either end, between
// requests and during one. That request may fail. The next one must succeed,
// and the reported result of a write must be true.
func TestHalfClosed(t *testing.T) {
	f := start(t, pgtest.Start(t), nil)
	f.db.Value("create function public.wait() returns trigger language plpgsql as 'begin perform pg_advisory_xact_lock_shared(1); return new; end'")
	f.db.Value("create trigger wait before insert on api.note for each row execute function public.wait()")
	insert := request{"POST", "/note", `{"tag":"%s"}`, nil}
	served, failed := 0, 0
	for i := range 24 {
		d := faulttest.Direction(i % 2)
		tag := fmt.Sprintf("h%d", i)
		during := i%4 >= 2
		if during {
			f.db.Value("select pg_advisory_lock(1)")
		} else {
			f.HalfClose(d)
		}
		answered := make(chan servertest.Response, 1)
		go func() {
			a, err := f.try(insert, tag)
			if err != nil {
				a.Body = err.Error()
			}
			answered <- a
		}()
		if during {
			f.await(t, "the insert waits for the lock", "select count(*) from pg_locks where locktype = 'advisory' and not granted and database = (select oid from pg_database where datname = current_database())")
			f.HalfClose(d)
			f.db.Value("select pg_advisory_unlock(1)")
		}
		a := <-answered
		f.await(t, "nothing runs any more", "select (not exists (select from pg_stat_activity where state = 'active' and usename = 'test_login' and datname = current_database()))::int")
		rows := f.db.Count("select count(*) from log where tag = $1", tag)
		switch {
		case a.Status == 201 && rows == 1:
			served++
		case a.Status == 503 && (rows == 0 || rows == 1 && strings.Contains(a.Details, unknown)):
			failed++
		default:
			t.Errorf("%v, during %v: %v, and %d rows", d, during, a, rows)
		}
		if a := f.eventually(t, request{method: "GET", target: "/thing?limit=0"}, ""); a.Status != 200 && a.Code != "PGRST001" {
			t.Errorf("the next: %v", a)
		}
		if a := f.do(t, request{method: "GET", target: "/thing?limit=0"}, ""); a.Status != 200 {
			t.Errorf("and the next: %v", a)
		}
	}
	t.Logf("%d inserts served, %d failed", served, failed)
	if served == 0 || failed == 0 {
		t.Error("an outcome is missing")
	}
}

// await waits until the SQL query returns 1.
func (f *fixture) await(t *testing.T, what, sql string) {
	t.Helper()
	for end := time.Now().Add(2 * time.Minute); f.db.Count(sql) != 1; time.Sleep(2 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("never: %s", what)
		}
	}
}

// TestFlippedBits flips one bit in every message of a read and a write, in both
// directions. The server must not crash, and no request may take longer than
// its client waits. If the bit belongs to the protocol rather than to a value,
// a successful response must be correct.
func TestFlippedBits(t *testing.T) {
	cluster := pgtest.Start(t)
	for _, kind := range []struct {
		name string
		request
	}{
		{"read", request{method: "GET", target: "/thing?select=tag,n&tag=eq.first"}},
		{"write", request{"POST", "/note?select=tag", `{"tag":"first"}`, []string{"Prefer", "return=representation"}}},
	} {
		t.Run(kind.name, func(t *testing.T) {
			t.Parallel()
			f := start(t, cluster, map[string]string{"log-level": "crit", "server-cancel-abandoned-writes": "true"})
			f.db.Value("insert into api.thing values ('first', 1), ('other', 2)")
			right := f.do(t, kind.request, "")
			f.do(t, kind.request, "") // makes the statement known
			f.Record()
			if a := f.do(t, kind.request, ""); a.String() != right.String() || !a.OK() {
				t.Fatal(a)
			}
			trace := f.Recorded()
			f.API.Timeout = time.Second
			draw := rand.New(rand.NewPCG(2, 2))
			outcomes := map[string]int{}
			for d := range trace {
				offset := 0
				for _, m := range trace[d] {
					places := []int{0}
					if draw.IntN(3) == 0 {
						places = append(places, 1+draw.IntN(4)) // most wrong lengths make one end wait
					}
					for range min(4, m.Size()-5) {
						places = append(places, 5+draw.IntN(m.Size()-5))
					}
					for _, at := range places {
						framing := at < 5 || d == int(faulttest.ToClient) && m.Kind != 'D'
						f.flip(t, kind.request, right, faulttest.Direction(d), offset+at, 1<<draw.IntN(8), framing, outcomes)
					}
					offset += m.Size()
				}
			}
			t.Logf("%v", outcomes)
			if outcomes["right"] == 0 || outcomes["503"] == 0 || outcomes["waited"] == 0 {
				t.Error("some outcomes are missing: the bits are at the wrong positions")
			}
		})
	}
}

// flip sends a request and changes one bit on the way.
func (f *fixture) flip(t *testing.T, r request, right servertest.Response, d faulttest.Direction, offset int, bit byte, framing bool, outcomes map[string]int) {
	t.Helper()
	passed := 0
	f.Tamper(func(to faulttest.Direction, chunk []byte) time.Duration {
		if to == d {
			if i := offset - passed; i >= 0 && i < len(chunk) {
				chunk[i] ^= bit
			}
			passed += len(chunk)
		}
		return 0
	})
	a, err := f.try(r, "")
	f.Tamper(nil)
	switch {
	case err != nil && a.Status == 0: // no response in time: one end waits for bytes of a wrong length
		outcomes["waited"]++
	case err != nil:
		t.Errorf("%v, byte %d, bit %x: %v", d, offset, bit, err)
	case a.String() == right.String():
		outcomes["right"]++
	case a.OK() && framing && d == faulttest.ToClient:
		t.Errorf("%v, byte %d, bit %x: %v instead of %v", d, offset, bit, a, right)
	case a.OK() && a.Body != "" && !json.Valid([]byte(a.Body)):
		t.Errorf("%v, byte %d, bit %x: not JSON: %v", d, offset, bit, a)
	default:
		outcomes[fmt.Sprint(a.Status)]++
	}
	// Afterwards there is a connection that works and knows the statement.
	for range 2 {
		for end := time.Now().Add(2 * time.Minute); ; time.Sleep(5 * time.Millisecond) {
			a, err := f.try(r, "")
			if err == nil && a.String() == right.String() {
				break
			}
			if time.Now().After(end) {
				t.Fatalf("%v, byte %d, bit %x: all later requests fail: %v, %v", d, offset, bit, a, err)
			}
		}
	}
}

// TestShortOfSomething checks the errors of PostgreSQL for a full disk and full
// memory. They have PostgREST's status and code, undo the write and keep the
// connection.
func TestShortOfSomething(t *testing.T) {
	cluster := pgtest.StartOwn(t) // the test takes all locks
	name := cluster.NewDB(t)
	cluster.Exec(t, name, schema)
	cluster.Exec(t, name, `
create function api.disk_full() returns text language plpgsql volatile security definer as
  $$ begin insert into api.note values ('full'); copy (select repeat('x', 8000) from generate_series(1, 100)) to '/dev/full'; return 'ok'; end $$;
create function api.no_locks() returns bigint language plpgsql volatile as
  $$ begin insert into api.note values ('full'); return (select count(pg_advisory_xact_lock(i)) from generate_series(1, 10000000) i); end $$;
create function api.temp_full() returns bigint language plpgsql volatile security definer set temp_file_limit = '64kB' set work_mem = '64kB' as
  $$ begin insert into api.note values ('full'); return (select count(*) from (select i from generate_series(1, 200000) i order by md5(i::text) offset 1) s); end $$;
create function api.short(code text) returns void language plpgsql as
  $$ begin insert into api.note values ('full'); raise exception using errcode = code, message = 'short'; end $$;
create function public.short(n int) returns int language plpgsql as $$ begin raise exception using errcode = '53200', message = 'short'; end $$;
create view api.full as select public.short(n) as n from api.thing;
grant all on api.full to test_anon;
`)
	f := startOn(t, cluster, name, nil)
	f.db.Value("insert into api.thing select 'tag' || i, i from generate_series(1, 100) i")
	pid := "select string_agg(pid::text, ',') from pg_stat_activity where usename = 'test_login' and datname = current_database()"
	f.do(t, request{method: "GET", target: "/thing"}, "")
	var before string
	if !pgtest.Until(time.Minute, func() bool { // sessions of the start may take a moment to end
		before = f.db.Value(pid)
		return !strings.Contains(before, ",")
	}) {
		t.Fatalf("connections %s", before)
	}
	for _, test := range []struct {
		request
		status int
		code   string
	}{
		{request{"POST", "/rpc/disk_full", "{}", nil}, 503, "53100"},
		{request{"POST", "/rpc/no_locks", "{}", nil}, 503, "53200"},
		{request{"POST", "/rpc/temp_full", "{}", nil}, 500, "53400"},
		{request{"POST", "/rpc/short", `{"code":"53000"}`, nil}, 503, "53000"},
		{request{"POST", "/rpc/short", `{"code":"53100"}`, nil}, 503, "53100"},
		{request{"POST", "/rpc/short", `{"code":"53200"}`, nil}, 503, "53200"},
		{request{"POST", "/rpc/short", `{"code":"53300"}`, nil}, 503, "53300"},
		{request{"POST", "/rpc/short", `{"code":"53400"}`, nil}, 500, "53400"},
		{request{"GET", "/full", "", nil}, 503, "53200"},
	} {
		for range 3 { // plan, prepare, reuse
			a := f.do(t, test.request, "")
			if a.Status != test.status || a.Code != test.code {
				t.Errorf("%s %s: %v", test.target, test.body, a)
			}
			if a := f.do(t, request{method: "GET", target: "/thing?n=eq.7&select=n"}, ""); a.String() != `200 [{"n":7}]` {
				t.Errorf("after %s: %v", test.target, a)
			}
			if a := f.do(t, request{"POST", "/note", `{"tag":"fits"}`, nil}, ""); a.Status != 201 {
				t.Errorf("after %s: %v", test.target, a)
			}
		}
	}
	if n := f.db.Count("select count(*) from log where tag = 'full'"); n != 0 {
		t.Errorf("%d rows of writes that failed", n)
	}
	if after := f.db.Value(pid); after != before {
		t.Errorf("connections %s instead of %s", after, before)
	}
}
