package parser

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

func TestParams(t *testing.T) {
	var q Query
	f := func(raw, want string) {
		t.Helper()
		if err := q.split([]byte(raw)); err != nil {
			t.Errorf("%s: %v", raw, err)
		}
		var got []string
		for _, prm := range q.Params {
			if prm.HasValue {
				got = append(got, fmt.Sprintf("%s=%s", prm.Key, prm.Value))
			} else {
				got = append(got, string(prm.Key))
			}
		}
		if got := strings.Join(got, "|"); got != want {
			t.Errorf("%s: got %q, want %q", raw, got, want)
		}
		q.Reset()
	}
	f("", "")
	f("a=1", "a=1")
	f("a=1&b=2;c=3", "a=1|b=2|c=3")
	f("a", "a")
	f("a=", "a=")
	f("a=1&", "a=1")
	f("&", "")
	f("&&a", "||a")
	f("=1", "=1")
	f("a=b=c", "a=b=c")
	f("a+b=c+d", "a b=c d")
	f("%61%3D=%26%3b", "a==&;")
	f("a=%zz%4%", "a=%zz%4%")
	f("a=%4", "a=%4")
	f("a=%%41", "a=%A")
	f("%C3%BC=ü", "ü=ü")
	f("?a=1", "?a=1")
}

func TestInvalidUTF8(t *testing.T) {
	var q Query
	for _, raw := range []string{
		"a=eq.%FF", "%FF=eq.1", "%FF", "a=eq.\xff", "\xff", "a=%ED%A0%80", "select=id&x=%C3", "a=%C0%80",
	} {
		if err := q.Parse([]byte(raw), ModeRelation); !errors.Is(err, ErrInvalidUTF8) {
			t.Errorf("%q: got %v", raw, err)
		}
	}
}

func TestMaxParts(t *testing.T) {
	var q Query
	for _, part := range []string{"select=" + strings.Repeat("*,", MaxParts+1), "select=a" + strings.Repeat("->1", MaxParts+1),
		"or=(" + strings.Repeat("a.eq.1,", MaxParts+1) + "a.eq.1)", "order=" + strings.Repeat("a,", MaxParts+1) + "a",
		"columns=" + strings.Repeat("a,", MaxParts+1) + "a", strings.Repeat("a.", MaxParts+1) + "b=eq.1",
		"order=" + strings.Repeat("a,", MaxParts/2) + "a&select=" + strings.Repeat("a,", MaxParts/2) + "a&b=."} {
		if err := q.Parse([]byte(part), ModeRelation); err != errTooManyParts {
			t.Errorf("%.20s: %v", part, err)
		}
	}
	if err := q.Parse([]byte("id=in.("+strings.Repeat("1,", 2*MaxParts)+"1)"), ModeRelation); err != nil || len(q.Values) != 1 {
		t.Errorf("a long list has %d values: %v", len(q.Values), err)
	}
}

// TestLongError: the error of a text that no URL could have is short, and takes
// no time.
func TestLongError(t *testing.T) {
	var q Query
	err := q.Parse([]byte("id=in.("+strings.Repeat("é,", 1<<20)), ModeRelation)
	if text := fmt.Sprint(err); !strings.HasPrefix(text, "failed to parse filter (in.(é,é,") || len(text) > 200 {
		t.Errorf("%.300s", text)
	}
}

func TestMaxParams(t *testing.T) {
	var q Query
	raw := strings.Repeat("a=eq.1&", MaxParams)
	if err := q.Parse([]byte(raw), ModeRelation); err != nil {
		t.Error(err)
	}
	if err := q.Parse([]byte(raw+"b"), ModeRelation); err != error(errTooManyParams) {
		t.Errorf("got %v", err)
	}
}

func TestCanonicalTable(t *testing.T) {
	var q Query
	f := func(raw, want string) {
		t.Helper()
		if err := q.split([]byte(raw)); err != nil {
			t.Fatal(err)
		}
		if got := string(q.AppendCanonical(nil)); got != want {
			t.Errorf("%s: got %s, want %s", raw, got, want)
		}
		q.Reset()
	}
	f("", "")
	f("a=1&c=3&b=2&d", "a=1&b=2&c=3&d=")
	f("b=2&a=x&b=1&a", "a=x,&b=2,1")
	f("a=-_.~*'()!", "a=-_.~%2A%27%28%29%21")
	f("a=%00%7f", "a=%00%7F")
	f("ü=é", "%C3%83%C2%BC=%C3%83%C2%A9")
	f("&&x", "=,&x=")
}

func TestFilterKeys(t *testing.T) {
	var q Query
	if err := q.Parse([]byte("%22id%22=eq.1&select=id&a.b=eq.2&c=3&order=c"), ModeCallRead); err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprintf("%s", q.FilterKeys); got != `["id" a.b c]` {
		t.Errorf("got %s", got)
	}
}

// TestReset parses a query after others that fill all slices.
func TestReset(t *testing.T) {
	var used, fresh Query
	const query = "select=id&a=eq.1"
	for _, before := range []string{
		"select=a(b)&x=in.(1)&or=(a.eq.1)&order=a&limit=1&a-.limit=x&columns=a&on_conflict=b",
		strings.Repeat("a=eq.%41&order=a&", 300) + "limit=99999999999999999999",
		"select=!!", "order=a!",
	} {
		used.Parse([]byte(before), ModeRelation)
		for _, q := range []*Query{&used, &fresh} {
			if err := q.Parse([]byte(query), ModeRelation); err != nil {
				t.Fatal(err)
			}
		}
		if got, want := used.String(), fresh.String(); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
		if used.RangeError() != nil {
			t.Error("a bad range survived")
		}
	}
}
