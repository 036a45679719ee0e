package server_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"go/parser"
	"go/token"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/fastgrest/fastgrest"

// layer has the imports a package may have besides the standard library and its
// internal/ packages, and the reason.
type layer struct {
	path    string
	why     string
	imports []string // of our module, and of others by their full path or a prefix with /...
	tests   []string // further, in tests
}

// Packages a test may use anywhere: a database, one that fails, a running server, and help with comparing.
var inTests = []string{"pgwire/pgtest", "server/auth/authtest", "server/faulttest", "server/servertest", "github.com/google/go-cmp/...", "github.com/jackc/pgx/v5/..."}

// layers is the architecture: a request goes from server to parser, planner and
// pgwire and back, and imports point one way. A new package takes a line here.
// Before adding an import, try a function value or a small interface passed down
// by the importing side.
var layers = []layer{
	{path: "parser", why: "reads text and knows no catalog, no SQL and no I/O", imports: []string{"parser/explain", "parser/jsontext", "parser/percent", "github.com/zeebo/xxh3"}},
	{path: "parser/explain", why: "shared by the grammars only"},
	{path: "parser/header", why: "reads header values, each by itself", imports: []string{"parser"}},
	{path: "parser/body", why: "reads payloads, each by itself", imports: []string{"parser/jsontext", "parser/percent"}},
	{path: "parser/jsontext", why: "turns bytes into bytes"},
	{path: "parser/percent", why: "turns bytes into bytes", imports: []string{"parser/jsontext"}},

	{path: "planner/catalog", why: "is filled through a function that runs queries, so that it needs no driver",
		imports: []string{"planner/catalog/purity", "parser/jsontext"}},
	{path: "planner/catalog/purity", why: "is given the source of functions and what uses what"},
	{path: "planner/fuzzy", why: "is arithmetic on texts"},
	{path: "planner/tree", why: "is what the planner builds and sqlgen prints, so that these two need not meet",
		imports: []string{"planner/catalog", "parser", "parser/header"}},
	{path: "planner/sqlgen", why: "turns a tree into text and decides nothing",
		imports: []string{"planner/tree", "planner/catalog", "parser", "parser/header"}},
	{path: "planner", why: "decides, and touches neither HTTP nor a connection",
		imports: []string{"planner/catalog", "planner/fuzzy", "planner/sqlgen", "planner/tree", "parser", "parser/body", "parser/header"},
		tests:   []string{"planner/festival", "server/exec", "pgwire", "pgwire/rowjson"}},
	{path: "planner/festival", why: "is the fixture of the recorded responses, for tests", imports: []string{"planner/catalog", "pgwire/pgtest", "github.com/jackc/pgx/v5/pgconn"}},

	{path: "pgwire/backoff", why: "is arithmetic on durations"},
	{path: "pgwire/socket", why: "reads and writes bytes, whatever they mean"},
	{path: "pgwire", why: "speaks the protocol and knows nothing of requests or plans", imports: []string{"pgwire/socket", "github.com/jackc/pgx/v5/..."}},
	{path: "pgwire/pool", why: "hands out connections", imports: []string{"pgwire", "pgwire/backoff"}},
	{path: "pgwire/listen", why: "waits for notifications", imports: []string{"pgwire", "pgwire/backoff", "github.com/jackc/pgx/v5/..."}},
	{path: "pgwire/rowjson", why: "turns bytes into bytes"},
	{path: "pgwire/pgcluster", why: "runs a private PostgreSQL for the demo and for tests", imports: []string{"github.com/jackc/pgx/v5/..."}},
	{path: "pgwire/pgtest", why: "is pgcluster for tests", imports: []string{"pgwire/pgcluster", "github.com/jackc/pgx/v5/..."}},

	{path: "server/admin", why: "asks the server through an interface of its own", imports: []string{"parser/percent", "github.com/valyala/fasthttp"},
		tests: []string{"github.com/valyala/fasthttp/..."}},
	{path: "server/auth", why: "identifies, given a header and a time", imports: []string{"parser/jsontext", "github.com/pascaldekloe/jwt", "github.com/theory/jsonpath/..."}},
	{path: "server/auth/authtest", why: "signs tokens for tests"},
	{path: "server/batch", why: "reads the envelope and the references, and not what parts mean", imports: []string{"parser/jsontext", "parser/percent"}},
	{path: "server/clients", why: "knows HTTP, sockets and fasthttp, and not what requests mean",
		imports: []string{"pgwire/socket", "server/spool", "github.com/valyala/fasthttp", "github.com/valyala/bytebufferpool", "golang.org/x/sys/unix"},
		tests:   []string{"github.com/valyala/fasthttp/..."}},
	{path: "server/clustertest", why: "is tests of the server over several PostgreSQL processes", tests: []string{"server", "server/config", "server/exec"}},
	{path: "server/config", why: "checks its values as auth reads them, and asks the database through a function",
		imports: []string{"server/auth", "parser/jsontext", "planner/fuzzy", "github.com/spf13/pflag"}},
	{path: "server/cookies", why: "turns bytes into bytes", imports: []string{"parser/jsontext"}},
	{path: "server/cursor", why: "turns values into tokens and back, and knows no plan"},
	{path: "server/pagetest", why: "is tests of pages with cursors, from outside"},
	{path: "server/cors", why: "decides on header values alone"},
	{path: "server/exec", why: "runs plans, and knows neither HTTP nor what else a client has sent",
		imports: []string{
			"parser", "parser/body", "parser/jsontext", "planner", "planner/catalog", "planner/sqlgen", "planner/tree",
			"pgwire", "pgwire/pool", "pgwire/rowjson", "server/config", "server/cursor", "server/oplog", "server/spool", "github.com/jackc/pgx/v5/pgproto3",
		},
		tests: []string{"parser/header", "planner/festival"}},
	{path: "server/faulttest", why: "stands between the server and PostgreSQL, and knows the protocol only",
		tests: []string{"server", "server/config", "server/exec"}},
	{path: "server/issuertest", why: "is tests of the server with providers in other processes", tests: []string{"server/auth", "server/keysets", "github.com/pascaldekloe/jwt"}},
	{path: "server/keysets", why: "fetches, and knows nothing about tokens", imports: []string{"server/auth", "pgwire/backoff", "github.com/coreos/go-oidc/v3/oidc"}},
	{path: "server/life", why: "hears wishes and has them served through functions; it knows nothing about HTTP, plans or tokens",
		imports: []string{"pgwire", "pgwire/backoff", "pgwire/listen"}},
	{path: "server/nodes", why: "knows databases and their states, and nothing of requests and plans", imports: []string{"pgwire", "pgwire/pool"}},
	{path: "server/metrics", why: "asks for figures through functions", imports: []string{"parser/jsontext", "github.com/prometheus/client_golang/...", "github.com/prometheus/common/expfmt"}},
	{path: "server/openapi", why: "describes what the catalog has, and is sent by others", imports: []string{"planner/catalog", "parser/jsontext"},
		tests: []string{"pgwire", "github.com/go-openapi/..."}},
	{path: "server/simtest", why: "stands in for the handlers of package server, around which everything else is simulated",
		tests: []string{"parser", "parser/header", "parser/body", "planner", "planner/catalog", "planner/sqlgen", "pgwire", "pgwire/pool",
			"server/auth", "server/config", "server/exec", "server/oplog", "server/spool", "github.com/jackc/pgx/v5/pgproto3", "github.com/anishathalye/porcupine"}},
	{path: "server/uitest", why: "sees the program through a browser only", tests: []string{"github.com/chromedp/..."}},
	{path: "server/oplog", why: "every package may import it, so it imports as little as possible", imports: []string{"parser/jsontext"}},
	{path: "server/servertest", why: "runs the server for tests that see it from outside", imports: []string{"pgwire/pgtest", "server", "server/auth/authtest", "server/config", "server/keysets"}},
	{path: "server/spool", why: "keeps bytes until a client has taken them", imports: []string{"golang.org/x/sys/unix"}},
	{path: "server/spectest", why: "tests the program from outside and must not see inside", imports: []string{"pgwire/pgtest", "github.com/jackc/pgx/v5/..."}},
	{path: "server", why: "is the only place that knows HTTP and all of the above",
		imports: []string{
			"parser", "parser/header", "parser/body", "parser/percent", "planner", "planner/catalog", "planner/sqlgen",
			"pgwire", "pgwire/pool", "pgwire/listen",
			"server/admin", "server/auth", "server/batch", "server/clients", "server/config", "server/cookies", "server/cors", "server/cursor", "server/exec", "server/keysets", "parser/jsontext", "server/life", "server/metrics", "server/nodes", "server/openapi", "server/oplog", "server/spool",
			"github.com/valyala/fasthttp/...", "github.com/fasthttp/router", "golang.org/x/sys/unix",
		}},

	{path: "cmd/fastgrest", why: "reads the command line and starts the server, or the demo",
		imports: []string{"cmd/fastgrest/check", "cmd/fastgrest/compare", "cmd/fastgrest/complete", "cmd/fastgrest/manual", "cmd/fastgrest/starter",
			"server", "server/config", "pgwire/pgcluster",
			"github.com/spf13/pflag", "github.com/pascaldekloe/jwt", "golang.org/x/sys/unix"},
		tests: []string{"server/clients", "go.yaml.in/yaml/v3"}},
	{path: "cmd/fastgrest/check", why: "asks the catalog by its own queries, so that it finds what the server does not look at",
		imports: []string{"server/config", "github.com/jackc/pgx/v5/pgconn"}},
	{path: "cmd/fastgrest/compare", why: "sees both servers from outside",
		imports: []string{"github.com/spf13/pflag", "github.com/pascaldekloe/jwt"}},
	{path: "cmd/fastgrest/complete", why: "turns a table into text"},
	{path: "cmd/fastgrest/manual", why: "is text, and knows neither terminals nor HTTP", imports: []string{"github.com/yuin/goldmark/..."}},
	{path: "cmd/fastgrest/starter", why: "prints two texts, and connects to nothing", imports: []string{"parser/jsontext", "planner/sqlgen"}},
	{path: "cmd/release", why: "knows the program as a command only, and has nothing of the server's",
		imports: []string{"github.com/goreleaser/nfpm/v2/...", "github.com/ulikunitz/xz", "github.com/CycloneDX/cyclonedx-go", "github.com/google/uuid"}},
	{path: "bench/classic", why: "is what others write, and has nothing of ours", imports: []string{"github.com/valyala/fasthttp", "github.com/jackc/pgx/v5/..."}},
	{path: "bench/delay", why: "passes bytes on, whatever they mean", imports: []string{"golang.org/x/sys/unix"}},
	{path: "bench/...", why: "measures the program and the server from outside",
		imports: []string{"bench/...", "server", "server/config", "pgwire/pgcluster", "github.com/spf13/pflag", "github.com/pascaldekloe/jwt", "github.com/jackc/pgx/v5/...",
			"github.com/tsenart/vegeta/v12/lib"},
		tests: []string{"server/auth"}},
}

// goPackage is the part of go list's output that the tests use.
type goPackage struct {
	ImportPath, Dir, Name              string
	Doc                                string
	GoFiles                            []string
	Imports, TestImports, XTestImports []string
}

// modules are the folders with a go.mod. Benchmarks, test tools and the builder of
// releases have separate modules, so that the server's list of dependencies stays short.
var modules = []string{".", "bench", "cmd/release", "server/simtest", "server/uitest"}

// packages asks the go command, which knows about build tags and generated files.
func packages(t *testing.T) (all []goPackage) {
	t.Helper()
	for _, dir := range modules {
		all = append(all, packagesOf(t, filepath.Join(root(t), dir))...)
	}
	return all
}

func packagesOf(t *testing.T, dir string) []goPackage {
	t.Helper()
	cmd := exec.Command("go", "list", "-json", "./...")
	cmd.Dir = dir
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var all []goPackage
	for dec := json.NewDecoder(bytes.NewReader(out)); ; {
		var p goPackage
		if err := dec.Decode(&p); err == io.EOF {
			return all
		} else if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
}

func root(t *testing.T) string {
	t.Helper()
	dir, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// matchPath reports whether a path is the pattern, or below one with /... at its end.
func matchPath(pattern, path string) bool {
	parent, below := strings.CutSuffix(pattern, "/...")
	return path == parent || below && strings.HasPrefix(path, parent+"/")
}

func matchAny(patterns []string, path string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool { return matchPath(p, path) })
}

// foreign reports whether an import is neither of the standard library nor ours.
func foreign(path string) bool {
	first, _, _ := strings.Cut(path, "/")
	return strings.Contains(first, ".")
}

func TestArchImports(t *testing.T) {
	seen := map[string]bool{}
	for _, p := range packages(t) {
		path := strings.TrimPrefix(strings.TrimPrefix(p.ImportPath, module), "/")
		if owner, _, internal := strings.Cut(path, "/internal/"); internal {
			checkInternal(t, p, owner)
			continue
		}
		i := slices.IndexFunc(layers, func(l layer) bool { return matchPath(l.path, path) })
		if i < 0 {
			t.Errorf("%s is not in the table of layers: say there what it may import, and why no more", path)
			continue
		}
		l := layers[i]
		seen[l.path] = true
		check := func(imports, allowed []string, where string) {
			for _, imported := range imports {
				name, ours := strings.CutPrefix(imported, module+"/")
				own := name == path || strings.HasPrefix(name, path+"/internal/")
				if !ours && !foreign(imported) || ours && own || matchAny(allowed, name) {
					continue
				}
				t.Errorf("%s may not import %s%s: %s %s", path, name, where, path, l.why)
			}
		}
		check(p.Imports, l.imports, "")
		inside := slices.Concat(l.imports, l.tests, inTests)
		check(p.TestImports, inside, " in tests")
		check(p.XTestImports, inside, " in tests")
	}
	for _, l := range layers {
		if !seen[l.path] {
			t.Errorf("%s is in the table of layers, but there is no such package", l.path)
		}
	}
}

// checkInternal limits packages below internal/ to the standard library, because
// they must not circumvent the table.
func checkInternal(t *testing.T, p goPackage, owner string) {
	t.Helper()
	for _, imported := range p.Imports {
		if foreign(imported) {
			t.Errorf("%s may not import %s: it is a tool of %s, and needs the standard library only", p.ImportPath, imported, owner)
		}
	}
}

// TestArchTestHelpers: packages for tests must not be linked into the program.
func TestArchTestHelpers(t *testing.T) {
	imports := map[string][]string{}
	for _, p := range packages(t) {
		imports[p.ImportPath] = p.Imports
	}
	seen := map[string]bool{}
	queue := []string{module + "/cmd/fastgrest"}
	for len(queue) > 0 {
		path := queue[0]
		queue = queue[1:]
		if seen[path] {
			continue
		}
		seen[path] = true
		if slices.Contains(imports[path], "testing") {
			t.Errorf("%s is part of the program, and imports testing", path)
		}
		for _, imported := range imports[path] {
			if strings.HasPrefix(imported, module) {
				queue = append(queue, imported)
			}
		}
	}
	if !seen[module+"/server"] {
		t.Error("the program does not contain the server: this test looks in the wrong place")
	}
}

func TestArchPackageComments(t *testing.T) {
	for _, p := range packages(t) {
		if p.Doc == "" && len(p.GoFiles) > 0 {
			t.Errorf("%s has no package comment: begin with its map, what it turns into what, who owns memory, which errors come out", p.ImportPath)
			continue
		}
		// go list joins the comments of all files; one of them should be the map.
		commented := 0
		for _, file := range p.GoFiles {
			f, err := parser.ParseFile(token.NewFileSet(), filepath.Join(p.Dir, file), nil, parser.PackageClauseOnly|parser.ParseComments)
			if err != nil {
				t.Error(err)
			} else if f.Doc != nil {
				commented++
			}
		}
		if commented > 1 {
			t.Errorf("%s has %d package comments: keep one", p.ImportPath, commented)
		}
	}
}

// tracked lists the files of the repository, or all files of a source archive
// without one.
func tracked(t *testing.T) []string {
	t.Helper()
	dir := root(t)
	cmd := exec.Command("git", "ls-files", "-z")
	cmd.Dir = dir
	if out, err := cmd.Output(); err == nil && len(out) > 0 {
		return strings.Split(strings.TrimSuffix(string(out), "\x00"), "\x00")
	}
	var files []string
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		name, err := filepath.Rel(dir, path)
		files = append(files, filepath.ToSlash(name))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func TestArchTopLevel(t *testing.T) {
	fixed := []string{"server", "parser", "planner", "pgwire", "bench", "cmd", "go.mod", "go.sum", "Makefile", "README.md", "LICENSE"}
	seen := map[string]bool{}
	for _, file := range tracked(t) {
		name, _, _ := strings.Cut(file, "/")
		if !seen[name] && !slices.Contains(fixed, name) && name[0] != '.' {
			t.Errorf("%s: the top level is fixed; put it below one of %s", name, strings.Join(fixed, ", "))
		}
		seen[name] = true
	}
}

var (
	// marks of unfinished work, split so that this file does not match
	unfinished = regexp.MustCompile(`\b(` + "TO" + "DO|FIX" + "ME|XX" + `X)\b`)
	// a folder of the machines this is written on
	machine = regexp.MustCompile(`(^|[^\w.])/` + "wo" + `rk/`)
)

func TestArchFinished(t *testing.T) {
	dir := root(t)
	for _, file := range tracked(t) {
		if filepath.Ext(file) != ".go" {
			continue
		}
		raw, err := os.ReadFile(filepath.Join(dir, file))
		if os.IsNotExist(err) {
			continue // deleted, but not yet committed
		}
		if err != nil {
			t.Error(err)
			continue
		}
		number := 0
		for line := range bytes.Lines(raw) {
			number++
			at := fmt.Sprintf("%s:%d", file, number)
			if m := unfinished.Find(line); m != nil {
				t.Errorf("%s: %s: finish it, or write an issue", at, m)
			}
			if m := machine.Find(line); m != nil {
				t.Errorf("%s: %q exists on one machine only", at, m)
			}
		}
	}
}
