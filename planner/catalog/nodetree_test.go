package catalog

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// tree is a view's tree around the text of its target list.
func tree(targetList string) string {
	return `({QUERY :commandType 1 :utilityStmt <> :cteList <> :rtable ({RTE :eref {ALIAS :aliasname t :colnames ("a" "b")} :relid 7}) ` +
		`:targetList ` + targetList + ` :override 0 :rtable2 <>})`
}

func TestTargetOrigins(t *testing.T) {
	for _, test := range []struct {
		name, tree string
		want       []origin
		bad        bool
	}{
		{name: "one column", tree: tree(`({TARGETENTRY :expr {VAR :varno 1} :resno 1 :resname id :ressortgroupref 0 :resorigtbl 16396 :resorigcol 2 :resjunk false})`), want: []origin{{16396, 2}}},
		{name: "in any order, with gaps", tree: tree(`({TARGETENTRY :resno 3 :resorigtbl 5 :resorigcol 1} {TARGETENTRY :resno 1 :resorigtbl 4294967295 :resorigcol 1600})`),
			want: []origin{{4294967295, 1600}, {}, {5, 1}}},
		{name: "label as a name", tree: tree(`({TARGETENTRY :resno 1 :resname :resorigtbl :resorigtbl 5 :resorigcol 6})`), want: []origin{{5, 6}}},
		{name: "escapes in a name", tree: tree(`({TARGETENTRY :resno 1 :resname \}\ :resorigtbl\ 9\{\(\\ :resorigtbl 5 :resorigcol 6})`), want: []origin{{5, 6}}},
		{name: "the same in an expression", tree: tree(`({TARGETENTRY :expr {CONST :x "\}" :y ({Z :resorigtbl 8})} :resno 1 :resorigtbl 5 :resorigcol 6})`), want: []origin{{5, 6}}},
		{name: "line breaks", tree: tree("(\n{TARGETENTRY\t:resno\n1 :resorigtbl 5 :resorigcol 6 })"), want: []origin{{5, 6}}},
		{name: "system column", tree: tree(`({TARGETENTRY :resno 1 :resorigtbl 5 :resorigcol -1})`), want: []origin{{5, -1}}},
		{name: "no columns", tree: tree(`<>`)},
		{name: "empty", tree: "", bad: true},
		{name: "rule that does nothing", tree: "<>", bad: true},
		{name: "not a query", tree: "({SELECT :targetList <>})", bad: true},
		{name: "no target list", tree: "({QUERY :commandType 1})", bad: true},
		{name: "target list of something else", tree: tree(`({OTHER :resno 1})`), bad: true},
		{name: "target list that is a word", tree: tree(`x`), bad: true},
		{name: "ends early", tree: `({QUERY :targetList ({TARGETENTRY :resno 1`, bad: true},
		{name: "ends in an escape", tree: `({QUERY :targetList ({TARGETENTRY :resname a\`, bad: true},
		{name: "no number", tree: tree(`({TARGETENTRY :resorigtbl 5})`), bad: true},
		{name: "number too large", tree: tree(`({TARGETENTRY :resno 999999999 :resorigtbl 5})`), bad: true},
		{name: "invalid number", tree: tree(`({TARGETENTRY :resno one})`), bad: true},
	} {
		got, err := targetOrigins([]byte(test.tree))
		if (err != nil) != test.bad || !slices.Equal(got, test.want) {
			t.Errorf("%s: got %v, %v", test.name, got, err)
		}
	}
}

// The same view as each major version keeps it:
//
//	create table t ("}" int, ":resno" text, "a b" int, "<>" int, "(\{" int);
//	create view v as select "(\{" as ":resorigcol 3", x."a b" + 1 as "}", '{(\}' || "}" as ":targetList",
//	  x."a b", (select max("<>") from t) as m, ":resno" as "<>" from t x order by "}";
func TestTreesOfVersions(t *testing.T) {
	for version := 14; version <= 18; version++ {
		text, err := os.ReadFile(filepath.Join("testdata", "trees", fmt.Sprintf("pg%d.txt", version)))
		if err != nil {
			t.Fatal(err)
		}
		got, err := targetOrigins(text)
		if err != nil || len(got) != 6 {
			t.Errorf("%d: got %v, %v", version, got, err)
			continue
		}
		table := got[0].table
		if want := []origin{{table, 5}, {}, {}, {table, 3}, {}, {table, 2}}; table == 0 || !slices.Equal(got, want) {
			t.Errorf("%d: got %v, want %v", version, got, want)
		}
	}
}

func TestCallsAny(t *testing.T) {
	functions := map[uint32]bool{2078: true}
	for text, want := range map[string]bool{
		`{FUNCEXPR :funcid 2078 :funcresulttype 25}`: true,
		`{FUNCEXPR :funcid 1} {F :funcid 2078}`:      true,
		`{FUNCEXPR :funcid 20780 }`:                  false,
		`{FUNCEXPR :funcid 12078 }`:                  false,
		`:resname :funcid\ 2078`:                     false,
		`:funcid `:                                   false,
		``:                                           false,
	} {
		if got := callsAny([]byte(text), functions); got != want {
			t.Errorf("%s: got %v", text, got)
		}
	}
}

func FuzzTargetOrigins(f *testing.F) {
	f.Add(tree(`({TARGETENTRY :expr {VAR :varno 1} :resno 1 :resname a\ b :resorigtbl 16396 :resorigcol 2 :resjunk false})`))
	f.Add(`({QUERY :targetList ({TARGETENTRY :resname \`)
	f.Add(`({QUERY :a ((((((`)
	for version := 14; version <= 18; version++ {
		if text, err := os.ReadFile(filepath.Join("testdata", "trees", fmt.Sprintf("pg%d.txt", version))); err == nil {
			f.Add(string(text))
		}
	}
	f.Fuzz(func(t *testing.T, text string) {
		list, err := targetOrigins([]byte(text))
		if err != nil && list != nil || len(list) > maxColumns {
			t.Errorf("got %d columns, %v", len(list), err)
		}
		callsAny([]byte(text), map[uint32]bool{1: true})
	})
}

func BenchmarkTargetOrigins(b *testing.B) {
	text, err := os.ReadFile(filepath.Join("testdata", "trees", "pg18.txt"))
	if err != nil {
		b.Fatal(err)
	}
	// A wide view over many tables.
	big := strings.Replace(string(text), ":rtable (", ":rtable ("+strings.Repeat(`{RANGETBLENTRY :alias {ALIAS :aliasname x :colnames ("a\ b" "c")} :relid 16388 :inh true} `, 5000), 1)
	b.SetBytes(int64(len(big)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := targetOrigins([]byte(big)); err != nil {
			b.Fatal(err)
		}
	}
}
