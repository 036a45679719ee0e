package compare

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"testing"
)

// differences are the kinds of the differences between two documents.
func differences(t *testing.T, old, new string) (kinds []string, reorder bool) {
	t.Helper()
	o, err := parseJSON([]byte(old))
	if err != nil {
		t.Fatal(err)
	}
	n, err := parseJSON([]byte(new))
	if err != nil {
		t.Fatal(err)
	}
	var d differ
	d.document(o, n)
	for _, f := range d.found {
		kinds = append(kinds, f.Kind)
	}
	return kinds, d.reorder
}

func TestDiffer(t *testing.T) {
	deep := func(inner string) string {
		return strings.Repeat(`{"a":[`, maxDepth/2) + inner + strings.Repeat(`]}`, maxDepth/2)
	}
	many := strings.Repeat("0,", 100_000)
	for _, c := range []struct {
		name, old, new string
		kinds          []string
		reorder        bool
	}{
		{"equal and deep", deep("1"), deep("1"), nil, false},
		{"different and deep", deep("1"), deep("2"), []string{"value"}, false},
		{"many equal elements", "[" + many + "1,2]", "[" + many + "2,1]", nil, true},
		{"many equal elements and one more", "[" + many + "1,2]", "[" + many + "2,3]", []string{"value"}, true},
		{"equal rows", `[{"a":1},{"a":1},{"a":2}]`, `[{"a":1},{"a":2},{"a":2}]`, []string{"value"}, false},
		{"several kinds, each once", `[{"a":1,"b":"x"},{"a":2,"b":"y"}]`, `[{"a":"1","b":"z"},{"a":"2","b":"z"}]`, []string{"type of a value", "value"}, false},
		{"null and an object", `{"a":null}`, `{"a":{}}`, []string{"value"}, false},
		{"array and object", `{"a":[]}`, `{"a":{}}`, []string{"type of a value"}, false},
		{"large numbers", `[9007199254740993]`, `[9007199254740992]`, []string{"value"}, false},
		{"exponent", `[1e2]`, `[100]`, []string{"spelling of a number"}, false},
	} {
		kinds, reorder := differences(t, c.old, c.new)
		if !slices.Equal(kinds, c.kinds) || reorder != c.reorder {
			t.Errorf("%s: %q %t, want %q %t", c.name, kinds, reorder, c.kinds, c.reorder)
		}
	}
}

// TestShownValues: a short row is shown as a whole, and of a long one the value.
func TestShownValues(t *testing.T) {
	long := strings.Repeat("x", contextLength)
	for _, c := range []struct{ old, new, shown string }{
		{`[{"a":1,"b":2}]`, `[{"a":1,"b":3}]`, `{"a":1,"b":2}`},
		{`[{"b":2,"a":1}]`, `[{"a":1,"b":3}]`, `{"a":1,"b":2}`},
		{`[{"a":"` + long + `","b":[2]}]`, `[{"a":"` + long + `","b":[3]}]`, `2`},
		{`["` + long + `",1]`, `["` + long + `"]`, `1`},
		{`["` + long + `"]`, `["` + long + `",1]`, `(none)`},
	} {
		o, _ := parseJSON([]byte(c.old))
		n, _ := parseJSON([]byte(c.new))
		var d differ
		d.document(o, n)
		if len(d.found) != 1 || d.found[0].Old != c.shown {
			t.Errorf("%.30s: %+v, want %s", c.old, d.found, c.shown)
		}
	}
}

// FuzzDocuments: documents differ in both directions or in none, and never from themselves. The digest
// removes the white space that encoding/json removes.
func FuzzDocuments(f *testing.F) {
	for _, pair := range [][2]string{
		{`[1, 2]`, `[2,1]`}, {`[{"a":[{"b":1},{"b":2}]}]`, `[{"a":[{"b":2},{"b":1}]}]`}, {`{"a":"\u00e9 \" "}`, `{"a":"é"}`},
		{`[[1,2],[2,1]]`, `[[2,1],[1,2]]`}, {`"x"`, `1.0`}, {`{"a":1,"a":2}`, `{"a":2,"a":1}`}, {`[]`, `[ ]`}, {`[1e400]`, `[1]`},
	} {
		f.Add(pair[0], pair[1])
	}
	f.Fuzz(func(t *testing.T, old, new string) {
		if !json.Valid([]byte(old)) || !json.Valid([]byte(new)) {
			return
		}
		there, _ := differences(t, old, new)
		back, _ := differences(t, new, old)
		if (there == nil) != (back == nil) {
			t.Errorf("%s and %s: %q, and %q in the other direction", old, new, there, back)
		}
		if same, reorder := differences(t, old, old); same != nil || reorder {
			t.Errorf("%s differs from itself: %q", old, same)
		}
		var compact bytes.Buffer
		if err := json.Compact(&compact, []byte(old)); err != nil {
			t.Fatal(err)
		}
		spaced, dense := newDigest(), newDigest()
		spaced.Write([]byte(old))
		dense.Write(compact.Bytes())
		if !spaced.sameJSON(dense) || string(compacted([]byte(old))) != compact.String() {
			t.Errorf("%s: %s, want %s", old, compacted([]byte(old)), compact.Bytes())
		}
		if spaced.array && spaced.elements != dense.elements {
			t.Errorf("%s: %d elements, and %d without white space", old, spaced.elements, dense.elements)
		}
	})
}
