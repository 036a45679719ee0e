package body

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

var kindNames = [...]string{Raw: "raw", Object: "object", Array: "array", Empty: "empty", Args: "args"}

// show formats a payload: its kind and its keys, or the error.
func show(p *Payload, err error) string {
	if err != nil {
		return "error: " + err.Error()
	}
	s := kindNames[p.Kind]
	for _, k := range p.Keys {
		s += " " + string(k)
	}
	if p.Truncated {
		s += " ..."
	}
	return s
}

const (
	invalid = "error: Empty or invalid json"
	differ  = "error: All object keys must match"
)

var jsonCases = []struct{ body, want string }{
	{`{}`, "object"},
	{`{"id": 50, "name": "x"}`, "object id name"},
	{` { "b" : 1 , "a" : 2 } `, "object a b"},
	{`{"a":1,"a":2}`, "object a"},
	{`{"":1}`, "object "},
	{`{"ä":1,"z":1,"\u00e4":1}`, "object z ä"},
	{`{"\u0061\n\"\\\/\b\f\r\t":1}`, "object a\n\"\\/\b\f\r\t"},
	{`{"\ud83c\udfac":1}`, "object 🎬"},
	{`{"a":{"b":[{"c":{}},[]]},"d":[[],{}]}`, "object a d"},
	{`{"a":"{\"b\":1}"}`, "object a"},

	{`[]`, "empty"},
	{` [ ] `, "empty"},
	{`[{}]`, "array"},
	{`[{},{}]`, "array"},
	{`[{"a":1}]`, "array a"},
	{`[{"a":1,"b":2},{"a":3,"b":4}]`, "array a b"},
	{`[{"a":1,"b":2},{"b":3,"a":4},{"a":1,"b":2}]`, "array a b"},
	{`[{"a":1,"b":2},{"\u0061":3,"b":4}]`, "array a b"},
	{`[{"\u0061":1,"b":2},{"a":3,"\u0062":4}]`, "array a b"},
	{`[{"a":1,"b":2},{"a":3,"b":4,"a":5}]`, "array a b"},
	{`[{"a":1,"a":2},{"a":3}]`, "array a"},
	{`[{"a":1},{"a":2,"a":3}]`, "array a"},
	{`[{"a":1,"b":2,"a":3},{"b":1,"a":2}]`, "array a b"},
	{`[{"a":[{"x":1},{"y":1}]},{"a":null}]`, "array a"},

	{`[{"a":1,"b":2},{"a":3}]`, differ},
	{`[{"a":1},{"a":3,"b":4}]`, differ},
	{`[{"a":1,"b":2},{"a":3,"c":4}]`, differ},
	{`[{"a":1,"b":2},{"c":3,"b":4}]`, differ},
	{`[{"a":1,"b":2},{"a":3,"a":4}]`, differ},
	{`[{"a":1},{}]`, differ},
	{`[{},{"a":1}]`, differ},
	{`[{"a":1},{"A":1}]`, differ},
	{`[{"a":1},{"a":2},{"b":3},{"a":4}]`, differ},
	{`[{"id":50},1]`, differ},
	{`[{"id":50},null,{"id":50}]`, differ},
	{`[1]`, differ},
	{`[null]`, differ},
	{`[[{"id":50}]]`, differ},
	{`[1,{"a":1}]`, differ},

	{`1`, "empty"},
	{`-0.5e+10`, "empty"},
	{`"x"`, "empty"},
	{`null`, "empty"},
	{` true`, "empty"},
	{`false `, "empty"},

	{``, invalid},
	{` `, invalid},
	{"\n", invalid},
	{`{`, invalid},
	{`}`, invalid},
	{`[`, invalid},
	{`]`, invalid},
	{`{]`, invalid},
	{`[}`, invalid},
	{`{"a"`, invalid},
	{`{"a":`, invalid},
	{`{"a":1`, invalid},
	{`{"a":1,`, invalid},
	{`{"a":1,}`, invalid},
	{`{"a" 1}`, invalid},
	{`{"a":1 "b":2}`, invalid},
	{`{,"a":1}`, invalid},
	{`{"a":[1,]}`, invalid},
	{`{"a":[1}`, invalid},
	{`{"a":{"b":1]}`, invalid},
	{`{"a":[,1]}`, invalid},
	{`{'a':1}`, invalid},
	{`{a:1}`, invalid},
	{`{1:1}`, invalid},
	{`[{"a":1},]`, invalid},
	{`[{"a":1} {"a":1}]`, invalid},
	{`[{"a":1},{"b":1}`, invalid}, // broken comes before different
	{`[1,2`, invalid},
	{`{"a":1}{"a":2}`, invalid},
	{`{"a":1},`, invalid},
	{`nul`, invalid},
	{`nulll`, invalid},
	{`True`, invalid},
	{`NaN`, invalid},
	{`01`, invalid},
	{`-`, invalid},
	{`-01`, invalid},
	{`+1`, invalid},
	{`.5`, invalid},
	{`1.`, invalid},
	{`1.e5`, invalid},
	{`1e`, invalid},
	{`1e+`, invalid},
	{`0x1`, invalid},
	{`{"a":01}`, invalid},
	{`"x`, invalid},
	{`"\x"`, invalid},
	{`"\u12"`, invalid},
	{`"\u12G4"`, invalid},
	{`"\`, invalid},
	{`"\"`, invalid},
	{`"\ud83c"`, invalid},
	{`"\ud83cx"`, invalid},
	{`"\ud83c\n"`, invalid},
	{`"\ud83c\u0041"`, invalid},
	{`"\udfac"`, invalid},
	{`"\udfac\ud83c"`, invalid},
	{"\"a\nb\"", invalid},
	{"\"\x00\"", invalid},
	{"\"\xff\"", invalid},
	{"\"\xc0\x80\"", invalid},
	{"\"\xed\xa0\x80\"", invalid}, // a surrogate in UTF-8
	{"\"\xf4\x90\x80\x80\"", invalid},
	{"\"\xe2\x82\"", invalid},
	{"{\"\xff\":1}", invalid},
	{"\ufeff{}", invalid},
	{"\v{}", invalid},
	{"{\u00a0}", invalid},
	{`/* c */{}`, invalid},
	{"{}\x00", invalid},

	// Control characters that follow an escape or a character beyond ASCII.
	{"\"\\n\n\"", "empty"},
	{"{\"é\t\":1}", "object é\t"},
}

func TestParseJSON(t *testing.T) {
	var p Payload // reused, as it is meant to be
	for _, tt := range jsonCases {
		if got := show(&p, p.ParseJSON([]byte(tt.body), false)); got != tt.want {
			t.Errorf("%s\n got %s\nwant %s", tt.body, got, tt.want)
		}
		// Surrounded by space, and longer than a word at a time.
		padded := "\t\r\n" + strings.Replace(tt.body, `"a"`, `"a"`+strings.Repeat(" ", 20), 1) + strings.Repeat("\n", 9)
		if tt.body == "" {
			continue
		}
		if got := show(&p, p.ParseJSON([]byte(padded), false)); got != tt.want {
			t.Errorf("%q\n got %s\nwant %s", padded, got, tt.want)
		}
	}
}

func TestRawAndIsObject(t *testing.T) {
	for _, tt := range []struct {
		body     string
		raw      string
		isObject bool
	}{
		{` {"a":1} `, ` {"a":1} `, true},
		{`[{"a":1}]`, `[{"a":1}]`, false},
		{`[ ]`, `[]`, false},
		{`"x"`, `[]`, false},
	} {
		var p Payload
		if err := p.ParseJSON([]byte(tt.body), false); err != nil || string(p.Raw) != tt.raw || p.IsObject != tt.isObject {
			t.Errorf("%s: Raw %s, IsObject %v, %v", tt.body, p.Raw, p.IsObject, err)
		}
	}
	var p Payload
	if err := p.ParseJSON(nil, true); err != nil || p.Kind != Object || !p.IsObject || len(p.Keys) != 0 {
		t.Errorf("a call without a body: %s", show(&p, err))
	}
	if err := p.ParseJSON([]byte(" "), true); err != errInvalidJSON {
		t.Errorf("a call with a blank body: %v", err)
	}
	p.SetRaw([]byte("\n\t{bad"))
	if p.Kind != Raw || !p.IsObject || string(p.Raw) != "\n\t{bad" {
		t.Errorf("%+v", p.Kind)
	}
	p.SetRaw([]byte(" "))
	if p.IsObject {
		t.Error("nothing is no object")
	}
}

func TestDepth(t *testing.T) {
	var p Payload
	nest := func(open, middle, end string, n int) []byte {
		return []byte(strings.Repeat(open, n) + middle + strings.Repeat(end, n))
	}
	if got := show(&p, p.ParseJSON(nest("[", "", "]", MaxDepth), false)); got != differ {
		t.Error(got)
	}
	if got := show(&p, p.ParseJSON(nest(`{"a":`, "1", "}", MaxDepth), false)); got != "object a" {
		t.Error(got)
	}
	for _, deep := range [][]byte{
		nest("[", "", "]", MaxDepth+1),
		nest(`{"a":`, "1", "}", MaxDepth+1),
		nest("[", "", "", 1<<20),
		append([]byte(`[{"a":1},{"a":`), nest("[", "", "]", MaxDepth-1)...),
	} {
		if err := p.ParseJSON(deep, false); err != errTooDeep {
			t.Errorf("%.20s...: %v", deep, err)
		}
	}
}

func TestManyKeys(t *testing.T) {
	object := []byte(`{"k":1`)
	for i := range MaxKeys {
		object = fmt.Appendf(object, `,"k%d":1`, i)
	}
	object = append(object, '}')
	var p Payload
	if err := p.ParseJSON(object, false); err != nil || len(p.Keys) != MaxKeys || !p.Truncated {
		t.Errorf("%d keys, truncated %v, %v", len(p.Keys), p.Truncated, err)
	}
	list := "[" + string(object) + "]"
	if err := p.ParseJSON([]byte(list), false); err != errTooManyKeys {
		t.Errorf("in an array: %v", err)
	}
	if err := p.ParseJSON([]byte(list[:len(list)-1]), false); err != errInvalidJSON {
		t.Errorf("in a broken array: %v", err)
	}
	p.Reset()
	if cap(p.Keys) > keep || cap(p.order) > keep || cap(p.seen) > keep {
		t.Error("memory is kept")
	}
}

// TestRepeatedKeys has an object that repeats its keys more than MaxKeys times.
func TestRepeatedKeys(t *testing.T) {
	for _, repeated := range []string{`"a"`, `"\u0061"`} {
		for _, n := range []int{MaxKeys - 1, MaxKeys, MaxKeys + 1, 3*MaxKeys + 7} {
			object := `{"z":0` + strings.Repeat(`,`+repeated+`:1`, n) + `,"b":2}`
			var p Payload
			if got := show(&p, p.ParseJSON([]byte(object), false)); got != "object a b z" {
				t.Errorf("%d times %s: %.100s", n, repeated, got)
			}
			if got := show(&p, p.ParseJSON([]byte("["+object+`,{"a":1}]`), false)); got != differ && got != "error: "+errTooManyKeys.Error() {
				t.Errorf("%d times %s, and another: %.100s", n, repeated, got)
			}
		}
	}
}

// TestObjectNumbers: the number of the object being compared may wrap around.
func TestObjectNumbers(t *testing.T) {
	p := Payload{object: ^uint32(0) - 1}
	for range 4 {
		if got := show(&p, p.ParseJSON([]byte(`[{"a":1,"b":1},{"b":1,"a":1},{"b":1,"b":1}]`), false)); got != differ {
			t.Error(got)
		}
	}
}

// plainStrings returns b without the control characters that SkipString accepts, and
// whether a string has a lone surrogate. encoding/json differs in both.
func plainStrings(b []byte) (plain []byte, lone bool) {
	plain = bytes.Clone(b)
	for i := 0; i < len(b); i++ {
		if b[i] != '"' {
			continue
		}
		special := false
		for i++; i < len(b) && b[i] != '"'; i++ {
			switch c := b[i]; {
			case c == '\\':
				special = true
				i++
				if i < len(b) && b[i] == 'u' {
					var r rune
					if _, err := fmt.Sscanf(string(b[i+1:min(i+5, len(b))]), "%04x", &r); err == nil && r >= 0xD800 && r < 0xE000 {
						var low rune
						if r < 0xDC00 && i+11 <= len(b) && string(b[i+5:i+7]) == `\u` {
							fmt.Sscanf(string(b[i+7:i+11]), "%04x", &low)
						}
						if low < 0xDC00 || low > 0xDFFF {
							lone = true
						} else {
							i += 6
						}
					}
				}
			case c >= 0x80:
				special = true
			case c < ' ' && special:
				plain[i] = '.'
			}
		}
	}
	return plain, lone
}

func addSeeds(f *testing.F) {
	for _, c := range jsonCases {
		f.Add([]byte(c.body))
	}
}

// FuzzValid compares with encoding/json for UTF-8 without lone surrogates and
// without the control characters that are accepted here.
func FuzzValid(f *testing.F) {
	addSeeds(f)
	var p Payload
	f.Fuzz(func(t *testing.T, b []byte) {
		err := p.ParseJSON(b, false)
		got := err == nil || errors.Is(err, errKeysDiffer) || errors.Is(err, errTooManyKeys)
		plain, lone := plainStrings(b)
		if want := json.Valid(plain) && utf8.Valid(b) && !lone; got != want {
			t.Fatalf("%q: %v, want valid %v", b, err, want)
		}
	})
}

// FuzzKeys compares kinds and keys with encoding/json.
func FuzzKeys(f *testing.F) {
	addSeeds(f)
	var p Payload
	f.Fuzz(func(t *testing.T, b []byte) {
		err := p.ParseJSON(b, false)
		var one map[string]json.RawMessage
		var many []map[string]json.RawMessage
		switch {
		case !json.Valid(b) || err == errInvalidJSON || err == errTooDeep:
		case json.Unmarshal(b, &one) == nil && one != nil:
			if p.Kind != Object || !sameKeys(&p, one) {
				t.Fatalf("%q: %s", b, show(&p, err))
			}
		case json.Unmarshal(b, &many) == nil && len(many) > 0:
			same := true
			for _, m := range many {
				same = same && m != nil && len(m) == len(many[0])
				for k := range m {
					_, ok := many[0][k]
					same = same && ok
				}
			}
			if same != (err == nil) || same && (p.Kind != Array || !sameKeys(&p, many[0])) {
				t.Fatalf("%q: %s, want same keys %v", b, show(&p, err), same)
			}
		case bytes.TrimSpace(b)[0] == '[' && len(many) > 0: // of something else, in part
			if err != errKeysDiffer {
				t.Fatalf("%q: %s", b, show(&p, err))
			}
		}
	})
}

func sameKeys(p *Payload, m map[string]json.RawMessage) bool {
	if len(p.Keys) != len(m) || !slices.IsSortedFunc(p.Keys, bytes.Compare) {
		return false
	}
	for _, k := range p.Keys {
		if _, ok := m[string(k)]; !ok {
			return false
		}
	}
	return true
}
