package planner

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/fastgrest/fastgrest/parser"
	"github.com/fastgrest/fastgrest/planner/festival"
	"github.com/fastgrest/fastgrest/planner/sqlgen"
	"github.com/fastgrest/fastgrest/planner/tree"
)

var rewrite = flag.Bool("rewrite", false, "write what comes out to the golden files")

// TestGolden plans the requests in testdata/*.golden and compares the plans
// with the text below each request. It also prepares the statements on a server
// with the schema they were planned for.
func TestGolden(t *testing.T) {
	festival.Catalog(t)
	files, err := filepath.Glob("testdata/*.golden")
	if err != nil || len(files) == 0 {
		t.Fatal("no golden files", err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			g := readGolden(t, file)
			var out bytes.Buffer
			out.WriteString(g.head)
			conn := festival.Connect(t)
			for i := range g.cases {
				c := &g.cases[i]
				got := c.run(t, conn)
				fmt.Fprintf(&out, "\n%s%s\n%s", goldenTitle, c.name, c.request)
				out.WriteString(got)
				if got != c.want && !*rewrite {
					t.Errorf("%s:%d: %s\n%s", file, c.line, c.name, difference(c.want, got))
				}
			}
			if *rewrite && out.String() != g.text {
				if err := os.WriteFile(file, out.Bytes(), 0o644); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}

type goldenFile struct {
	head, text string
	cases      []goldenCase
}

// goldenCase is a request and the expected text. A line of the request is the
// method and target, "> Name: value" for a header, "= text" for a line of the
// body, or "@words" for a setting of the planner. "@refused code" means that
// PostgreSQL must refuse the statement.
type goldenCase struct {
	name, request, want string
	line                int
}

const (
	goldenTitle   = "## "
	goldenSection = "-- "
)

func readGolden(t *testing.T, file string) *goldenFile {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	g := &goldenFile{text: string(text)}
	var c *goldenCase
	lines := bufio.NewScanner(bytes.NewReader(text))
	lines.Buffer(nil, 1<<20)
	for n := 1; lines.Scan(); n++ {
		line := lines.Text()
		if name, ok := strings.CutPrefix(line, goldenTitle); ok {
			g.cases = append(g.cases, goldenCase{name: name, line: n})
			c = &g.cases[len(g.cases)-1]
			continue
		}
		switch {
		case c == nil:
			g.head += line + "\n"
		case c.want == "" && !strings.HasPrefix(line, goldenSection):
			if line != "" {
				c.request += line + "\n"
			}
		case line != "":
			c.want += line + "\n"
		}
	}
	g.head = strings.TrimRight(g.head, "\n") + "\n"
	return g
}

// run returns the text for the plan or the error of the request.
func (c *goldenCase) run(t *testing.T, conn *pgconn.PgConn) string {
	t.Helper()
	o := defaults
	var method, target, content, refused string
	var headers [][2]string
	for line := range strings.Lines(c.request) {
		line = strings.TrimSuffix(line, "\n")
		switch {
		case strings.HasPrefix(line, "> "):
			name, value, _ := strings.Cut(line[2:], ": ")
			headers = append(headers, [2]string{name, value})
		case strings.HasPrefix(line, "= "):
			content += line[2:] + "\n"
		case line == "@no aggregates":
			o.Aggregates = false
		case line == "@no legacy names":
			o.LegacyTargetNames = false
		case strings.HasPrefix(line, "@max rows "):
			o.MaxRows, _ = strconv.ParseInt(line[len("@max rows "):], 10, 64)
		case strings.HasPrefix(line, "@refused "):
			refused = line[len("@refused "):]
		case line == "@not ISO":
			o.NotISO = true
		default:
			method, target, _ = strings.Cut(line, " ")
		}
	}
	q := newQuery(t, method, target, headers, content)
	p := New(festival.Catalog(t), o)
	plan, err := q.plan(p)
	if err != nil {
		return goldenSection + "error\n" + describeError(err)
	}
	q.scribble()
	out := describePlan(plan)
	breakLines(t, plan.Main.SQL)
	checkStatement(t, c.name, conn, plan.Main, refused)
	for _, lead := range plan.Lead {
		checkStatement(t, c.name, conn, lead, "")
	}
	checkStatement(t, c.name, conn, plan.Estimate, "")
	checkStatement(t, c.name, conn, sqlgen.Statement{SQL: plan.Settings}, "")
	if plan.Rows && refused == "" {
		form := Prepare(plan, festival.Catalog(t), festival.Fields(t, conn, plan.Main.SQL), false)
		if sql := form.SQL; sql != plan.Main.SQL {
			out += goldenSection + "converted\n" + breakLines(t, withoutOIDs(sql))
			checkStatement(t, c.name, conn, sqlgen.Statement{SQL: sql}, "")
		}
		checkStatement(t, c.name, conn, *plan.Aggregated(), "")
	}
	if refused == "" && !plan.Explain {
		checkStatement(t, c.name, conn, *plan.Tallied(), "")
	}
	return out
}

func checkStatement(t *testing.T, name string, conn *pgconn.PgConn, s sqlgen.Statement, refused string) {
	t.Helper()
	if s.SQL == "" {
		return
	}
	d, err := conn.Prepare(context.Background(), "", s.SQL, nil)
	var e *pgconn.PgError
	switch {
	case refused != "":
		if !errors.As(err, &e) || e.Code != refused {
			t.Errorf("%s: prepared with %v, want error %s", name, err, refused)
		}
	case err != nil:
		t.Errorf("%s: %v\n%s", name, err, s.SQL)
	case s.Args != nil && len(d.ParamOIDs) != len(s.Args):
		t.Errorf("%s: the server found %d parameters, %d are bound", name, len(d.ParamOIDs), len(s.Args))
	}
}

func describePlan(p *Plan) string {
	var b strings.Builder
	section := func(name, text string) {
		if text != "" {
			b.WriteString(goldenSection + name + "\n" + text)
		}
	}
	var resolved treePrinter
	if p.write != nil {
		resolved.write(p.write)
	}
	for _, write := range p.writes {
		resolved.write(write)
	}
	if p.call != nil {
		resolved.call(p.call)
	}
	if !p.Tagged && !p.Located {
		resolved.node(p.root)
	}
	section("tree", resolved.String())
	section("plan", planFacts(p))
	section("settings", unlessEmpty(p.Settings))
	for i := range p.Lead {
		section("before it, at "+cmp.Or(p.places[i], "/"), mustBreak(withoutOIDs(p.Lead[i].SQL)))
	}
	section("sql", mustBreak(withoutOIDs(p.Main.SQL)))
	section("arguments", describeArgs(&p.Main))
	section("estimate", mustBreak(withoutOIDs(p.Estimate.SQL)))
	section("arguments of the estimate", describeArgs(&p.Estimate))
	return b.String()
}

func unlessEmpty(s string) string {
	if s == "" {
		return ""
	}
	return s + "\n"
}

// planFacts lists the properties of a plan. A property with its usual value is
// left out.
func planFacts(p *Plan) string {
	words := []string{p.Media.String()}
	for _, fact := range []struct {
		is   bool
		word string
	}{
		{p.Rows, "rows"}, {!p.Rows && !p.Tagged, "value"}, {p.Tagged, "tag"}, {p.Located, "located"}, {p.Explain, "explained"},
		{p.Singular, "singular"}, {p.ReadOnly, "read only"}, {p.UserCode, "user code"}, {p.PerRole, "per role"},
		{p.One, "one"}, {p.Scalar, "scalar"}, {p.Void, "void"}, {p.Merge, "merge"}, {p.Isolation != "", p.Isolation},
		{p.Total.Count == sqlgen.CountPage, "total is the page's"}, {p.Total.Count == sqlgen.CountExact, "total"},
		{p.Total.Count == sqlgen.CountAtMost, "total up to " + strconv.FormatInt(p.Total.AtMost, 10)},
	} {
		if fact.is {
			words = append(words, fact.word)
		}
	}
	for _, l := range p.LegacyNames {
		words = append(words, "legacy name "+l.Name+" of "+l.Alias)
	}
	return strings.Join(words, ", ") + "\n"
}

func describeArgs(s *sqlgen.Statement) string {
	if len(s.Args) == 0 {
		return ""
	}
	words := make([]string, len(s.Args))
	for i, a := range s.Args {
		text := ""
		switch a.Kind {
		case sqlgen.ArgValue:
			text = "value " + strconv.Itoa(int(a.Index))
		case sqlgen.ArgLimit:
			text = "rows of " + describeRange(a.Index)
		case sqlgen.ArgOffset:
			text = "offset of " + describeRange(a.Index)
		case sqlgen.ArgBody:
			text = "payload"
		case sqlgen.ArgCall:
			text = "argument " + s.Names[a.Index]
		case sqlgen.ArgVariadic:
			text = "all arguments " + s.Names[a.Index]
		}
		words[i] = fmt.Sprintf("$%d %s", i+1, text)
	}
	return strings.Join(words, ", ") + "\n"
}

func describeRange(i int32) string {
	if i == tree.TopRange {
		return "top range"
	}
	return "range " + strconv.Itoa(int(i))
}

var errorKinds = [...]string{
	TableNotFound: "TableNotFound", ColumnNotFound: "ColumnNotFound", NoRelationship: "NoRelationship",
	AmbiguousEmbed: "AmbiguousEmbed", NotEmbedded: "NotEmbedded", RelatedOrderNotToOne: "RelatedOrderNotToOne",
	AggregatesDisabled: "AggregatesDisabled", NotImplemented: "NotImplemented", NotAcceptable: "NotAcceptable",
	InvalidPreferences: "InvalidPreferences", InvalidPutFilters: "InvalidPutFilters", RoutineNotFound: "RoutineNotFound",
	AmbiguousRoutine: "AmbiguousRoutine", MaxAffectedOnSingle: "MaxAffectedOnSingle", DistinctOrder: "DistinctOrder",
	DistinctUnselected: "DistinctUnselected", BulkKeyMissing: "BulkKeyMissing", NoBulkKey: "NoBulkKey", NoSuchUnique: "NoSuchUnique",
	AmbiguousUnique: "AmbiguousUnique", UniqueUnfit: "UniqueUnfit",
}

// describeError returns an error's kind and every field that is set.
func describeError(err error) string {
	var syntax *parser.Error
	if errors.As(err, &syntax) {
		return "refused: " + syntax.Error() + "\n"
	}
	var e *Error
	if !errors.As(err, &e) {
		return err.Error() + "\n"
	}
	out := errorKinds[e.Kind]
	field := func(name, value string) {
		if value != "" {
			out += ", " + name + " " + strconv.Quote(value)
		}
	}
	field("schema", e.Schema)
	field("name", e.Name)
	field("parent", e.Parent)
	field("place", e.Place)
	if e.HasEmbedHint {
		out += ", hint " + strconv.Quote(e.EmbedHint)
	}
	if e.IsLegacy {
		out += fmt.Sprintf(", legacy name %q of %q", e.LegacyName, e.LegacyAlias)
	}
	field("details", e.Details)
	field("suggestion", e.Suggestion)
	field("accepted", strings.Join(e.Accepted, ", "))
	field("arguments", strings.Join(e.Arguments, ", "))
	field("uniques", strings.Join(e.Uniques, ", "))
	field("unnamed", e.Unnamed)
	if e.OnlyUnnamed {
		out += ", only unnamed"
	}
	for _, r := range e.Relationships {
		out += "\n  " + r.Table.Name + " to " + r.Foreign.Name + " by " + r.Constraint + r.Function.Name
		if r.Junction != nil {
			out += " junction " + r.Junction.Table.Name
		}
	}
	for _, r := range e.Routines {
		out += "\n  " + r.Name + "("
		for i, param := range r.Params {
			if i > 0 {
				out += ", "
			}
			out += param.Name + " " + param.Type
		}
		out += ")"
	}
	return out + "\n"
}

// withoutOIDs replaces OIDs, which differ between databases.
func withoutOIDs(sql string) string { return oidConstant.ReplaceAllString(sql, "'N'::pg_catalog.oid") }

var oidConstant = regexp.MustCompile(`'\d+'::pg_catalog\.oid`)

// lineWords are the words that begin a line in golden files.
var lineWords = []string{
	"FROM", "LEFT JOIN", "INNER JOIN", "WHERE", "GROUP BY", "HAVING", "ORDER BY", "LIMIT", "OFFSET", "RETURNING", "ON CONFLICT", "SELECT",
}

// breakLines breaks SQL into lines at some of its blanks. It indents each line
// by the number of open parentheses.
func breakLines(t *testing.T, sql string) string {
	t.Helper()
	out := mustBreak(sql)
	var joined []string
	for line := range strings.Lines(out) {
		joined = append(joined, strings.TrimSpace(line))
	}
	if strings.Join(joined, " ") != sql {
		t.Fatalf("the lines of the golden file are not those of the statement:\n%s\n%s", sql, out)
	}
	return out
}

func mustBreak(sql string) string {
	if sql == "" {
		return ""
	}
	var b strings.Builder
	depth, quote := 0, byte(0)
	for i := 0; i < len(sql); i++ {
		c := sql[i]
		switch {
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '\'' || c == '"':
			quote = c
		case c == '(':
			depth++
		case c == ')':
			depth--
		case c == ' ' && slices.ContainsFunc(lineWords, func(w string) bool { return strings.HasPrefix(sql[i+1:], w+" ") }):
			b.WriteString("\n" + strings.Repeat("  ", depth))
			continue
		}
		b.WriteByte(c)
	}
	return b.String() + "\n"
}

// difference returns both texts from the first line that differs.
func difference(want, got string) string {
	a, b := strings.SplitAfter(want, "\n"), strings.SplitAfter(got, "\n")
	i := 0
	for i < len(a) && i < len(b) && a[i] == b[i] {
		i++
	}
	return "want\n" + strings.Join(a[i:], "") + "got\n" + strings.Join(b[i:], "")
}
