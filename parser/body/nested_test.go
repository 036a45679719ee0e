package body

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
)

// spelled is a Level that writes down what it is told. Members that begin with r are rows,
// those that begin with o are one row, and those that begin with ! are errors.
type spelled struct{ *strings.Builder }

func (s spelled) Row(*Place) error { s.WriteByte('{'); return nil }

func (s spelled) Member(place *Place, key []byte, null bool) (Level, bool, error) {
	s.WriteString(string(key))
	if null {
		s.WriteString("=null")
	}
	s.WriteByte(' ')
	switch {
	case strings.HasPrefix(string(key), "r"):
		return s, true, nil
	case strings.HasPrefix(string(key), "o"):
		return s, false, nil
	case strings.HasPrefix(string(key), "!"):
		return nil, false, &PlaceError{place.String(), "refused"}
	}
	return nil, false, nil
}

func (s spelled) EndRow(*Place) error { s.WriteByte('}'); return nil }

func walked(p *Payload, text string) (string, error) {
	var b strings.Builder
	err := p.Walk([]byte(text), spelled{&b})
	return b.String(), err
}

func TestWalk(t *testing.T) {
	for _, test := range []struct{ body, want string }{
		{`{}`, "{}"},
		{` [ ] `, ""},
		{`[{"a":1},{"r":[{"a":[{"r":2}]},{"o":{"b":null}}],"o":null}]`, "{a }{r {a }{o {b=null }}o=null }"},
		{`{"r":[],"\u0072x":[{"\"~/\u00e4":{}}]}`, `{r rx {"~/ä }}`},
		{`7`, "/: Expected an object or an array of objects"},
		{`[7]`, "/0: Expected an object"},
		{`{"r":{}}`, "/r: Expected an array of objects"},
		{`{"o":[]}`, "/o: Expected an object"},
		{`[{},{"r":[{"o":"x"}]}]`, "/1/r/0/o: Expected an object"},
		{`{"r":[{},[]],"o":7}`, "/r/1: Expected an object"},
		{`{"r~/":7}`, "/r~0~1: Expected an array of objects"},
		{`{"r":[{"!":1}],"r":7}`, "/r/0/!: refused"},
		{``, "Empty or invalid json"},
		{`{"r":[{]}`, "Empty or invalid json"},
		{`{"r":7,}`, "Empty or invalid json"},
		{`{"!":7} {}`, "Empty or invalid json"},
		{`[{"r":[{}}]`, "Empty or invalid json"},
		{`{"r":nul}`, "Empty or invalid json"},
		{`{"a":` + strings.Repeat("[", MaxDepth+1), "The json is nested too deeply"},
	} {
		got, err := walked(&Payload{}, test.body)
		if err != nil {
			got = err.Error()
		}
		if got != test.want {
			t.Errorf("%.60s\n got %s\nwant %s", test.body, got, test.want)
		}
	}
}

// FuzzWalk compares Walk with ParseJSON, which accepts the same JSON, and with the decoder
// of the standard library.
func FuzzWalk(f *testing.F) {
	for _, seed := range []string{
		`{"r":[{"o":{"r":[]}},{"a":1}]}`, `[{"r":[{"r":[{"r":[{"o":null}]}]}]},{}]`, `{"r":[{"r":{}}]}`, `[[{"r":[]}]]`, `{"o":{"o":{"o":{"a":[{"r":1}]}}}}`,
		`{"r":[{"\u0072":[{}]}],"r":null}`, `{"!":{}}`, `{"r":[}`, `[{"r":[{}],"o":{}}`, "{\"r\xff\":[]}", `{"r":[{},{},7,{}],"a":tru}`, `[]x`, `{"r":[{"a":"\ud800"}]}`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var p Payload
		_, err := walked(&p, text)
		var place *PlaceError
		if err != nil && !errors.As(err, &place) {
			if plain := p.ParseJSON([]byte(text), false); plain == nil || errors.Is(plain, errKeysDiffer) {
				t.Fatalf("%q: %v, but it is JSON: %v", text, err, plain)
			}
			return
		}
		if plain := p.ParseJSON([]byte(text), false); plain != nil && !errors.Is(plain, errKeysDiffer) && !errors.Is(plain, errTooManyKeys) {
			t.Fatalf("%q: %v, but it is not JSON: %v", text, err, plain)
		}
		var value any
		if json.Unmarshal([]byte(text), &value) != nil {
			return // control characters in strings, see jsontext
		}
		switch value.(type) {
		case map[string]any, []any:
		default:
			if place == nil {
				t.Fatalf("%q: no fault", text)
			}
		}
	})
}
