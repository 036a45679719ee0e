package main

import (
	"context"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/fastgrest/fastgrest/pgwire/pgtest"
)

// screen is an io.Writer that a test can read while the program runs.
type screen struct {
	sync.Mutex
	text strings.Builder
}

func (s *screen) Write(p []byte) (int, error) {
	s.Lock()
	defer s.Unlock()
	return s.text.Write(p)
}

func (s *screen) String() string {
	s.Lock()
	defer s.Unlock()
	return s.text.String()
}

// demoRun is a demo that was started.
type demoRun struct {
	out, errs screen
	stop      context.CancelFunc
	exit      chan int
}

func startDemo(t *testing.T, dir string) *demoRun {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	d := &demoRun{stop: cancel, exit: make(chan int, 1)}
	args := []string{"--demo", "--demo-dir", dir, "--server-port", pgtest.FreePort(t, "127.0.0.1"), "--admin-server-port", pgtest.FreePort(t, "127.0.0.1")}
	if bin := os.Getenv("TEST_PG_BIN_DIR"); bin != "" {
		args = append(args, "--demo-pg-bin", bin)
	}
	go func() { d.exit <- run(ctx, args, nil, &d.out, &d.errs) }()
	t.Cleanup(cancel)
	for deadline := time.Now().Add(2 * time.Minute); !strings.Contains(d.out.String(), "Ctrl-C"); time.Sleep(10 * time.Millisecond) {
		if len(d.exit) > 0 || time.Now().After(deadline) {
			t.Fatalf("no demo: %s%s", d.out.String(), d.errs.String())
		}
	}
	return d
}

func (d *demoRun) end(t *testing.T) {
	t.Helper()
	d.stop()
	select {
	case code := <-d.exit:
		if code != 0 {
			t.Errorf("exit code %d: %s", code, d.errs.String())
		}
	case <-time.After(time.Minute):
		t.Fatal("the demo does not end")
	}
}

// demoFolder is one that the account of PostgreSQL can reach, which t.TempDir of root is not.
func demoFolder(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "demo-test-")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return filepath.Join(dir, "demo")
}

var (
	curlURL    = regexp.MustCompile(`'(http://[^']*)'`)
	curlHeader = regexp.MustCompile(`-H '([^:']*): ([^']*)'`)
)

// fetchExample does what a shell and curl would do with a line of the banner.
func fetchExample(t *testing.T, line string) (status int, body string) {
	t.Helper()
	request, err := http.NewRequest(http.MethodGet, curlURL.FindStringSubmatch(line)[1], nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, h := range curlHeader.FindAllStringSubmatch(line, -1) {
		request.Header.Set(h[1], h[2])
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(text)
}

// TestDemo pastes every example of the banner, twice: the second start finds the first one's database.
func TestDemo(t *testing.T) {
	dir := demoFolder(t)
	for _, start := range []string{"first", "second"} {
		began := time.Now()
		d := startDemo(t, dir)
		t.Logf("%s start: %s", start, time.Since(began).Round(time.Millisecond))
		tried := 0
		for line := range strings.Lines(d.out.String()) {
			if !strings.HasPrefix(line, "curl ") {
				continue
			}
			tried++
			status, body := fetchExample(t, line)
			if status != http.StatusOK && status != http.StatusPartialContent || len(body) < 20 {
				t.Errorf("%s: %d %s", strings.TrimSpace(line), status, body)
			}
		}
		if tried != len(examples) {
			t.Errorf("%d examples in the banner, want %d", tried, len(examples))
		}
		d.end(t)
	}
	checkData(t, dir)
}

// checkData checks what the triggers would have checked that loading the data goes without.
func checkData(t *testing.T, dir string) {
	t.Helper()
	cluster, err := demoOptions{dir: dir, programs: os.Getenv("TEST_PG_BIN_DIR")}.database(t.Context(), io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	defer cluster.Stop()
	if !cluster.Reused {
		t.Error("the demo left nothing for its next start")
	}
	// Foreign keys made anew are checked against all rows.
	const recheck = `do $$
declare
  c record;
begin
  for c in select conrelid::regclass as t, quote_ident(conname) as n, pg_get_constraintdef(oid) as d from pg_constraint where contype = 'f' loop
    execute format('alter table %s drop constraint %s, add constraint %s %s', c.t, c.n, c.n, c.d);
  end loop;
end
$$;
-- The sum of an ISBN's digits, weighed 1, 3, 1, 3 ..., is a multiple of ten; the next id is a free one;
-- everything the API shows has a description.
do $$
declare
  bad text;
begin
  select e.isbn into bad from bookshop.edition e
    where (select sum(d::int * case when i % 2 = 1 then 1 else 3 end) from unnest(string_to_array(replace(e.isbn, '-', ''), null)) with ordinality x (d, i)) % 10 <> 0 limit 1;
  assert bad is null, 'wrong ISBN ' || bad;
  insert into bookshop.genre (slug, name) values ('new', 'New');
  select string_agg(c.oid::regclass::text, ', ') into bad from pg_class c
    where c.relnamespace in ('bookshop'::regnamespace, 'reports'::regnamespace) and c.relkind in ('r', 'v', 'm') and obj_description(c.oid, 'pg_class') is null;
  assert bad is null, 'no description: ' || bad;
  select string_agg(p.oid::regprocedure::text, ', ') into bad from pg_proc p
    where p.pronamespace = 'bookshop'::regnamespace and obj_description(p.oid, 'pg_proc') is null;
  assert bad is null, 'no description: ' || bad;
end
$$;`
	if err := cluster.Exec(t.Context(), demoDatabase, "checks", recheck); err != nil {
		t.Error(err)
	}
}
