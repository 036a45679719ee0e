package pgcluster

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// MinMajor is the oldest major version that Find accepts.
const MinMajor = 14

// ErrNotFound is wrapped by Find's error when the machine has no PostgreSQL.
var ErrNotFound = errors.New("no PostgreSQL server programs found")

// Programs is a folder with initdb and postgres in it.
type Programs struct {
	Dir   string
	Major int
}

// places lists the folders that packages use; .ci/pg-bin has the same list. Matches of a pattern are
// tried from the highest version down.
var places = []string{
	"/usr/lib/postgresql/*/bin", // Debian, Ubuntu
	"/usr/pgsql-*/bin",          // RPMs of the PostgreSQL project
	"/usr/lib64/pgsql/bin",      // SUSE
	"/usr/libexec/postgresql*",  // Alpine
	"/usr/local/pgsql/bin",      // built from source
	"/opt/homebrew/opt/postgresql@*/bin",
	"/usr/local/opt/postgresql@*/bin",
	"/home/linuxbrew/.linuxbrew/opt/postgresql@*/bin",
	"/Applications/Postgres.app/Contents/Versions/*/bin",
}

// Find looks for server programs in dir. If dir is empty, it looks along PATH, in the folder that
// pg_config prints, and in the folders that packages use.
func Find(dir string) (Programs, error) {
	if dir != "" {
		p, err := inspect(dir)
		if err != nil {
			return Programs{}, &Error{Doing: "use the PostgreSQL programs in " + dir, Err: err}
		}
		return p, nil
	}
	var tooOld error
	for _, dir := range candidates() {
		p, err := inspect(dir)
		if err == nil {
			return p, nil
		}
		if errors.As(err, new(oldError)) {
			tooOld = err
		}
	}
	e := &Error{Doing: "find PostgreSQL", Err: ErrNotFound, Hint: installHint}
	if tooOld != nil {
		e.Err = fmt.Errorf("%w: %w", ErrNotFound, tooOld)
	}
	return Programs{}, e
}

const installHint = "install it: apt-get install postgresql, dnf install postgresql-server, " +
	"apk add postgresql, or brew install postgresql@17"

func candidates() []string {
	var dirs []string
	if path, err := exec.LookPath("initdb"); err == nil {
		// A link in /usr/local/bin leads to the folder with the other programs.
		if real, err := filepath.EvalSymlinks(path); err == nil {
			path = real
		}
		dirs = append(dirs, filepath.Dir(path))
	}
	if out, err := exec.Command("pg_config", "--bindir").Output(); err == nil {
		dirs = append(dirs, strings.TrimSpace(string(out)))
	}
	for _, pattern := range places {
		found, _ := filepath.Glob(pattern)
		slices.SortFunc(found, func(a, b string) int { return versionIn(b) - versionIn(a) })
		dirs = append(dirs, found...)
	}
	return dirs
}

// versionIn is the last number in a path, by which folders of one pattern differ.
func versionIn(path string) int {
	digit := func(r rune) bool { return r < '0' || r > '9' }
	numbers := strings.FieldsFunc(path, digit)
	if len(numbers) == 0 {
		return 0
	}
	n, _ := strconv.Atoi(numbers[len(numbers)-1])
	return n
}

type oldError int

func (e oldError) Error() string {
	return fmt.Sprintf("version %d is too old, %d or newer is needed", int(e), MinMajor)
}

func inspect(dir string) (Programs, error) {
	for _, name := range []string{"initdb", "postgres"} {
		info, err := os.Stat(filepath.Join(dir, name))
		if err != nil {
			return Programs{}, err
		}
		if info.IsDir() || info.Mode()&0o111 == 0 {
			return Programs{}, fmt.Errorf("%s is not a program", filepath.Join(dir, name))
		}
	}
	out, err := exec.Command(filepath.Join(dir, "postgres"), "--version").Output()
	if err != nil {
		return Programs{}, err
	}
	major := majorOf(string(out))
	switch {
	case major == 0:
		return Programs{}, fmt.Errorf("not a PostgreSQL version: %q", strings.TrimSpace(string(out)))
	case major < MinMajor:
		return Programs{}, oldError(major)
	}
	return Programs{Dir: dir, Major: major}, nil
}

// majorOf reads what postgres --version prints, "postgres (PostgreSQL) 17.5 (Debian 17.5-1)"
// or "... 18beta1". Zero: something else.
func majorOf(text string) int {
	found := versionText.FindStringSubmatch(text)
	if found == nil {
		return 0
	}
	n, _ := strconv.Atoi(found[1])
	return n
}

var versionText = regexp.MustCompile(`\(PostgreSQL\) (\d+)`)
