package pagetest

import (
	"encoding/json"
	"net/url"
	"os"
	"strings"
	"testing"

	"github.com/fastgrest/fastgrest/pgwire/pgtest"
	"github.com/fastgrest/fastgrest/server/servertest"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

// long asks for the long form of a test.
var long = os.Getenv("PAGETEST_LONG") != ""

// start starts a server over a database with the schema, and returns a connection to it.
func start(t *testing.T, schema string, settings ...string) (*servertest.Server, *pgtest.Conn) {
	t.Helper()
	cluster := pgtest.Start(t)
	db := cluster.NewDB(t)
	cluster.Exec(t, db, schema)
	flags := map[string]string{"db-uri": cluster.URI(db, "postgres")}
	for i := 0; i < len(settings); i += 2 {
		flags[settings[i]] = settings[i+1]
	}
	return servertest.Start(t, flags), cluster.Connect(t, db)
}

var paging = []string{"Prefer", "page=cursor"}

// next returns the target of the link to the next page, "" without one.
func next(t *testing.T, target string, r servertest.Response) string {
	t.Helper()
	link := r.Header.Get("Link")
	if link == "" {
		return ""
	}
	inside, ended := strings.CutSuffix(link, `>; rel="next"`)
	inside, begun := strings.CutPrefix(inside, "<")
	if !begun || !ended {
		t.Fatalf("the link of %s is %q", target, link)
	}
	base, err := url.Parse("http://api" + target)
	if err != nil {
		t.Fatal(err)
	}
	to, err := base.Parse(inside)
	if err != nil {
		t.Fatal(err)
	}
	return to.RequestURI()
}

// walk follows the links from a target, and returns the values of id in each page.
func walk(t *testing.T, s *servertest.Server, target string, headers ...string) (pages [][]int) {
	t.Helper()
	headers = append(headers, paging...)
	for target != "" {
		r := s.Do("GET", target, "", headers...)
		if r.Status != 200 && r.Status != 206 || r.Header.Get("Preference-Applied") != "page=cursor" {
			t.Fatalf("%s: %s %v", target, r, r.Header)
		}
		var rows []struct{ ID int }
		if err := json.Unmarshal([]byte(r.Body), &rows); err != nil {
			t.Fatal(err)
		}
		page := make([]int, len(rows))
		for i, row := range rows {
			page[i] = row.ID
		}
		pages = append(pages, page)
		target = next(t, target, r)
	}
	return pages
}
