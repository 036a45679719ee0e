package openapi

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/fastgrest/fastgrest/pgwire"
	"github.com/fastgrest/fastgrest/pgwire/pgtest"
	"github.com/fastgrest/fastgrest/planner/catalog"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

var rewrite = flag.Bool("rewrite", false, "write golden files instead of comparing with them; then read the diff")

// load reads the catalog of a database that is created from an SQL file.
func load(tb testing.TB, file string, schemas ...string) *catalog.Catalog {
	tb.Helper()
	cluster := pgtest.Start(tb)
	db := cluster.NewDB(tb)
	cluster.LoadSQL(tb, db, file)
	cfg, err := pgwire.ParseConfig(cluster.URI(db, pgtest.Superuser))
	if err != nil {
		tb.Fatal(err)
	}
	ctx := context.Background()
	conn, err := pgwire.Connect(ctx, cfg)
	if err != nil {
		tb.Fatal(err)
	}
	defer conn.Close()
	if err := conn.Exec(ctx, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"); err != nil {
		tb.Fatal(err)
	}
	cat, err := catalog.Load(ctx, conn.Query, catalog.Options{Schemas: schemas})
	if err != nil {
		tb.Fatal(err)
	}
	return cat
}

var festival struct {
	sync.Once
	cat *catalog.Catalog
}

// loadFestival reads the schema of the conformance corpus. The file creates
// roles, so a cluster can have it only once.
func loadFestival(tb testing.TB) *catalog.Catalog {
	tb.Helper()
	festival.Do(func() {
		festival.cat = load(tb, filepath.Join("..", "spectest", "testdata", "corpus", "schema.sql"), "api", "api_v2")
	})
	if festival.cat == nil {
		tb.Fatal("the schema could not be read")
	}
	return festival.cat
}

var testSettings = Settings{Version: "test", Host: "127.0.0.1", Port: 3000, SecurityActive: true}

// everything renders a schema for a role with all privileges.
func everything(cat *catalog.Catalog, schema, comment string) []byte {
	a := &Access{Everything: true}
	a.Add(Comment, [][]byte{[]byte(comment)})
	return a.Document(schema, cat, testSettings).Append(nil)
}

// TestGolden pins every byte of two documents. The conformance corpus compares
// the documents with PostgREST's, but ignores the order.
func TestGolden(t *testing.T) {
	cat := loadFestival(t)
	for _, schema := range []string{"api", "api_v2"} {
		got := everything(cat, schema, "Aurora Festival API\n\nProgramme, venues and box office.")
		if !json.Valid(got) {
			t.Fatalf("%s: not JSON", schema)
		}
		if again := everything(cat, schema, "Aurora Festival API\n\nProgramme, venues and box office."); !bytes.Equal(got, again) {
			t.Errorf("%s: rendered twice, the document differs", schema)
		}
		golden(t, schema+".json", readable(got))
	}
}

// readable splits a document into one line per path, definition and parameter.
func readable(doc []byte) []byte {
	var out []byte
	depth, start := 0, 0
	inString := false
	for i := 0; i < len(doc); i++ {
		switch c := doc[i]; {
		case inString && c == '\\':
			i++
		case c == '"':
			inString = !inString
		case inString:
		case c == '{', c == '[':
			depth++
		case c == '}', c == ']':
			depth--
		case c == ',' && depth <= 2:
			out = append(append(out, doc[start:i+1]...), '\n')
			start = i + 1
		}
	}
	return append(append(out, doc[start:]...), '\n')
}

func golden(t *testing.T, file string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", file)
	if *rewrite {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	gotLines, wantLines := strings.Split(string(got), "\n"), strings.Split(string(want), "\n")
	for i := range max(len(gotLines), len(wantLines)) {
		var g, w string
		if i < len(gotLines) {
			g = gotLines[i]
		}
		if i < len(wantLines) {
			w = wantLines[i]
		}
		if g != w {
			t.Fatalf("%s, line %d:\n got %s\nwant %s", file, i+1, g, w)
		}
	}
}
