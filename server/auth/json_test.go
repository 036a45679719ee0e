package auth

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestNumbers(t *testing.T) {
	f := func(number, printed string, seconds int64) {
		t.Helper()
		if got := string(appendNumber(nil, number)); got != printed {
			t.Errorf("%s is printed %s, want %s", number, got, printed)
		}
		if got := parseDecimal(number).seconds(); got != seconds {
			t.Errorf("%s is %d seconds, want %d", number, got, seconds)
		}
	}
	f("0", "0", 0)
	f("-0", "0", 0)
	f("-0.0", "0.0", 0)
	f("1", "1", 1)
	f("-17", "-17", -17)
	f("1.0", "1.0", 1)
	f("1.10", "1.1", 0)
	f("1.5", "1.5", 0)
	f("-1.50", "-1.5", 0)
	f("0.1", "0.1", 0)
	f("0.01", "1.0e-2", 0)
	f("0.00000001", "1.0e-8", 0)
	f("1e3", "1000", 1000)
	f("1E+3", "1000", 1000)
	f("1.5e3", "1500", 1500)
	f("1500e-2", "15.0", 15)
	f("123456.7", "123456.7", 0)
	f("1234567.5", "1234567.5", 0)
	f("12345678.5", "1.23456785e7", 0)
	f("1e18", "1000000000000000000", 1e18)
	f("1e19", "1"+strings.Repeat("0", 19), 0)
	f("9223372036854775807", "9223372036854775807", 9223372036854775807)
	f("9223372036854775808", "9223372036854775808", 0)
	f("-9223372036854775808", "-9223372036854775808", -9223372036854775808)
	f("100000000000000000000000", "100000000000000000000000", 0)
	f("1e1024", "1"+strings.Repeat("0", 1024), 0)
	f("1e1025", "1.0e1025", 0)
	f("0e2000", "0.0", 0)
	f("1e-99999999999999999999", "1.0e-2147483647", 0)
	f("12e99999999999999999999", "1.2e2147483648", 0)
}

// FuzzJSON: what is read is JSON to the standard library too, and what is
// printed of it reads the same again.
func FuzzJSON(f *testing.F) {
	for _, seed := range []string{`{"a":[1,-2.5e3,null,true,{"b":"\u00e9\ud83c\udfac\n"}],"a":2}`, ` {} `, `{"":""}`, `{"x":"\u0000"}`, `{"a":1e400}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		object, ok := parseObject(text)
		if !ok {
			return
		}
		if !json.Valid(text) || !utf8.Valid(text) {
			t.Fatalf("read %q, which is not JSON", text)
		}
		printed := appendJSON(nil, object)
		again, ok := parseObject(printed)
		if !ok || !json.Valid(printed) {
			t.Fatalf("%q is printed %q", text, printed)
		}
		if twice := appendJSON(nil, again); string(twice) != string(printed) {
			t.Fatalf("%q is printed %q, and that %q", text, printed, twice)
		}
	})
}
