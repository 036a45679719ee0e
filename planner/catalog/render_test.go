package catalog

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

var rewrite = flag.Bool("rewrite", false, "write golden files instead of comparing with them; then read the diff")

// golden compares with a file in testdata, line by line.
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
	gotLines, wantLines := strings.SplitAfter(string(got), "\n"), strings.SplitAfter(string(want), "\n")
	shown := 0
	for _, side := range []struct {
		mark       string
		ours, them []string
	}{{"-", wantLines, gotLines}, {"+", gotLines, wantLines}} {
		known := map[string]bool{}
		for _, line := range side.them {
			known[line] = true
		}
		for _, line := range side.ours {
			if !known[line] {
				if shown++; shown <= 40 {
					t.Errorf("%s %s", side.mark, strings.TrimSuffix(line, "\n"))
				}
			}
		}
	}
	if shown == 0 && !bytes.Equal(got, want) {
		t.Errorf("%s: same lines in another order", file)
	}
}

// lines lays a dump out with one entry per line.
func lines(t *testing.T, dump []byte) []byte {
	t.Helper()
	var parts map[string][]json.RawMessage
	if err := json.Unmarshal(dump, &parts); err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	b.WriteString("{")
	for i, name := range slices.Sorted(maps.Keys(parts)) {
		if i > 0 {
			b.WriteString(",")
		}
		fmt.Fprintf(&b, "\n%q: [", name)
		for k, entry := range parts[name] {
			if k > 0 {
				b.WriteString(",")
			}
			b.WriteString("\n")
			b.Write(entry)
		}
		b.WriteString("]")
	}
	b.WriteString("}\n")
	return b.Bytes()
}

// render is the catalog for human eyes.
func render(cat *Catalog) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s\n", cat.Summary())
	for _, qi := range slices.SortedFunc(maps.Keys(cat.Tables), QI.compare) {
		renderTable(&b, cat.Tables[qi])
	}
	byRelKey := func(a, b RelKey) int { return strings.Compare(fmt.Sprint(a), fmt.Sprint(b)) }
	for _, key := range slices.SortedFunc(maps.Keys(cat.Relationships), byRelKey) {
		fmt.Fprintf(&b, "\nfrom %s into %s\n", name(key.Table), key.Schema)
		for _, r := range cat.Relationships[key] {
			fmt.Fprintf(&b, "  %s\n", renderRelationship(r))
		}
	}
	for _, qi := range slices.SortedFunc(maps.Keys(cat.Routines), QI.compare) {
		fmt.Fprintln(&b)
		for _, r := range cat.Routines[qi] {
			renderRoutine(&b, r)
		}
	}
	fmt.Fprintln(&b)
	byRepKey := func(a, b RepKey) int { return strings.Compare(fmt.Sprint(a), fmt.Sprint(b)) }
	for _, key := range slices.SortedFunc(maps.Keys(cat.Representations), byRepKey) {
		fmt.Fprintf(&b, "cast %s to %s by %s\n", key.Source, key.Target, cat.Representations[key].Function)
	}
	fmt.Fprintln(&b)
	byHandlerKey := func(a, b HandlerKey) int { return strings.Compare(fmt.Sprint(a), fmt.Sprint(b)) }
	for _, key := range slices.SortedFunc(maps.Keys(cat.Handlers), byHandlerKey) {
		h := cat.Handlers[key]
		fmt.Fprintf(&b, "%s of %s by %s, says %s\n", key.MediaType, name(key.Target), name(h.Function), h.MediaType)
	}
	return b.Bytes()
}

func name(qi QI) string {
	if qi == (QI{}) {
		return "anything"
	}
	return fmt.Sprintf("%s.%s", word(qi.Schema), word(qi.Name))
}

// word quotes what does not read as one.
func word(s string) string {
	if s == "" || strings.ContainsAny(s, " \t\n\"\\.(){},=<>:") {
		return fmt.Sprintf("%q", s)
	}
	return s
}

func words(list []string) string {
	var quoted []string
	for _, s := range list {
		quoted = append(quoted, word(s))
	}
	return strings.Join(quoted, ", ")
}

func renderTable(b *bytes.Buffer, t *Table) {
	fmt.Fprintf(b, "\n%s", name(t.QI))
	for _, mark := range []struct {
		on   bool
		text string
	}{{t.IsView, "view"}, {t.Insertable, "insert"}, {t.Updatable, "update"}, {t.Deletable, "delete"}, {t.RowSecurity, "rls"}, {t.UserCode, "code"}} {
		if mark.on {
			fmt.Fprintf(b, " %s", mark.text)
		}
	}
	fmt.Fprintf(b, " key (%s)", words(t.PrimaryKey))
	if t.HasDescription {
		fmt.Fprintf(b, " -- %q", t.Description)
	}
	fmt.Fprintln(b)
	for _, c := range t.Columns {
		fmt.Fprintf(b, "  %s %s", word(c.Name), c.Type)
		if c.NominalType != c.Type {
			fmt.Fprintf(b, " declared %s", c.NominalType)
		}
		if !c.Nullable {
			fmt.Fprint(b, " not null")
		}
		if c.HasDefault {
			fmt.Fprintf(b, " default %s", c.Default)
		}
		if c.MaxLen != 0 {
			fmt.Fprintf(b, " max %d", c.MaxLen)
		}
		if c.Enum != nil {
			fmt.Fprintf(b, " enum %q", c.Enum)
		}
		if c.HasDescription {
			fmt.Fprintf(b, " -- %q", c.Description)
		}
		fmt.Fprintln(b)
	}
}

func renderRelationship(r *Relationship) string {
	if r.Cardinality == Computed {
		kind := "many"
		if r.ToOne {
			kind = "one"
		}
		return fmt.Sprintf("computed %s %s by %s%s", kind, name(r.Foreign), name(r.Function), selfMark(r))
	}
	side := map[bool]string{false: "table", true: "view"}
	text := fmt.Sprintf("%s %s", cardinalityTags[r.Cardinality], name(r.Foreign))
	if j := r.Junction; j != nil {
		text += fmt.Sprintf(" through %s %s (%s) %s (%s)", name(j.Table), word(j.Constraint1), renderPairs(j.Source), word(j.Constraint2), renderPairs(j.Target))
	} else {
		text += fmt.Sprintf(" %s (%s)", word(r.Constraint), renderPairs(r.Columns))
	}
	if r.IsParent {
		text += " parent"
	}
	return fmt.Sprintf("%s %s-%s%s", text, side[r.TableIsView], side[r.ForeignIsView], selfMark(r))
}

func selfMark(r *Relationship) string {
	if r.Self {
		return " self"
	}
	return ""
}

func renderPairs(pairs []ColumnPair) string {
	var list []string
	for _, p := range pairs {
		list = append(list, word(p.Column)+"="+word(p.Foreign))
	}
	return strings.Join(list, ", ")
}

func renderRoutine(b *bytes.Buffer, r *Routine) {
	fmt.Fprintf(b, "%s(", name(r.QI))
	for i, p := range r.Params {
		if i > 0 {
			fmt.Fprint(b, ", ")
		}
		if p.Variadic {
			fmt.Fprint(b, "variadic ")
		}
		fmt.Fprintf(b, "%s %s", word(p.Name), p.Type)
		if p.MaxType != p.Type {
			fmt.Fprintf(b, " as %s", p.MaxType)
		}
		if !p.Required {
			fmt.Fprint(b, " optional")
		}
	}
	fmt.Fprint(b, ") returns ")
	if r.SetOf {
		fmt.Fprint(b, "setof ")
	}
	if r.Composite {
		fmt.Fprint(b, "rows of ")
	}
	fmt.Fprintf(b, "%s", name(r.Return))
	if r.CompositeAlias {
		fmt.Fprint(b, " (alias)")
	}
	fmt.Fprintf(b, " %s", volatilityTags[r.Volatility])
	if r.Variadic {
		fmt.Fprint(b, " variadic")
	}
	if r.Isolation != "" {
		fmt.Fprintf(b, " isolation %q", r.Isolation)
	}
	for _, s := range r.Settings {
		fmt.Fprintf(b, " set %s=%q", s.Name, s.Value)
	}
	if r.HasDescription {
		fmt.Fprintf(b, " -- %q", r.Description)
	}
	fmt.Fprintln(b)
}
