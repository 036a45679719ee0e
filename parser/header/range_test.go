package header

import (
	"testing"

	"github.com/fastgrest/fastgrest/parser"
)

func TestParseRange(t *testing.T) {
	f := func(header, want string) {
		t.Helper()
		r := ParseRange([]byte(header))
		got := string(r.AppendLimit(nil)) + " from " + string(r.AppendOffset(nil))
		if r == parser.AllRange {
			got = "all"
		}
		if got != want {
			t.Errorf("%q: got %s, want %s", header, got, want)
		}
	}
	f("0-9", "10 from 0")
	f("5-", " from 5")
	f("0-", "all")
	f("5-5", "1 from 5")
	f("9-0", "-8 from 9")
	f("99999999999999999999-", " from 99999999999999999999")
	for _, header := range []string{"", "-", "-5", "a-b", "0-1,2-3", "items=0-9", " 0-9", "0-9 ", "0--1", "0x1-2", "5"} {
		f(header, "all")
	}
}
