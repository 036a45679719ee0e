package main

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/fastgrest/fastgrest/pgwire/pgtest"
	"github.com/fastgrest/fastgrest/server/config"
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

// paste does what a shell and curl do with a line of the banner.
func paste(t *testing.T, line string) (status int, body string) {
	t.Helper()
	printed, err := exec.CommandContext(t.Context(), "sh", "-c", `curl() { printf '%s\0' "$@"; }; `+line).Output()
	if err != nil {
		t.Fatalf("%s: %v", line, err)
	}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "", nil)
	if err != nil {
		t.Fatal(err)
	}
	words := strings.Split(strings.TrimSuffix(string(printed), "\x00"), "\x00")
	for len(words) > 0 {
		word, argument := words[0], ""
		words = words[1:]
		if slices.Contains([]string{"-X", "-H", "-d"}, word) {
			argument, words = words[0], words[1:]
		}
		switch word {
		case "-g", "-i":
		case "-X":
			request.Method = argument
		case "-H":
			name, value, _ := strings.Cut(argument, ": ")
			request.Header.Set(name, value)
		case "-d":
			request.Body = io.NopCloser(strings.NewReader(argument))
			if request.Header.Get("Content-Type") == "" {
				request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			}
		default:
			if request.URL, err = url.Parse(word); err != nil || request.URL.Host == "" {
				t.Fatalf("%s: %q is not an address, %v", line, word, err)
			}
		}
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

// pastePSQL connects as psql does with a line of the banner, and looks at relations of both schemas.
func pastePSQL(t *testing.T, line string) {
	t.Helper()
	address := regexp.MustCompile(`^SQL +psql '([^']+)'$`).FindStringSubmatch(line)
	if address == nil {
		t.Fatalf("%q is not a line for psql", line)
	}
	conn, err := pgconn.Connect(t.Context(), address[1])
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	for _, relation := range []string{"book", "monthly_sales"} {
		if _, err := conn.Exec(t.Context(), "select * from "+relation+" limit 1").ReadAll(); err != nil {
			t.Error(err)
		}
		listed, err := conn.Exec(t.Context(), "select pg_table_is_visible(oid) from pg_class where relname = '"+relation+"'").ReadAll()
		if err != nil || string(listed[0].Rows[0][0]) != "t" {
			t.Errorf("\\d does not list %s, %v", relation, err)
		}
	}
}

// TestDemo pastes every example of the banner, twice: the second start finds the first one's database.
func TestDemo(t *testing.T) {
	dir := demoFolder(t)
	for _, start := range []string{"first", "second"} {
		began := time.Now()
		d := startDemo(t, dir)
		t.Logf("%s start: %s", start, time.Since(began).Round(time.Millisecond))
		tried, pages, methods := 0, 0, []string(nil)
		for line := range strings.Lines(d.out.String()) {
			line = strings.TrimSpace(line)
			switch word, _, _ := strings.Cut(line, " "); word {
			case "curl":
				tried++
				status, body := paste(t, line)
				if status < 200 || status > 299 || len(body) < 20 {
					t.Errorf("%s: %d %s", line, status, body)
				}
				if m := regexp.MustCompile(`-X (\w+)`).FindStringSubmatch(line); m != nil {
					methods = append(methods, m[1])
				}
			case "SQL":
				pastePSQL(t, line)
			case "Page", "Manual":
				pages++
				if status, body := paste(t, "curl "+strings.Fields(line)[1]); status != http.StatusOK || !strings.Contains(body, "<html") {
					t.Errorf("%s: %d %.100s", line, status, body)
				}
			}
		}
		if slices.Sort(methods); !slices.Equal(methods, []string{"DELETE", "PATCH", "POST", "POST"}) {
			t.Errorf("the examples that write are %q", methods)
		}
		if pages != 2 {
			t.Errorf("%d pages in the banner, want that of figures and the manual", pages)
		}
		if tried != len(examples) {
			t.Errorf("%d examples in the banner, want %d", tried, len(examples))
		}
		d.end(t)
	}
	checkData(t, dir)
}

// checkData checks the rules of the triggers, which do not fire while the data is loaded.
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

// TestMakeRun runs make in dry mode: it announces the compilation, explains how to add flags, and
// passes them on.
func TestMakeRun(t *testing.T) {
	makeProgram, err := exec.LookPath("make")
	if err != nil {
		t.Skip("make is not installed")
	}
	dry := exec.CommandContext(t.Context(), makeProgram, "-n", "run", "ARGS=--server-port 3100")
	dry.Dir = "../.."
	out, err := dry.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if !regexp.MustCompile(`(?s)Compiling.*ARGS=.*go build.*--demo --server-port 3100\n`).Match(out) {
		t.Errorf("make run does\n%s", out)
	}
}

// TestBannerAdmin: a unix socket wins over the port, also in what the demo prints.
func TestBannerAdmin(t *testing.T) {
	c := &config.Config{AdminServerPort: 3001, AdminServerHost: "127.0.0.1"}
	if got := adminLines(c); !strings.Contains(got, "Page     http://127.0.0.1:3001/ui ") || !strings.Contains(got, "Manual   http://127.0.0.1:3001/manual\n") ||
		!strings.Contains(got, "Admin    http://127.0.0.1:3001/ready,") {
		t.Errorf("port: %q", got)
	}
	c.AdminServerUnixSocket = "/tmp/a dir/admin"
	if got := adminLines(c); strings.Contains(got, "3001") || !strings.Contains(got, "curl --unix-socket '/tmp/a dir/admin' http://localhost/ready") {
		t.Errorf("unix socket: %q", got)
	}
	if got := adminLines(&config.Config{}); got != "" {
		t.Errorf("no admin server: %q", got)
	}
}
