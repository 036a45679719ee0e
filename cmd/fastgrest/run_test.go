package main

import (
	"bytes"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/fastgrest/fastgrest/pgwire/pgcluster"
)

func init() { version = "test" }

// command is one case of testdata/*.txt:
//
//	$ NAME=value fastgrest arguments     environment and arguments; '...' keeps spaces together
//	< text                               a line of the file that {file} names
//	> text                               a line of standard output, which has no others then
//	~ regexp                             somewhere in standard output
//	! regexp                             in standard error, less its last line end
//	? number                             the exit code, if it is not 0
type command struct {
	at                string
	line              string
	env, args         []string
	file              []string
	output            []string
	outputHas, errHas []*regexp.Regexp
	exit              int
}

func parseCommands(t *testing.T, path string, replace *strings.Replacer) (list []command) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for i, line := range strings.Split(replace.Replace(string(text)), "\n") {
		at := filepath.Base(path) + ":" + strconv.Itoa(i+1)
		word, rest, _ := strings.Cut(line, " ")
		if word == "$" {
			c := command{at: at, line: rest}
			c.env, c.args = splitCommand(rest)
			list = append(list, c)
			continue
		}
		if word == "" || word == "#" {
			continue
		}
		last := &list[len(list)-1]
		switch word {
		case "<":
			last.file = append(last.file, rest)
		case ">":
			last.output = append(last.output, rest)
		case "~":
			last.outputHas = append(last.outputHas, regexp.MustCompile(rest))
		case "!":
			last.errHas = append(last.errHas, regexp.MustCompile(rest))
		case "?":
			if last.exit, err = strconv.Atoi(rest); err != nil {
				t.Fatalf("%s: %v", at, err)
			}
		default:
			t.Fatalf("%s: unknown word %q", at, word)
		}
	}
	return list
}

var wordPattern = regexp.MustCompile(`'([^']*)'|(\S+)`)

func splitCommand(line string) (env, args []string) {
	inArgs := false
	for _, m := range wordPattern.FindAllStringSubmatch(line, -1) {
		word := m[1] + m[2]
		switch {
		case inArgs:
			args = append(args, word)
		case word == "fastgrest":
			inArgs = true
		default:
			env = append(env, word)
		}
	}
	return env, args
}

func TestRun(t *testing.T) {
	dir := t.TempDir()
	full := filepath.Join(dir, "full")
	if err := os.Mkdir(full, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(full, "letter.txt"), []byte("dear"), 0o644); err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	_, taken, _ := net.SplitHostPort(listener.Addr().String())
	file := filepath.Join(dir, "test.conf")
	used := filepath.Join(dir, "used")
	lockCluster(t, used)
	replace := strings.NewReplacer("{taken}", taken, "{full}", full, "{used}", used, "{file}", file)

	paths, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(paths) == 0 {
		t.Fatal("no cases", err)
	}
	for _, path := range paths {
		for _, c := range parseCommands(t, path, replace) {
			t.Run(c.at, func(t *testing.T) {
				text := strings.Join(c.file, "\n") + "\n"
				if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
				c.check(t)
			})
		}
	}
}

// lockCluster makes a folder that package pgcluster takes for one in use.
func lockCluster(t *testing.T, dir string) {
	t.Helper()
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	mark, err := os.Create(filepath.Join(dir, ".fastgrest-cluster"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { mark.Close() })
	if err := syscall.Flock(int(mark.Fd()), syscall.LOCK_EX); err != nil {
		t.Fatal(err)
	}
}

// TestExplainNotFound: without PostgreSQL the demo's error says how to get one, and the flag that names one.
func TestExplainNotFound(t *testing.T) {
	missing := &pgcluster.Error{Doing: "find PostgreSQL", Err: pgcluster.ErrNotFound, Hint: "install it"}
	const want = "cannot find PostgreSQL: no PostgreSQL server programs found (install it; or name the folder of the programs with --demo-pg-bin)"
	if got := explain(missing).Error(); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func (c *command) check(t *testing.T) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	began := time.Now()
	exit := run(t.Context(), c.args, c.env, &stdout, &stderr)
	if exit != c.exit {
		t.Errorf("%s: exit code %d, want %d", c.line, exit, c.exit)
	}
	if c.output != nil && stdout.String() != strings.Join(c.output, "\n")+"\n" {
		t.Errorf("%s: standard output is\n%s\nwant\n%s", c.line, stdout.String(), strings.Join(c.output, "\n"))
	}
	for _, want := range c.outputHas {
		if !want.MatchString(stdout.String()) {
			t.Errorf("%s: standard output is\n%s\nwant a match of %s", c.line, stdout.String(), want)
		}
	}
	said := strings.TrimSuffix(stderr.String(), "\n")
	for _, want := range c.errHas {
		if !want.MatchString(said) {
			t.Errorf("%s: standard error is\n%s\nwant a match of %s", c.line, said, want)
		}
	}
	if c.errHas == nil && said != "" {
		t.Errorf("%s: unexpected on standard error: %s", c.line, said)
	}
	if took := time.Since(began); took > 2*time.Minute {
		t.Errorf("%s took %s", c.line, took)
	}
}
