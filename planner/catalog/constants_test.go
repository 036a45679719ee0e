package catalog

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/fastgrest/fastgrest/pgwire/pgtest"
)

// plainConstant matches a string constant without a prefix, a dollar-quoted one,
// and what may hide quotes: comments and quoted identifiers.
var plainConstant = regexp.MustCompile(`(?s)--[^\n]*|\$re\$.*?\$re\$|"[^"]*"|'(?:[^']|'')*'`)

// TestQueriesMeanTheSameEverywhere: with standard_conforming_strings off a
// backslash in a plain constant is an escape.
func TestQueriesMeanTheSameEverywhere(t *testing.T) {
	files, err := queries.ReadDir("queries")
	if err != nil || len(files) == 0 {
		t.Fatal(err)
	}
	for _, f := range files {
		text, err := queries.ReadFile("queries/" + f.Name())
		if err != nil {
			t.Fatal(err)
		}
		for _, constant := range plainConstant.FindAllString(string(text), -1) {
			if strings.HasPrefix(constant, "'") && strings.Contains(constant, `\`) {
				t.Errorf("%s: a backslash in %s", f.Name(), constant)
			}
		}
	}
}

// TestLoadWithoutConformingStrings: standard_conforming_strings changes nothing
// in the catalog.
func TestLoadWithoutConformingStrings(t *testing.T) {
	cluster := pgtest.Start(t)
	db := cluster.NewDB(t)
	cluster.Exec(t, db, `create schema s; create table s.t (id serial primary key, "a\b" text default E'\\');
		create function s.f() returns void language plpgsql as 'begin set my.who = 1; end'`)
	read := func() string {
		cat := load(t, db, pgtest.Superuser, Options{Schemas: []string{"s"}, HoistedTxSettings: defaultHoisted})
		return fmt.Sprint(string(cat.AppendJSON(nil)), cat.Routines[QI{"s", "f"}][0].Leftovers, cat.Tables[QI{"s", "t"}].WriteLeftovers)
	}
	on := read()
	cluster.Exec(t, db, "alter database "+db+" set standard_conforming_strings = off")
	if off := read(); on != off {
		t.Errorf("with conforming strings\n%s\nwithout\n%s", on, off)
	}
}
