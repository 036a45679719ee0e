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
	"github.com/fastgrest/fastgrest/server/auth/authtest"
	"github.com/fastgrest/fastgrest/server/faulttest"
	"github.com/fastgrest/fastgrest/server/servertest"
)

// soakRounds is the number of rounds. The first two warm the server up.
const soakRounds = 6

// soakFigures are measured while the server is idle.
type soakFigures struct {
	goroutines, descriptors, connections int
	collectAt                            int // heap size at which the next garbage collection starts: twice the live heap
	resident                             int // bytes
}

// TestSoak runs all kinds of requests with faults: ended backends, vanishing
// clients, reloads, delays and broken connections to the database. Afterwards
// the server must have the same memory, goroutines and file descriptors as
// before, and no more connections than its limit. Every write that it confirmed
// must exist once. SOAK_TIME sets the duration, SOAK_RATE the number of
// requests per second; 0 means as many as possible.
func TestSoak(t *testing.T) {
	total := soakSetting(t, "SOAK_TIME", 18*time.Second, time.ParseDuration)
	rate := soakSetting(t, "SOAK_RATE", 0, strconv.Atoi)
	f := start(t, pgtest.Start(t), nil)
	f.db.Value(`
create table api.parent (id int primary key, name text);
create table api.child (id int primary key, parent_id int references api.parent, note text);
insert into api.parent select i, 'parent ' || i from generate_series(1, 50) i;
insert into api.child select i, 1 + i % 50, 'note ' || i from generate_series(1, 500) i;
create function api.slow() returns text language sql stable as $$ select pg_sleep(0.05); select 'slept' $$;
create function api.fails() returns void language plpgsql as $$ begin raise 'on purpose'; end $$;
grant all on api.parent, api.child to test_anon, test_serial`)
	s := &soak{fixture: f, child: startChildOn(t, f.proxied)}
	if rate > 0 {
		s.pause = soakClients * time.Second / time.Duration(rate)
	}
	for range 100 { // some expired, some valid
		for _, exp := range []int64{1, time.Now().Add(24 * time.Hour).Unix()} {
			s.tokens = append(s.tokens, authtest.Sign(fmt.Appendf(nil, `{"role":"test_serial","exp":%d,"n":%d}`, exp, rand.Int()), []byte(servertest.Secret)))
		}
	}
	var all []soakFigures
	for round := range soakRounds {
		s.round(t, total/soakRounds, uint64(round))
		figures := s.settled(t, all)
		all = append(all, figures)
		kept, open, there := s.kept.Load(), s.open.Load(), int64(f.db.Count("select count(*) from api.note"))
		if there < kept || there > kept+open {
			t.Errorf("%d notes; %d were confirmed, and the result of %d is unknown", there, kept, open)
		}
		s.kept.Store(0)
		s.open.Store(0)
		f.db.Value("truncate public.log, api.note, api.thing, api.part")
		t.Logf("round %d: %d requests, %d of them failed for a fault; %v; %d notes kept, %d open, %d there; %d goroutines, %d descriptors, %d connections, next collection at %.1f MB, resident %.1f MB",
			round+1, s.requests.Load(), s.failed.Load(), s.faultCounts(), kept, open, there, figures.goroutines, figures.descriptors, figures.connections,
			float64(figures.collectAt)/(1<<20), float64(figures.resident)/(1<<20))
	}
	was, is := all[1], all[len(all)-1]
	if is.collectAt > was.collectAt*3/2+8<<20 || is.resident > was.resident*3/2+32<<20 {
		t.Errorf("memory grows: %+v", all)
	}
	// A fault that breaks connections may affect the current and the next
	// request of every client. On a slow machine these are most of all
	// requests.
	breaks := s.faults[faultEnded].Load() + s.faults[faultCut].Load() + s.faults[faultHalf].Load()
	if n := s.failed.Load(); n == 0 || n == s.requests.Load() || n > max(s.requests.Load()/2, 2*soakClients*breaks) {
		t.Errorf("%d of %d requests failed for a fault", n, s.requests.Load())
	}
	for i, n := range s.faultCounts() {
		if n == 0 {
			t.Errorf("no %s among the faults", soakFaults[i])
		}
	}
}

// soakSetting returns the value of an environment variable, or a default.
func soakSetting[T any](t *testing.T, name string, usual T, parse func(string) (T, error)) T {
	text := os.Getenv(name)
	if text == "" {
		return usual
	}
	value, err := parse(text)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return value
}

const soakClients = 16

// soakFaults are the kinds of faults.
var soakFaults = [...]string{"backends ended", "schema reloads", "configuration reloads", "clients gone", "delays", "cuts", "half-closes"}

const (
	faultEnded = iota
	faultSchema
	faultConfig
	faultGone
	faultDelay
	faultCut
	faultHalf
)

type soak struct {
	*fixture
	child            *child
	tokens           []string
	pause            time.Duration // between the requests of a client
	requests, failed atomic.Int64
	kept, open       atomic.Int64 // notes that were confirmed, and notes whose result is unknown to the client
	faults           [len(soakFaults)]atomic.Int64
}

// faultCounts prints as a list of names and counts.
type faultCounts [len(soakFaults)]int64

func (s *soak) faultCounts() (n faultCounts) {
	for i := range n {
		n[i] = s.faults[i].Load()
	}
	return n
}

func (n faultCounts) String() string {
	var total int64
	var list []string
	for i, name := range soakFaults {
		total += n[i]
		list = append(list, fmt.Sprint(name, " ", n[i]))
	}
	return fmt.Sprintf("%d faults (%s)", total, strings.Join(list, ", "))
}

// round runs load with faults for a while and then closes all clients.
func (s *soak) round(t *testing.T, d time.Duration, seed uint64) {
	var wg sync.WaitGroup
	end := time.Now().Add(d)
	late := rand.New(rand.NewPCG(seed, 101))
	s.Tamper(func(faulttest.Direction, []byte) time.Duration {
		if late.IntN(100) > 0 {
			return 0
		}
		s.faults[faultDelay].Add(1)
		return time.Duration(late.IntN(int(30 * time.Millisecond)))
	})
	defer s.Tamper(nil)
	for i := range soakClients {
		draw := rand.New(rand.NewPCG(seed, uint64(i)))
		client := servertest.Client(s.child.api)
		wg.Go(func() {
			defer client.CloseIdleConnections()
			for time.Now().Before(end) && !t.Failed() {
				s.ask(t, client, draw)
				if s.pause > 0 {
					time.Sleep(time.Duration(draw.Int64N(int64(2 * s.pause))))
				}
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
			s.faults[faultGone].Add(1)
		}
	})
	draw := rand.New(rand.NewPCG(seed, 102))
	for i := 0; time.Now().Before(end) || i < 5; i++ { // each fault once, however slow the machine is
		time.Sleep(min(300*time.Millisecond, time.Until(end)))
		kind := [...]int{faultEnded, faultSchema, faultCut, faultConfig, faultHalf}[i%5]
		switch kind {
		case faultEnded:
			s.db.Value("select pg_terminate_backend(pid) from pg_stat_activity where usename = 'test_login' and datname = current_database()")
		case faultSchema:
			_ = syscall.Kill(s.child.pid, syscall.SIGUSR1)
		case faultConfig:
			_ = syscall.Kill(s.child.pid, syscall.SIGUSR2)
		case faultCut:
			s.Arm(faulttest.Cut{Direction: faulttest.Direction(draw.IntN(2)), Messages: draw.IntN(6), Bytes: draw.IntN(5)})
		case faultHalf:
			s.HalfClose(faulttest.Direction(draw.IntN(2)))
		}
		s.faults[kind].Add(1)
	}
	wg.Wait()
}

// ask sends a random request.
func (s *soak) ask(t *testing.T, client *http.Client, draw *rand.Rand) {
	n := draw.IntN(1000)
	kinds := []struct {
		method, target, body string
		want                 string // statuses
		note                 bool   // adds a note on success
	}{
		{"GET", fmt.Sprintf("/child?id=eq.%d", n), "", "200", false},
		{"GET", fmt.Sprintf("/parent?select=name,child(note)&id=lt.%d", n%50), "", "200", false},
		{"GET", "/child?select=*,parent(*)", "", "200", false},
		{"GET", fmt.Sprintf("/child?select=a%d:id&limit=1", draw.IntN(1e9)), "", "200", false}, // a new shape
		{"POST", "/note", `{"tag":"a"}`, "201", true},
		{"POST", "/thing", fmt.Sprintf(`{"tag":"%d","n":1}`, n), "201 409", false},
		{"PATCH", fmt.Sprintf("/thing?tag=eq.%d", n), `{"n":2}`, "204 500", false}, // 40001 in a serializable transaction
		{"POST", "/rpc/add_note", `{"tag":"b"}`, "200", true},
		{"POST", "/rpc/fails", "{}", "400", false},
		{"GET", "/rpc/slow", "", "200", false},
		{"GET", "/nothing", "", "404", false},
		{"GET", "/child?id=eq.x", "", "400", false},
		{"POST", "/note", "{", "400", false},
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
	if k.note {
		switch {
		case a.StatusCode < 300:
			s.kept.Add(1)
		case a.StatusCode == 503 || a.StatusCode == 504:
			s.open.Add(1)
		}
	}
	switch {
	case err == nil && strings.Contains(want, strconv.Itoa(a.StatusCode)):
	case a.StatusCode == 503 || a.StatusCode == 504 || err != nil && a.StatusCode < 300: // the connection was cut
		s.failed.Add(1)
	default:
		t.Errorf("%s %s: %d instead of %s: %.300s, %v", k.method, k.target, a.StatusCode, want, body, err)
	}
}

// settled waits until the server has released its resources and has about as
// many goroutines and descriptors as after the second round. The pool may hold
// connections that PostgreSQL has closed until it checks them.
func (s *soak) settled(t *testing.T, all []soakFigures) soakFigures {
	t.Helper()
	const pool = 10
	var now soakFigures
	for end := time.Now().Add(2 * time.Minute); ; time.Sleep(100 * time.Millisecond) {
		now = s.figures(t)
		quiet := now.connections <= pool+1
		if len(all) >= 2 {
			quiet = quiet && now.goroutines <= all[1].goroutines+5 && now.descriptors <= all[1].descriptors+pool+5
		} else {
			quiet = quiet && now.goroutines < 100 && now.descriptors < 60
		}
		if quiet {
			return now
		}
		if time.Now().After(end) {
			t.Fatalf("does not become idle: %+v, before %+v", now, all)
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
	// The fixture's own server may hold one of them.
	f.connections = s.db.Count("select count(*) from pg_stat_activity where usename = 'test_login' and datname = current_database()")
	return f
}
