package faulttest_test

import (
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/fastgrest/fastgrest/pgwire/pgtest"
	"github.com/fastgrest/fastgrest/server/servertest"
)

// waits has a table whose rows wait for a lock of the test.
const waits = `
create table api.waits (tag text);
create function public.wait() returns trigger language plpgsql security definer as $$
begin perform pg_advisory_xact_lock(1); insert into public.log values (new.tag, tg_op); return new; end $$;
create trigger wait before insert on api.waits for each row execute function public.wait();
grant all on api.waits to test_anon, test_serial;
`

// waiting returns the process that waits for the lock.
const waiting = "select coalesce(max(pid), 0) from pg_locks where locktype = 'advisory' and not granted"

// TestDeath ends a write while it runs, in several ways.
func TestDeath(t *testing.T) {
	cluster := pgtest.StartOwn(t) // a killed process ends all others of the cluster
	f := start(t, cluster, nil)
	f.db.Value(waits)
	// The catalog does not contain the table yet, and this server listens on no
	// channel. So start a second server on the same database.
	f = startOn(t, cluster, f.database, nil)

	forms := []request{
		{"POST", "/waits", `{"tag":"%s"}`, nil},
		{"POST", "/waits", `{"tag":"%s"}`, []string{"Prefer", "return=representation"}},
		{"POST", "/waits", `{"tag":"%s"}`, single},
		{"POST", "/waits", `{"tag":"%s"}`, []string{"Authorization", "Bearer %serial"}},
	}
	held := 2 // no commit in its first flight
	number := 0
	for _, way := range []struct {
		name   string
		end    func(t *testing.T, pid string)
		status int
		code   string
		alive  bool // the connection survives
	}{
		{"canceled", func(t *testing.T, pid string) { f.db.Value("select pg_cancel_backend(" + pid + ")") }, 500, "57014", true},
		{"terminated", func(t *testing.T, pid string) { f.db.Value("select pg_terminate_backend(" + pid + ")") }, 503, "PGRST001", false},
		{"killed", func(t *testing.T, pid string) {
			n, err := strconv.Atoi(pid)
			if err != nil || n <= 0 {
				t.Fatal(pid)
			}
			if err := syscall.Kill(n, syscall.SIGKILL); err != nil {
				t.Fatal(err)
			}
			// A new connection lasts only after PostgreSQL has ended all old
			// ones.
			for err == nil {
				_, err = f.db.Exec(t.Context(), "select pg_sleep(0.01)").ReadAll()
			}
		}, 503, "PGRST001", false},
		{"shut down", func(t *testing.T, pid string) { cluster.Stop(t); cluster.Restart(t) }, 503, "PGRST001", false},
	} {
		t.Run(way.name, func(t *testing.T) {
			for i, form := range forms {
				number++
				tag := "d" + strconv.Itoa(number)
				f.db.Value("select pg_advisory_lock(1)")
				before := f.do(t, request{method: "GET", target: "/thing?limit=0"}, "")
				if !before.OK() {
					t.Fatalf("before: %v", before)
				}
				done := make(chan servertest.Response, 1)
				go func() {
					a, err := f.try(form, tag)
					if err != nil {
						t.Error(err)
					}
					done <- a
				}()
				pid := "0"
				for end := time.Now().Add(2 * time.Minute); pid == "0" && time.Now().Before(end); time.Sleep(2 * time.Millisecond) {
					pid = f.db.Value(waiting)
				}
				way.end(t, pid)
				a := <-done
				if a.Status != way.status || a.Code != way.code {
					t.Errorf("%v: response %v, want %d %s", form, a, way.status, way.code)
				}
				if says, doubt := strings.Contains(a.Details, unknown), !way.alive && i != held; says != doubt {
					t.Errorf("%v: result unknown %t, want %t: %v", form, says, doubt, a)
				}
				f.reconnect(t)
				if n := f.db.Count("select (select count(*) from api.waits) + (select count(*) from log)"); n != 0 {
					t.Errorf("%v: %d rows", form, n)
				}
				// The next write succeeds.
				next := f.eventually(t, request{"POST", "/note", `{"tag":"%s"}`, nil}, tag)
				if !next.OK() {
					t.Errorf("next: %v", next)
				}
				if n := f.db.Count("select count(*) from log where tag = $1", tag); n != 1 {
					t.Errorf("next: %d rows", n)
				}
				f.db.Value("truncate log, api.note, api.waits")
				if way.alive {
					if now := f.db.Value("select max(pid) from pg_stat_activity where application_name like 'fastgrest%'"); now != pid {
						t.Errorf("%v: another connection than before", form)
					}
				}
			}
		})
	}
}

// TestDown checks that writes fail at once with a Retry-After header while the
// database is down, and succeed afterwards.
func TestDown(t *testing.T) {
	cluster := pgtest.StartOwn(t)
	f := start(t, cluster, nil)
	insert := request{"POST", "/note", `{"tag":"%s"}`, nil}
	if a := f.do(t, insert, "x"); !a.OK() {
		t.Fatal(a)
	}
	cluster.Stop(t)
	for i := range 3 {
		a := f.do(t, insert, "y")
		if a.Status != 503 || a.Header.Get("Retry-After") == "" {
			t.Errorf("down: %v", a)
		}
		// The first request may read the error of a closing connection. None
		// can have written.
		if i > 0 && a.Code != "PGRST000" {
			t.Errorf("down: %v, want PGRST000", a)
		}
	}
	cluster.Restart(t)
	if a := f.do(t, insert, "z"); !a.OK() {
		t.Errorf("up again: %v", a)
	}
	f.reconnect(t)
	if got := f.db.Value("select string_agg(tag, ' ' order by tag) from api.note"); got != "x z" {
		t.Errorf("notes %q", got)
	}
}
