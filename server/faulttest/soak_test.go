//go:build linux && !race

package faulttest_test

import (
	"bufio"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/fastgrest/fastgrest/pgwire/pgtest"
	"github.com/fastgrest/fastgrest/server/auth"
)

// soakRounds is the number of rounds; the first two are for warming up.
const soakRounds = 6

// soakFigures are of a server that has nothing to do.
type soakFigures struct {
	goroutines, descriptors, connections int
	collectAt                            int // bytes of heap at which the next collection is due: what lives, twice
	resident                             int // bytes
}

// TestSoak: after hours of everything at once, of backends that are ended,
// clients that vanish and reloads, the server is as large as it was, has as
// many goroutines and descriptors, and no more connections than it may.
// SOAK_TIME says for how long.
func TestSoak(t *testing.T) {
	total := 18 * time.Second
	if text := os.Getenv("SOAK_TIME"); text != "" {
		var err error
		if total, err = time.ParseDuration(text); err != nil {
			t.Fatal(err)
		}
	}
	f := start(t, pgtest.Start(t), nil)
	f.exec(t, `
create table api.parent (id int primary key, name text);
create table api.child (id int primary key, parent_id int references api.parent, note text);
insert into api.parent select i, 'parent ' || i from generate_series(1, 50) i;
insert into api.child select i, 1 + i % 50, 'note ' || i from generate_series(1, 500) i;
create function api.slow() returns text language sql stable as $$ select pg_sleep(0.05); select 'slept' $$;
create function api.fails() returns void language plpgsql as $$ begin raise 'on purpose'; end $$;
grant all on api.parent, api.child to fault_anon, fault_serial`)
	c := startChild(t, f)
	s := &soak{fixture: f, child: c}
	for range 100 { // some that are expired, some that are not
		for _, exp := range []int64{1, time.Now().Add(24 * time.Hour).Unix()} {
			token, err := auth.Sign(fmt.Appendf(nil, `{"role":"fault_serial","exp":%d,"n":%d}`, exp, rand.Int()), []byte(secret))
			if err != nil {
				t.Fatal(err)
			}
			s.tokens = append(s.tokens, string(token))
		}
	}
	var all []soakFigures
	for round := range soakRounds {
		s.round(t, total/soakRounds, uint64(round))
		f.exec(t, "truncate public.log, api.note, api.thing")
		figures := s.settled(t, all)
		all = append(all, figures)
		t.Logf("round %d: %d requests, %d of them failed for a fault; %d faults; %d goroutines, %d descriptors, %d connections, next collection at %.1f MB, resident %.1f MB",
			round+1, s.requests.Load(), s.failed.Load(), s.faults.Load(), figures.goroutines, figures.descriptors, figures.connections,
			float64(figures.collectAt)/(1<<20), float64(figures.resident)/(1<<20))
	}
	was, is := all[1], all[len(all)-1]
	if is.collectAt > was.collectAt*3/2+8<<20 || is.resident > was.resident*3/2+32<<20 {
		t.Errorf("memory grows: %+v", all)
	}
	if n := s.failed.Load(); n == 0 || n > s.requests.Load()/2 {
		t.Errorf("%d of %d requests failed for a fault", n, s.requests.Load())
	}
}

type soak struct {
	*fixture
	child                    *child
	tokens                   []string
	requests, failed, faults atomic.Int64
}

// round is load with faults for a while, then no client is connected any more.
func (s *soak) round(t *testing.T, d time.Duration, seed uint64) {
	var wg sync.WaitGroup
	end := time.Now().Add(d)
	for i := range 16 {
		draw := rand.New(rand.NewPCG(seed, uint64(i)))
		client := unixClient(s.child.api)
		wg.Go(func() {
			defer client.CloseIdleConnections()
			for time.Now().Before(end) && !t.Failed() {
				s.ask(t, client, draw)
			}
		})
	}
	wg.Go(func() { // clients that vanish
		draw := rand.New(rand.NewPCG(seed, 100))
		for time.Now().Before(end) {
			conn, err := net.Dial("unix", s.child.api)
			if err != nil {
				t.Error(err)
				return
			}
			raw := "GET /rpc/slow HTTP/1.1\r\nHost: a\r\n\r\nPOST /note HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 400\r\n\r\n{"
			_, _ = io.WriteString(conn, raw[:draw.IntN(len(raw))])
			time.Sleep(time.Duration(draw.IntN(int(40 * time.Millisecond))))
			conn.Close()
			s.faults.Add(1)
		}
	})
	for i := 0; time.Now().Before(end); i++ {
		time.Sleep(min(300*time.Millisecond, time.Until(end)))
		switch i % 3 {
		case 0:
			s.exec(t, "select pg_terminate_backend(pid) from pg_stat_activity where usename = 'fault_authenticator' and datname = current_database()")
		case 1:
			_ = syscall.Kill(s.child.pid, syscall.SIGUSR1)
		case 2:
			_ = syscall.Kill(s.child.pid, syscall.SIGUSR2)
		}
		s.faults.Add(1)
	}
	wg.Wait()
}

// ask sends one of all kinds of requests.
func (s *soak) ask(t *testing.T, client *http.Client, draw *rand.Rand) {
	n := draw.IntN(1000)
	kinds := []struct {
		method, target, body string
		want                 string // statuses
	}{
		{"GET", fmt.Sprintf("/child?id=eq.%d", n), "", "200"},
		{"GET", fmt.Sprintf("/parent?select=name,child(note)&id=lt.%d", n%50), "", "200"},
		{"GET", "/child?select=*,parent(*)", "", "200"},
		{"GET", fmt.Sprintf("/child?select=a%d:id&limit=1", draw.IntN(1e9)), "", "200"}, // a shape of its own
		{"POST", "/note", `{"tag":"a"}`, "201"},
		{"POST", "/thing", fmt.Sprintf(`{"tag":"%d","n":1}`, n), "201 409"},
		{"PATCH", fmt.Sprintf("/thing?tag=eq.%d", n), `{"n":2}`, "204 500"}, // 40001, of those that are serializable
		{"POST", "/rpc/add_note", `{"tag":"b"}`, "200"},
		{"POST", "/rpc/fails", "{}", "400"},
		{"GET", "/rpc/slow", "", "200"},
		{"GET", "/nothing", "", "404"},
		{"GET", "/child?id=eq.x", "", "400"},
		{"POST", "/note", "{", "400"},
	}
	k := kinds[draw.IntN(len(kinds))]
	r, err := http.NewRequest(k.method, "http://api"+k.target, strings.NewReader(k.body))
	if err != nil {
		t.Error(err)
		return
	}
	r.Header.Set("Content-Type", "application/json")
	want := k.want
	if draw.IntN(3) == 0 {
		i := draw.IntN(len(s.tokens))
		r.Header.Set("Authorization", "Bearer "+s.tokens[i])
		if i%2 == 0 { // expired
			want = "401"
		} else {
			want += " 500" // 40001
		}
	}
	a, err := client.Do(r)
	if err != nil {
		t.Errorf("%s %s: %v", k.method, k.target, err)
		return
	}
	body, err := io.ReadAll(a.Body)
	a.Body.Close()
	s.requests.Add(1)
	switch {
	case err == nil && strings.Contains(want, strconv.Itoa(a.StatusCode)):
	case a.StatusCode == 503 || a.StatusCode == 504 || err != nil && a.StatusCode < 300: // cut
		s.failed.Add(1)
	default:
		t.Errorf("%s %s: %d instead of %s: %.300s, %v", k.method, k.target, a.StatusCode, want, body, err)
	}
}

// settled waits until the server has given back what it held, and has no more
// goroutines and descriptors than after the second round, but for a few.
func (s *soak) settled(t *testing.T, all []soakFigures) soakFigures {
	t.Helper()
	var now soakFigures
	for end := time.Now().Add(time.Minute); ; time.Sleep(100 * time.Millisecond) {
		now = s.figures(t)
		quiet := now.connections <= 10
		if len(all) >= 2 {
			quiet = quiet && now.goroutines <= all[1].goroutines+5 && now.descriptors-now.connections <= all[1].descriptors-all[1].connections+5
		} else {
			quiet = quiet && now.goroutines < 100 && now.descriptors < 60
		}
		if quiet {
			return now
		}
		if time.Now().After(end) {
			t.Fatalf("does not calm down: %+v, before %+v", now, all)
		}
	}
}

func (s *soak) figures(t *testing.T) (f soakFigures) {
	t.Helper()
	resp, err := s.child.admin.Get("http://admin/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	metrics := map[string]int{}
	for lines := bufio.NewScanner(resp.Body); lines.Scan(); {
		if name, value, ok := strings.Cut(lines.Text(), " "); ok {
			number, _ := strconv.ParseFloat(value, 64)
			metrics[name] = int(number)
		}
	}
	f.goroutines, f.collectAt, f.resident = metrics["go_goroutines"], metrics["go_memstats_next_gc_bytes"], metrics["process_resident_memory_bytes"]
	list, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", s.child.pid))
	if err != nil || f.goroutines == 0 || f.collectAt == 0 || f.resident == 0 {
		t.Fatalf("%+v, %v", f, err)
	}
	f.descriptors = len(list)
	// The fixture's own server has one of them, through the proxy.
	f.connections = s.count(t, "select count(*) from pg_stat_activity where usename = 'fault_authenticator' and datname = current_database()") - 1
	return f
}
