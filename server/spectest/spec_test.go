package spectest

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"maps"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

var (
	programFlag   = flag.String("program", "", "absolute path of the program to test, instead of building ours")
	buildFlags    = flag.String("buildflags", "", "flags for go build, such as -cover; -race comes by itself when the tests have it")
	updatePending = flag.Bool("update-pending", false, "write testdata/pending.txt anew from the outcome of TestCorpus")
	rewrite       = flag.Bool("rewrite", false, "write the responses to the cases of testdata/own into their files")
	confirm       = flag.String("confirm", "", "run the cases of testdata/own against a PostgREST: absolute path of the program, or URL of one that serves the fixture")
)

const (
	corpusDir   = "testdata/corpus"
	ownDir      = "testdata/own"
	pendingFile = "testdata/pending.txt"
)

// buildDir holds the program that was built.
var buildDir string

func TestMain(m *testing.M) {
	flag.Parse()
	code := m.Run()
	if buildDir != "" {
		os.RemoveAll(buildDir)
	}
	os.Exit(code)
}

// program builds the server once for all tests.
var program = sync.OnceValues(func() (string, error) {
	if *programFlag != "" {
		return *programFlag, nil
	}
	var err error
	if buildDir, err = os.MkdirTemp("", "spectest"); err != nil {
		return "", err
	}
	path := filepath.Join(buildDir, "fastgrest")
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	args := append([]string{"build", "-o", path}, strings.Fields(raceFlag+" "+*buildFlags)...)
	out, err := exec.CommandContext(ctx, "go", append(args, "github.com/fastgrest/fastgrest/cmd/fastgrest")...).CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("go build: %w\n%s", err, out)
	}
	return path, nil
})

func mustProgram(t *testing.T) string {
	t.Helper()
	path, err := program()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

func mustGroups(t *testing.T) string {
	t.Helper()
	dir, err := filepath.Abs(filepath.Join(corpusDir, "groups"))
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// start creates a database and starts a server for a unit.
func start(t *testing.T, fx *fixture, program, groupName string, more func(*group)) *session {
	t.Helper()
	if groupName == commandGroup {
		return &session{t: t, db: fx.borrow(t)}
	}
	g, err := loadGroup(os.DirFS(corpusDir), "groups", groupName)
	if err != nil {
		t.Fatal(err)
	}
	if more != nil {
		more(g)
	}
	s := &session{t: t}
	if g.leavesNothing() {
		s.db = fx.borrow(t)
	} else {
		s.db = fx.clone(t)
	}
	s.server, s.err = startServer(t, program, g, mustGroups(t), s.db)
	return s
}

// tally counts the results of TestCorpus.
type tally struct {
	pending *pending

	mu     sync.Mutex
	all    []string
	failed []string
	areas  map[string]*areaTally
}

type areaTally struct{ passed, pending, failed int }

// take records the result of a case.
func (y *tally) take(t *testing.T, c *Case, problems []string) {
	t.Helper()
	reason := y.pending.reason(c.Name)
	y.mu.Lock()
	y.all = append(y.all, c.Name)
	a := y.areas[c.Area]
	if a == nil {
		a = &areaTally{}
		y.areas[c.Area] = a
	}
	switch {
	case len(problems) == 0:
		a.passed++
	case reason != "":
		a.pending++
	default:
		a.failed++
	}
	if len(problems) > 0 {
		y.failed = append(y.failed, c.Name)
	}
	y.mu.Unlock()
	switch {
	case *updatePending:
	case len(problems) == 0 && reason != "":
		t.Errorf("%s\npasses, but is pending (%q): remove it from %s", c.Name, reason, pendingFile)
	case len(problems) > 0 && reason == "":
		t.Errorf("%s\n    %s", c.Name, describe(c, problems))
	}
}

func (y *tally) String() string {
	var b strings.Builder
	var sum areaTally
	for _, name := range slices.Sorted(maps.Keys(y.areas)) {
		a := y.areas[name]
		fmt.Fprintf(&b, "\n%-14s %5d passed %5d pending %5d failed", name, a.passed, a.pending, a.failed)
		sum.passed += a.passed
		sum.pending += a.pending
		sum.failed += a.failed
	}
	fmt.Fprintf(&b, "\n%-14s %5d passed %5d pending %5d failed", "all", sum.passed, sum.pending, sum.failed)
	return b.String()
}

func TestCorpus(t *testing.T) {
	if raceFlag != "" && testing.Short() {
		t.Skip("the requests follow one another; TestCrowds sends some at once")
	}
	cases, err := loadCases(os.DirFS(corpusDir), "cases")
	if err != nil {
		t.Fatal(err)
	}
	file, err := os.Open(pendingFile)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	waiting, err := readPending(file)
	if err != nil {
		t.Fatal(err)
	}
	path := mustProgram(t)
	fx := startFixture(t, corpusDir)
	waiting.version = fx.version
	y := &tally{pending: waiting, areas: map[string]*areaTally{}}
	t.Cleanup(func() { finish(t, y, cases) })
	for _, u := range units(cases) {
		t.Run(u.name, func(t *testing.T) {
			t.Parallel()
			runUnit(t, u, start(t, fx, path, u.group, nil), path, y)
		})
	}
}

// runUnit runs the cases in subtests, so that -run can select them. It does not
// select single steps of a scenario.
func runUnit(t *testing.T, u unit, s *session, program string, y *tally) {
	for _, c := range u.cases {
		step := func(t *testing.T) {
			if c.Command != nil {
				y.take(t, c, runAndCompare(t, program, s.db, c))
				return
			}
			ask := s.askTwice
			if u.scenario || u.once {
				ask = s.ask
			}
			a, problems := ask(c)
			y.take(t, c, problems)
			var others []string
			switch {
			case len(problems) > 0 || testing.Short(): // requests in other forms take most of the time
			case c.hasQuery():
				others = s.sameAsQuery(c, a)
			case !u.scenario && !u.once:
				others = s.sameInBatch(c)
			}
			for _, p := range others {
				t.Errorf("%s\n    %s", c.Name, p)
			}
		}
		if u.scenario {
			step(t)
		} else {
			t.Run(strings.TrimPrefix(c.Name, c.Area+"/"), step)
		}
	}
}

func runAndCompare(t *testing.T, program string, db *database, c *Case) []string {
	a, err := runCommand(program, t.TempDir(), db, c.Command)
	if err != nil {
		return []string{err.Error()}
	}
	return compare(c, a, masker{})
}

// finish checks the results as a whole after all units have run.
func finish(t *testing.T, y *tally, cases []*Case) {
	t.Log(y)
	names := make([]string, len(cases))
	for i, c := range cases {
		names[i] = c.Name
	}
	if *updatePending {
		if len(y.all) != len(cases) {
			t.Errorf("%s was not written: only %d of %d cases were run", pendingFile, len(y.all), len(cases))
			return
		}
		slices.Sort(y.failed)
		if err := os.WriteFile(pendingFile, []byte(y.pending.updated(names, y.failed).String()), 0o644); err != nil {
			t.Error(err)
		}
		return
	}
	for _, pattern := range y.pending.idle(names) {
		t.Errorf("%s: no case matches %q", pendingFile, pattern)
	}
}

func TestOwn(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(ownDir, "*.test"))
	if err != nil {
		t.Fatal(err)
	}
	var parsed []*ownFile
	for _, path := range files {
		raw, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		f, err := parseOwn(strings.TrimSuffix(filepath.Base(path), ".test"), string(raw))
		if err != nil {
			t.Fatal(err)
		}
		parsed = append(parsed, f)
	}
	if len(parsed) == 0 {
		return
	}
	begin := ownServers(t)
	for _, f := range parsed {
		t.Run(f.name, func(t *testing.T) {
			t.Parallel()
			if s := begin(t, f); s != nil {
				runOwn(t, f, s)
			}
		})
	}
}

// ownServers returns a function that starts a session for a file: with the
// built program, another program, or an address.
func ownServers(t *testing.T) func(*testing.T, *ownFile) *session {
	t.Helper()
	if u, err := url.Parse(*confirm); err == nil && u.Host != "" {
		return func(t *testing.T, f *ownFile) *session {
			if f.changed || f.ordered || f.group != "base" {
				t.Log("not sent: the file needs its own configuration or database")
				return nil
			}
			dial := func() (net.Conn, error) { return net.DialTimeout("tcp", u.Host, requestPatience) }
			return &session{t: t, server: &server{api: dial, mask: masker{u.Host}}}
		}
	}
	path := *confirm
	if path == "" {
		path = mustProgram(t)
	}
	fx := startFixture(t, corpusDir)
	return func(t *testing.T, f *ownFile) *session { return start(t, fx, path, f.group, f.configure) }
}

// errNoResponse is the problem of a case without an expected response.
var errNoResponse = errors.New("the case has no expected response yet: add it with -rewrite and check it")

func runOwn(t *testing.T, f *ownFile, s *session) {
	for _, c := range f.cases {
		step := func(t *testing.T) {
			if s.server != nil && s.server.cmd == nil && c.Request.Port == "admin" {
				t.Log("not sent: only the address of the API is known")
				return
			}
			a, problems := s.ask(&c.Case)
			switch {
			case *rewrite && *confirm == "":
				if a == nil {
					t.Error(describe(&c.Case, problems))
				} else if len(problems) > 0 || !c.hasResponse {
					c.learn(a, s.server.mask)
				}
			case !c.hasResponse:
				t.Error(errNoResponse)
			case *confirm != "" && c.differs != "":
				if len(problems) == 0 {
					t.Errorf("PostgREST responds as expected, but the case says that we differ: %s", c.differs)
				}
			case len(problems) > 0:
				t.Error(describe(&c.Case, problems))
			}
		}
		if f.ordered {
			step(t)
		} else {
			t.Run(strings.TrimPrefix(c.Name, "own/"+f.name+": "), step)
		}
	}
	if *rewrite && *confirm == "" {
		if err := os.WriteFile(filepath.Join(ownDir, f.name+".test"), []byte(f.String()), 0o644); err != nil {
			t.Error(err)
		}
	}
}
