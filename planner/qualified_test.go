package planner

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/fastgrest/fastgrest/planner/catalog"
	"github.com/fastgrest/fastgrest/planner/festival"
	"github.com/fastgrest/fastgrest/planner/sqlgen"
)

// token is a constant, a quoted name, a word, or any other character.
var token = regexp.MustCompile(`(?s)E?'(?:\\.|''|[^'\\])*'|"(?:[^"]|"")*"|[\pL_][\pL\d_$]*|\S`)

// notCalls has the words that may stand before a parenthesis without a schema.
// They belong to PostgreSQL's grammar, so a function on the search path cannot
// take their place.
var notCalls = strings.Fields(`ALL AND ANY ARRAY AS CASE CAST COALESCE CONFLICT DISTINCT EXISTS EXPLAIN FROM IN JOIN LATERAL NOT NULLIF ON
	OPERATOR OR ROW SELECT THEN VALUES WHEN WHERE
	bit char character decimal int interval numeric time timestamp varbit varchar varying`)

// byPath has the names that are looked up on the search path, as in PostgREST.
// Clients use them with types of their own, and see their names in errors.
var byPath = strings.Fields(`SUM AVG MAX MIN to_tsvector ST_AsGeoJSON`)

// unqualified returns the functions that sql calls without naming their schema.
func unqualified(sql string) (found []string) {
	tokens := token.FindAllString(sql, -1)
	for i := 1; i < len(tokens); i++ {
		name := tokens[i-1]
		if tokens[i] != "(" || !isName(name) || slices.Contains(notCalls, name) || slices.Contains(byPath, name) {
			continue
		}
		if before := tokens[max(i-2, 0)]; before != "." && before != "AS" {
			found = append(found, name)
		}
	}
	return found
}

func isName(token string) bool {
	first, _ := utf8.DecodeRuneInString(token)
	return first == '"' || first == '_' || unicode.IsLetter(first)
}

func TestUnqualified(t *testing.T) {
	for sql, want := range map[string]string{
		`SELECT now()`:                            "now",
		`SELECT pg_catalog.now(), "a"."b" (1)`:    "",
		`SELECT ("a"), COALESCE(x, 'f(1)', "f(")`: "",
		`SELECT COALESCE(lower('a'), "Up"(1))`:    `lower "Up"`,
		`FROM a.f() AS x("y" numeric(2))`:         "",
		`SELECT 'it''s', E'\'', f(1)`:             "f",
		`SELECT coalesce(1)`:                      "coalesce", // keywords are in capitals
	} {
		if got := strings.Join(unqualified(sql), " "); got != want {
			t.Errorf("%s: %q, want %q", sql, got, want)
		}
	}
}

// TestFunctionsHaveSchemas checks every statement for the requests of the
// corpus. A function without a schema could be replaced by any role that may
// create a better match in a schema of the search path.
func TestFunctionsHaveSchemas(t *testing.T) {
	cat := festival.Catalog(t)
	defaultsOfColumns := strings.NewReplacer(allDefaults(cat)...)
	seen := map[string]bool{}
	check := func(sql string) {
		if seen[sql] {
			return
		}
		seen[sql] = true
		sql = defaultsOfColumns.Replace(sql)
		for _, name := range unqualified(sql) {
			if !seen[name] {
				t.Errorf("%s has no schema in %s", name, sql)
			}
			seen[name] = true
		}
	}
	o := defaults
	o.ExecutionPlans = true
	p := New(cat, o)
	for _, q := range requests(t) {
		plan, err := q.plan(p)
		if err != nil {
			continue
		}
		check(plan.Main.SQL)
		check(plan.Estimate.SQL)
		check(plan.Settings)
		if plan.Rows {
			check(plan.Aggregated().SQL)
			check(plan.Tallied().SQL)
			check(plan.Convert(&sqlgen.Columns{Names: []string{"a", "b"}, ToJSON: []bool{true, false}}, plan.Records).SQL)
		}
	}
	check(sqlgen.SettingsStatement(sqlgen.Settings{ReadOnly: true, SearchPath: []string{"a"}, Role: []catalog.Setting{{Name: "a", Value: "b"}}, Timezone: true, App: []string{"x"}}).SQL)
	check(sqlgen.PreRequest(catalog.QI{Schema: "a", Name: "b"}))
	for _, sql := range append(sqlgen.TakeStatements[:], sqlgen.ResponseSettings, sqlgen.AllPassed, sqlgen.ResetSettings) {
		check(sql)
	}
	check(sqlgen.SessionDefaults)
	check(sqlgen.SchemaComment)
	check(sqlgen.AccessibleRelations)
	check(sqlgen.AccessibleRoutines)
	for _, name := range byPath {
		if !seenInSource(t, name) {
			t.Errorf("%s is not called", name)
		}
	}
}

// allDefaults returns the default of each column, paired with "" as its
// replacement. Defaults are SQL of the database.
func allDefaults(cat *catalog.Catalog) (pairs []string) {
	var texts []string
	for _, table := range cat.Tables {
		for _, c := range table.Columns {
			if strings.Contains(c.Default, "(") {
				texts = append(texts, c.Default)
			}
		}
	}
	slices.SortFunc(texts, func(a, b string) int { return len(b) - len(a) })
	for _, text := range texts {
		pairs = append(pairs, text, "NULL")
	}
	return pairs
}

func seenInSource(t *testing.T, name string) bool {
	t.Helper()
	files, _ := filepath.Glob("sqlgen/*.go")
	return slices.ContainsFunc(files, func(file string) bool {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		return strings.Contains(string(text), name)
	})
}
