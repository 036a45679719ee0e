package parser

import "testing"

func TestNumber(t *testing.T) {
	f := func(text, want string) {
		t.Helper()
		n, ok := parseNumber([]byte(text))
		got := string(appendNumber(nil, n))
		if !ok {
			got = "none"
			if !n.is(0) {
				t.Errorf("%q: no number is %v", text, n)
			}
		}
		if got != want {
			t.Errorf("%q: got %s, want %s", text, got, want)
		}
	}
	f("0", "0")
	f("12", "12")
	f("007", "7")
	f("-3", "-3")
	f("- 3", "-3")
	f(" \t\n3\u00a0\u2003", "3")
	f("(3)", "3")
	f(" ( ( -3 ) ) ", "-3")
	f("0x1F", "31")
	f("0Xff", "255")
	f("0o17", "15")
	f("0b101", "5")
	f("-0x10", "-16")
	f("9223372036854775807", "9223372036854775807")
	f("9223372036854775808", "9223372036854775808")
	f("-9223372036854775808", "-9223372036854775808")
	f("-9223372036854775809", "-9223372036854775809")
	f("0xFFFFFFFFFFFFFFFFFF", "4722366482869645213695")
	f("000000000000000000000000000012", "12")
	for _, text := range []string{
		"", " ", "-", "+3", "--3", "-(3)", "(3", "3)", "3 4", "1.0", "1e3", "0x", "0xg", "0o8", "0b2", "abc", "1A", "٣", "1_000", "null",
		"(-)", "()", "99999999999999999999x",
	} {
		f(text, "none")
	}
}
