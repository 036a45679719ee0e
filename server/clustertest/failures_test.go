package clustertest_test

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/fastgrest/fastgrest/pgwire/pgtest"
)

// trials is how often each node fails in each way.
func trials() int {
	n, _ := strconv.Atoi(os.Getenv("FASTGREST_TEST_TRIALS"))
	return max(n, 1)
}

// load is what clients send while nodes fail.
type load struct {
	t       *testing.T
	app     *app
	reads   atomic.Int64
	longest atomic.Int64 // of the reads, in nanoseconds
	pairs   atomic.Int64 // of a write and a read with its bookmark
	refused atomic.Int64 // writes
	unread  atomic.Int64 // reads with a bookmark that got status 503
	end     chan struct{}
	clients sync.WaitGroup
}

// startLoad has eight clients read, and two write and read back, until stop is called.
func startLoad(t *testing.T, a *app) *load {
	l := &load{t: t, app: a, end: make(chan struct{})}
	for client := range 8 {
		l.clients.Go(func() { l.read(client) })
	}
	for client := range 2 {
		l.clients.Go(func() { l.write(client) })
	}
	return l
}

func (l *load) stop() { close(l.end); l.clients.Wait() }

func (l *load) summary() {
	l.t.Logf("%d reads, %d pairs of a write and a read; %d writes and %d reads with a bookmark got 503",
		l.reads.Load(), l.pairs.Load(), l.refused.Load(), l.unread.Load())
}

func (l *load) over() bool {
	select {
	case <-l.end:
		return true
	default:
		return l.t.Failed()
	}
}

// more waits for more reads.
func (l *load) more() {
	l.t.Helper()
	from := l.reads.Load()
	eventually(l.t, "more reads", func() bool { return l.t.Failed() || l.reads.Load() > from+200 })
}

// read reads as one of three roles. Each response must be right, and is the caller's own.
func (l *load) read(client int) {
	role, tag := []string{"test_user", "test_other", "test_anon"}[client%3], fmt.Sprint("tag", client)
	token := bearer(l.t, role, tag)
	for i := 0; !l.over(); i++ {
		target, want := fmt.Sprintf("/item?id=eq.%d&select=name", 1+i%100), fmt.Sprintf(`[{"name":"item %d"}]`, 1+i%100)
		if i%2 == 0 {
			target, want = "/rpc/who", fmt.Sprintf(`"role":"%s","claims":"%s"`, role, tag)
		}
		began := time.Now()
		got, err := l.app.Try("GET", target, "", token...)
		if err != nil || got.Status != 200 || !strings.Contains(strings.ReplaceAll(got.Body, " ", ""), strings.ReplaceAll(want, " ", "")) {
			l.t.Errorf("%s as %s: %v %v, want %s", target, role, got, err, want)
			return
		}
		took := int64(time.Since(began))
		for old := l.longest.Load(); took > old && !l.longest.CompareAndSwap(old, took); old = l.longest.Load() {
		}
		l.reads.Add(1)
	}
}

// write counts in a row of its own, and reads with the bookmark what it has written. A write may be
// refused; what was confirmed must not be missing.
func (l *load) write(key int) {
	last, mark := 0, ""
	for !l.over() {
		got, err := l.app.Try("POST", "/rpc/bump", fmt.Sprintf(`{"key":%d}`, key))
		n, _ := strconv.Atoi(got.Body)
		switch {
		case err != nil || got.Status != 200 && got.Status != 503:
			l.t.Errorf("a write: %v %v", got, err)
			return
		case got.Status == 503:
			l.refused.Add(1)
			time.Sleep(5 * time.Millisecond)
		case n <= last:
			l.t.Errorf("a write returns %d after %d", n, last)
			return
		default:
			last, mark = n, got.Header.Get("Pgrst-Bookmark")
		}
		if mark == "" {
			continue
		}
		got, err = l.app.Try("GET", fmt.Sprintf("/mark?id=eq.%d&select=n", key), "", "Pgrst-Bookmark", mark)
		n, _ = strconv.Atoi(strings.TrimSuffix(strings.TrimPrefix(got.Body, `[{"n":`), "}]"))
		switch {
		case err == nil && got.Status == 503:
			l.unread.Add(1)
		case err != nil || got.Status != 200 || n < last:
			l.t.Errorf("a read after %d: %v %v", last, got, err)
			return
		default:
			l.pairs.Add(1)
		}
	}
}

// times prints the shortest, the middle and the longest of some times.
func times(list []time.Duration) string {
	slices.Sort(list)
	return fmt.Sprint(list[0].Round(time.Millisecond), " ", list[len(list)/2].Round(time.Millisecond), " ", list[len(list)-1].Round(time.Millisecond))
}

// failures lets nodes fail under load. No read fails, and none has a wrong response. It prints how
// long the server took to notice: FASTGREST_TEST_TRIALS=10 gives figures.
func (c *cluster3) failures(t *testing.T) {
	l, began := startLoad(t, c.app), time.Now()
	twoServes := func() bool { return c.node("serves", c.two) == 1 }
	twoIsOut := func() bool { return !twoServes() }
	primaryServes := func() bool { status, text := c.readiness(); return status == 200 && text == "" }
	primaryIsOut := func() bool {
		status, text := c.readiness()
		return status == 200 && strings.Contains(text, "The primary cannot be reached")
	}
	for _, f := range []struct {
		name    string
		fail    func()
		noticed func() bool
		mend    func()
		back    func() bool
	}{
		{"a replica that is paused", func() { c.two.Pause(t) }, twoIsOut, c.two.Unpause, twoServes},
		{"a replica that is killed", func() { c.two.Halt(t, syscall.SIGKILL) }, twoIsOut, func() { c.two.Resume(t) }, twoServes},
		{"a replica that is behind", func() {
			c.two.Exec(t, "postgres", "select pg_wal_replay_pause()")
			time.Sleep(time.Second) // db-replica-max-lag
		}, twoIsOut, func() { c.two.Exec(t, "postgres", "select pg_wal_replay_resume()") }, twoServes},
		{"a primary that is stopped", func() { c.one.Halt(t, syscall.SIGINT) }, primaryIsOut, func() { c.one.Resume(t) }, primaryServes},
		{"a primary that is killed", func() { c.one.Halt(t, syscall.SIGKILL) }, primaryIsOut, func() { c.one.Resume(t) }, primaryServes},
		{"a primary that is paused", func() { c.one.Pause(t) }, primaryIsOut, c.one.Unpause, primaryServes},
		{"a replica that is promoted", func() { c.two.Promote(t) }, twoIsOut, func() { c.two.Kill(t); c.two.Restart(t) }, twoServes},
	} {
		var noticed, longest []time.Duration
		for trial := range trials() {
			eventually(t, "reads go to the replica", func() bool { return c.place() == "two" })
			l.more()
			l.longest.Store(0)
			f.fail()
			began := time.Now()
			eventually(t, f.name+" is noticed", f.noticed)
			noticed = append(noticed, time.Since(began))
			l.more()
			if f.noticed() && !primaryIsOut() && c.place() != "one" {
				t.Errorf("%s: it serves reads", f.name)
			}
			if trial+1 < trials() || f.name != "a replica that is promoted" {
				f.mend()
				eventually(t, f.name+" is back", f.back)
			}
			longest = append(longest, time.Duration(l.longest.Load()))
		}
		t.Logf("%s: noticed after %s, the longest read of each trial took %s (min, median, max)", f.name, times(noticed), times(longest))
	}
	l.stop()
	c.awaitLog("serves no requests: promoted")
	l.summary()
	if got := c.node("requests_total", c.late); got != 0 {
		t.Errorf("the late replica has served %v requests", got)
	}
	if time.Since(began) > 90*time.Second { // it has applied something
		t.Logf("the late replica is %v s behind", c.node("lag_seconds", c.late))
	}
}

// TestNodesFailover fails over from one primary to the other and back. The old primary and another
// replica follow the new one. All three are read replicas, those that are not the primary serve reads.
func TestNodesFailover(t *testing.T) {
	t.Parallel()
	from := pgtest.StartReplicated(t, "cluster_name = 'one'", "synchronous_commit = on", "wal_retrieve_retry_interval = '100ms'")
	db := newDB(t, from)
	from.Exec(t, db, nodesSchema+"grant pg_read_all_stats to test_login")
	to := from.StartReplica(t, "cluster_name = 'two'")
	third := from.StartReplica(t, "cluster_name = 'three'")
	all := []*pgtest.Cluster{from, to, third}
	var uris []string
	for _, c := range all {
		uris = append(uris, c.URI(db, pgtest.Login))
	}
	c := &cluster3{app: start(t, map[string]string{
		"db-uri": hosts(db, "read-write", from, to), "db-uri-read-replicas": strings.Join(uris, ","), "db-pool": "4",
	})}
	serve := func(replicas ...*pgtest.Cluster) func() bool {
		return func() bool {
			return !slices.ContainsFunc(replicas, func(r *pgtest.Cluster) bool { return c.node("serves", r) == 0 })
		}
	}
	eventually(t, "both replicas serve", serve(to, third))
	l := startLoad(t, c.app)
	var written, followed, longest []time.Duration
	for range trials() {
		l.more()
		l.longest.Store(0)
		from.Halt(t, syscall.SIGINT)
		to.Promote(t)
		began := time.Now()
		eventually(t, "a write", func() bool { return c.Do("POST", "/note", `{"tag":"x"}`).Status == 201 })
		written = append(written, time.Since(began))
		eventually(t, "the third is on another timeline", func() bool { return c.node("serves", third) == 0 })
		l.more()
		began = time.Now()
		third.Follow(t, to)
		eventually(t, "the third serves", serve(third))
		followed = append(followed, time.Since(began))
		from.Demote(t, to)
		from.Resume(t)
		eventually(t, "the old primary serves as a replica", serve(from, third))
		if c.node("serves", to) != 0 {
			t.Error("the primary serves as a replica")
		}
		from, to = to, from
		longest = append(longest, time.Duration(l.longest.Load()))
	}
	l.more()
	l.stop()
	t.Logf("after a promotion: a write succeeds after %s; a replica that follows serves after %s; the longest read took %s (min, median, max)",
		times(written), times(followed), times(longest))
	l.summary()
}

// TestBehindCatalog has replicas that have not replayed what the catalog was read from: a
// transaction has written what no commit has yet forced to the disk of the primary, and so to its
// replica; and the primary is lost while the replica is behind.
func TestBehindCatalog(t *testing.T) {
	one := pgtest.StartReplicated(t, "cluster_name = 'one'")
	db := newDB(t, one)
	one.Exec(t, db, nodesSchema)
	two := one.StartReplica(t, "cluster_name = 'two'")
	c := &cluster3{app: start(t, map[string]string{
		"db-uri": one.URI(db, pgtest.Login), "db-uri-read-replicas": two.URI(db, pgtest.Login), "db-channel-enabled": "false", "db-replica-wait": "60000",
	})}
	c.awaitPlace("two")
	// This process forces it after 15 seconds.
	pid, err := strconv.Atoi(value(t, one, db, "select pid from pg_stat_activity where backend_type = 'background writer'"))
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = syscall.Kill(pid, syscall.SIGCONT) })
	one.Connect(t, db).Value("begin; insert into api.note (tag) values ('x')")
	loads := c.loads()
	signal(t, syscall.SIGUSR1)
	eventually(t, "another catalog", func() bool { return c.loads() > loads })
	c.awaitPlace("two")

	two.Exec(t, "postgres", "select pg_wal_replay_pause()")
	one.Exec(t, db, "create table api.fresh (id int)")
	loads = c.loads()
	signal(t, syscall.SIGUSR1)
	eventually(t, "another catalog", func() bool { return c.loads() > loads })
	c.awaitPlace("one")
	// What is not on the disk of the primary is lost with it. A synchronous commit writes all that is before it.
	one.Exec(t, db, "set synchronous_commit = on; create table public.written ()")
	written := value(t, one, db, "select pg_current_wal_flush_lsn()")
	eventually(t, "the replica has what it does not replay", func() bool {
		return value(t, two, "postgres", "select pg_last_wal_receive_lsn() >= '"+written+"'") == "t"
	})
	one.Halt(t, syscall.SIGKILL)
	answers := c.Later("GET", "/rpc/place", "")
	two.Exec(t, "postgres", "select pg_wal_replay_resume()")
	if got := <-answers; got.Status != 200 || got.Body != `"two"` {
		t.Errorf("without the primary: %v", got)
	}
}
