package rowjson

import (
	"bytes"
	"fmt"
	"math"
	"strconv"
	"strings"
	"testing"
	"time"
)

func TestAppendString(t *testing.T) {
	f := func(in, want string) {
		t.Helper()
		if got := string(AppendString([]byte("x"), []byte(in))); got != "x"+want {
			t.Errorf("AppendString(%q) = %s, want %s", in, got[1:], want)
		}
	}
	f("", `""`)
	f("a", `"a"`)
	f("12345678", `"12345678"`)
	f("1234567\"", `"1234567\""`)
	f(`\`, `"\\"`)
	f("\b\f\n\r\t", `"\b\f\n\r\t"`)
	f("\x01\x1f\x7f", "\"\\u0001\\u001f\x7f\"")
	f("<&>/'", `"<&>/'"`)
	f("äöü€😀 "+"tail of a longer string\n", `"äöü€😀 tail of a longer string\n"`)
	f("\xff\xfe invalid", "\"\xff\xfe invalid\"")
}

// TestEscapesAnywhere: with room after the buffer, strings are copied while they are checked. Every
// byte that needs an escape is found, at every position, and no byte after the string is written.
func TestEscapesAnywhere(t *testing.T) {
	const clean = "The quick brown fox jumps over the lazy dog, 1234567890."
	for n := range len(clean) {
		for at := -1; at < n; at++ {
			for _, c := range []byte{'"', '\\', 0, 0x1f, '\n', 0x20, 0x7f, 0x80, 0xff} {
				s := append(make([]byte, 0, n), clean[:n]...)
				if at >= 0 {
					s[at] = c
				}
				memory := bytes.Repeat([]byte{'.'}, 200)
				got := AppendString(memory[:3:len(memory)-20], s)
				want := AppendString([]byte("..."), s)[3:]
				if string(got[:3]) != "..." || string(got[3:]) != string(slowString(s)) || string(want) != string(got[3:]) {
					t.Fatalf("%q: %s with room, %s without", s, got, want)
				}
				if !bytes.Equal(memory[180:], bytes.Repeat([]byte{'.'}, 20)) {
					t.Fatalf("%q: something behind the buffer", s)
				}
			}
		}
	}
}

func slowString(s []byte) []byte {
	dst := []byte{'"'}
	for _, c := range s {
		if escaped[c] {
			dst = appendEscape(dst, c)
		} else {
			dst = append(dst, c)
		}
	}
	return append(dst, '"')
}

// TestIntegers: all integers of few digits and those around powers of ten, with room and without.
func TestIntegers(t *testing.T) {
	f := func(v int64) {
		t.Helper()
		want := strconv.FormatInt(v, 10)
		if got := appendInt(make([]byte, 0, 32), v); string(got) != want {
			t.Fatalf("%s, want %s", got, want)
		}
		if got := appendInt(make([]byte, 0, 7), v); string(got) != want {
			t.Fatalf("without room: %s, want %s", got, want)
		}
	}
	for v := range int64(200_000) {
		f(v)
		f(v * 499) // up to 10^8 and a little less
		f(99_999_999 - v)
	}
	for p := int64(1); p < math.MaxInt64/10; p *= 10 {
		for d := int64(-2); d <= 2; d++ {
			f(p + d)
			f(-p + d)
		}
	}
	f(math.MinInt64)
	f(math.MaxInt64)
}

// TestKeys: keys of all lengths, in buffers with room and without.
func TestKeys(t *testing.T) {
	for n := range 40 {
		name := strings.Repeat("k", n)
		first, _ := NewColumn(name, 25)
		second, _ := NewColumn(name+"2", 25)
		want := fmt.Sprintf(`[{"%s":"v","%s2":null}`, name, name)
		for room := range 60 {
			got, ok := AppendObject(append(make([]byte, 0, 1+room), '['), []Column{first, second}, [][]byte{[]byte("v"), nil})
			if !ok || string(got) != want {
				t.Fatalf("%s, %v, want %s", got, ok, want)
			}
		}
	}
	if got, ok := AppendObject([]byte("["), nil, nil); !ok || string(got) != "[{}" {
		t.Errorf("no columns: %s, %v", got, ok)
	}
}

func TestAppendObject(t *testing.T) {
	cols := make([]Column, 3)
	for i, c := range []struct {
		name string
		oid  uint32
	}{{"id", 23}, {`we"ird`, 25}, {"day", 1082}} {
		var ok bool
		if cols[i], ok = NewColumn(c.name, c.oid); !ok {
			t.Fatalf("NewColumn(%q, %d) has no codec", c.name, c.oid)
		}
	}
	row := [][]byte{{0, 0, 1, 0}, nil, {0, 0, 0, 0}}
	got, ok := AppendObject([]byte("["), cols, row)
	if want := `[{"id":256,"we\"ird":null,"day":"2000-01-01"}`; !ok || string(got) != want {
		t.Errorf("AppendObject = %s, %v, want %s", got, ok, want)
	}
	row[2] = []byte{1}
	got, ok = AppendObject([]byte("["), cols, row)
	if ok || string(got) != "[" {
		t.Errorf("AppendObject with a short date = %q, %v, want the old buffer and false", got, ok)
	}
	if got, ok = AppendObject(nil, cols, row[:2]); ok || len(got) != 0 {
		t.Errorf("AppendObject with a value missing = %q, %v, want false", got, ok)
	}
	if _, ok := NewColumn("r", 2249); ok {
		t.Error("NewColumn: record has a codec")
	}
}

// TestCodecs shows the input and output of each codec; want "" means refused. The oracle test has
// many more values.
func TestCodecs(t *testing.T) {
	f := func(oid uint32, src, want string) {
		t.Helper()
		codec, ok := Session{HexBytea: true}.Lookup(oid)
		if !ok {
			t.Fatalf("Lookup(%d) finds nothing", oid)
		}
		got, ok := codec.Append(nil, []byte(src))
		if string(got) != want || ok != (want != "") {
			t.Errorf("codec of %d for %q = %s, %v, want %s", oid, src, got, ok, want)
		}
	}
	f(16, "t", `true`)
	f(16, "true", ``)
	f(21, "\xff\xff", `-1`)
	f(23, "\x80\x00\x00\x00", `-2147483648`)
	f(23, "\x80\x00\x00", ``)
	f(20, "\x00\x00\x00\x00\x00\x00\x00\x00", `0`)
	f(26, "\xff\xff\xff\xff", `"4294967295"`)
	f(1700, "1.50", `1.50`)
	f(1700, "NaN", `"NaN"`)
	f(701, "-Infinity", `"-Infinity"`)
	f(701, "1e+20", `1e+20`)
	f(701, "01", `"01"`)

	f(1082, "\x7f\xff\xff\xff", `"infinity"`)
	f(1082, "\xff\xf4\xdb\xf8", `"0001-12-31 BC"`)
	f(1114, "\x00\x00\x00\x00\x00\x00\x00\x0a", `"2000-01-01T00:00:00.00001"`)
	f(1083, "\x00\x00\x00\x14\x1d\xd7\x60\x00", `"24:00:00"`)
	f(1083, "\x00\x00\x00\x14\x1d\xd7\x60\x01", ``)
	f(1266, "\x00\x00\x00\x00\x00\x00\x00\x00\xff\xff\xb2\xa8", `"00:00:00+05:30"`)
	f(1184, "2000-01-01 07:59:59.999999+00", `"2000-01-01T07:59:59.999999+00:00"`)
	f(1184, "2000-01-01 07:59:59+05:30", `"2000-01-01T07:59:59+05:30"`)
	f(1184, "0044-03-15 00:00:00-00:44:30 BC", `"0044-03-15T00:00:00-00:44:30 BC"`)
	f(1184, "294276-12-31 23:59:59-15", `"294276-12-31T23:59:59-15:00"`)
	f(1184, "infinity", `"infinity"`)
	for _, bad := range []string{"", "2000-01-01 07:59:59", "2000-01-01 07:59:59 UTC", "01/01/2000 07:59:59 UTC", "Sat Jan 01 07:59:59 2000 UTC", "01.01.2000 07:59:59 UTC",
		"200-01-01 07:59:59+00", "2000-01-01T07:59:59+00", "2000-01-01 07:59:5a+00", "2000-01-01 07:59:59.+00", "2000-01-01 07:59:59+0", "2000-01-01 07:59:59+00:0", "2000-01-01 07:59:59+00 AD"} {
		f(1184, bad, ``)
	}

	f(2950, "0123456789abcdef", `"30313233-3435-3637-3839-616263646566"`)
	f(2950, "\xff\xee\xdd\xcc\xbb\xaa\x99\x88\x77\x66\x55\x44\x33\x22\x11\x00", `"ffeeddcc-bbaa-9988-7766-554433221100"`)
	f(17, "", `"\\x"`)
	f(17, "\x00\x7f\x80\xff\x9a", `"\\x007f80ff9a"`)
	f(3802, `{"a": 1}`, `{"a": 1}`)
	f(114, "", ``)

	f(1009, `{}`, `[]`)
	f(1009, `{a,"b c",NULL,"NULL","\"\\"}`, `["a","b c",null,"NULL","\"\\"]`)
	f(1009, "[0:1][5:5]={{a},{\"\n\"}}", `[["a"],["\n"]]`)
	f(1020, "{(1,1),(0,0);(2,2),(1,1)}", `["(1,1),(0,0)","(2,2),(1,1)"]`)
	f(1022, "{1.5,NaN,NULL}", `[1.5,"NaN",null]`)
	f(1185, `{"2000-01-01 00:00:00+00",infinity}`, `["2000-01-01T00:00:00+00:00","infinity"]`)
	f(1185, `{"01/01/2000 00:00:00 UTC"}`, ``)
	for _, bad := range []string{"", "{", "}", "a", "{a", "{a}}", "{{a}", "{a,}", "{,}", `{"a`, `{"a\`, "{a}b", "[1:1]", `{a"b"}`, "{{{{{{{a}}}}}}}", "{a{b}}"} {
		f(1009, bad, ``)
	}
	f(1007, "\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x17", `[]`)
	f(1007, string(binaryArrayOf(23, 2, be(int32(7)))), `[7,7]`)
	f(1007, string(binaryArrayOf(23, 2, be(int16(7)))), ``)
	f(1007, string(binaryArrayOf(23, 2, be(int32(7))))+"x", ``)
	f(1007, string(be(int32(2), int32(1), int32(23), int32(2), int32(1), int32(1), int32(0), int32(-1), int32(4), int32(5))), `[[null],[5]]`)
	f(1007, string(be(int32(1), int32(0), int32(23), int32(1), int32(1), int32(-2))), ``)
	f(1007, string(be(int32(1), int32(0), int32(23), int32(1<<30), int32(1))), ``)
	f(1007, string(be(int32(7), int32(0), int32(23))), ``)
	f(22, string(be(int32(1), int32(1), int32(21), int32(2), int32(0), int32(2), int16(7), int32(-1))), `[7,null]`)
	f(30, string(binaryArrayOf(26, 2, be(uint32(1<<32-1)))), `["4294967295","4294967295"]`)
	f(30, string(be(int32(2), int32(0), int32(26), int32(1), int32(0), int32(1), int32(0), int32(4), int32(5))), `[["5"]]`)
	f(30, string(be(int32(0), int32(0), int32(26))), `[]`)
	f(1006, string(binaryArrayOf(22, 2, binaryArrayOf(21, 1, be(int16(7))))), `[[7],[7]]`)
}

// TestCalendar compares all days of the first 9999 years with the standard library's calendar.
func TestCalendar(t *testing.T) {
	day := time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC)
	epoch := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)
	n := int32(-(epoch.Unix() - day.Unix()) / secondsPerDay)
	var got, want []byte
	for ; day.Year() < 10_000; day, n = day.AddDate(0, 0, 1), n+1 {
		got, _ = appendDate(got[:0], be(n))
		want = day.AppendFormat(want[:0], `"2006-01-02"`)
		if string(got) != string(want) {
			t.Fatalf("day %d = %s, want %s", n, got, want)
		}
	}
	if got := fmt.Sprint(n); got != "2921940" {
		t.Errorf("ended at day %s", got)
	}
}
