package rowjson

import (
	"encoding/binary"
	"strings"
	"testing"
)

func be(parts ...any) []byte {
	var b []byte
	for _, p := range parts {
		switch p := p.(type) {
		case string:
			b = append(b, p...)
		case []byte:
			b = append(b, p...)
		default:
			b, _ = binary.Append(b, binary.BigEndian, p)
		}
	}
	return b
}

func binaryArrayOf(oid int32, n int, elem []byte) []byte {
	b := be(int32(1), int32(0), oid, int32(n), int32(1))
	for range n {
		b = append(be(b, int32(len(elem))), elem...)
	}
	return b
}

// typical has a value from the wire for each codec worth measuring.
var typical = []struct {
	name    string
	session Session
	oid     uint32
	src     []byte
}{
	{"bool", Session{}, 16, be("t")},
	{"int2", Session{}, 21, be(int16(-12345))},
	{"int4", Session{}, 23, be(int32(12345678))},
	{"int8", Session{}, 20, be(int64(1234567890123456))},
	{"float8", Session{}, 701, be("1234.5678")},
	{"numeric", Session{}, 1700, be("12345.60")},
	{"date", Session{}, 1082, be(int32(9000))},
	{"timestamp", Session{}, 1114, be(int64(777777777123456))},
	{"timestamptz", Session{}, 1184, be("2024-08-24 02:22:57.123456+00")},
	{"timestamptz_utc", Session{UTC: true}, 1184, be(int64(777777777123456))},
	{"time", Session{}, 1083, be(int64(77777123456))},
	{"timetz", Session{}, 1266, be(int64(77777123456), int32(-19800))},
	{"interval", Session{}, 1186, be("1 day 02:03:04.5")},
	{"uuid", Session{}, 2950, be("0123456789abcdef")},
	{"json", Session{}, 114, be(`{"a": [1, 2, 3], "b": "some text"}`)},
	{"text5", Session{}, 25, be("hello")},
	{"text12", Session{}, 25, be("name of 1234")},
	{"text200", Session{}, 25, be(strings.Repeat("lorem ipsum dolor si", 10))},
	{"text200_escapes", Session{}, 25, be(strings.Repeat("line of \"some\" text\n", 10))},
	{"bytea2k", Session{}, 17, be(`\x` + strings.Repeat("0123456789abcdef", 256))},
	{"bytea2k_hex", Session{HexBytea: true}, 17, be(strings.Repeat("01234567", 256))},
	{"oid", Session{}, 26, be(uint32(16384))},
	{"int4_array10", Session{}, 1007, binaryArrayOf(23, 10, be(int32(12345678)))},
	{"float8_array10", Session{}, 1022, be("{1234.5678" + strings.Repeat(",1234.5678", 9) + "}")},
	{"text_array10", Session{}, 1009, be("{hello" + strings.Repeat(",hello", 9) + "}")},
	{"text_array10_quoted", Session{}, 1009, be(`{"hello world"` + strings.Repeat(`,"hello \"world\""`, 9) + "}")},
	{"timestamptz_array10", Session{}, 1185, be(`{"2024-08-24 02:22:57.123456+00"` + strings.Repeat(`,"2024-08-24 02:22:57.123456+00"`, 9) + "}")},
	{"uuid_array10", Session{}, 2951, binaryArrayOf(2950, 10, be("0123456789abcdef"))},
}

// BenchmarkCodec: bytes per second are bytes of output.
func BenchmarkCodec(b *testing.B) {
	for _, c := range typical {
		codec, _ := c.session.Lookup(c.oid)
		b.Run(c.name, func(b *testing.B) {
			dst, ok := codec.Append(nil, c.src)
			if !ok {
				b.Fatal("refused")
			}
			b.SetBytes(int64(len(dst)))
			b.ReportAllocs()
			for b.Loop() {
				dst, _ = codec.Append(dst[:0], c.src)
			}
		})
	}
}

// mixedRow returns ten columns that are typical of a REST resource.
func mixedRow(tb testing.TB) ([]Column, [][]byte) {
	var cols []Column
	var values [][]byte
	for _, c := range []struct {
		name string
		oid  uint32
		src  []byte
	}{
		{"id", 20, be(int64(1234567))},
		{"uuid", 2950, be("0123456789abcdef")},
		{"name", 25, be("Ada Lovelace")},
		{"email", 1043, be("ada.lovelace@example.org")},
		{"active", 16, be("t")},
		{"balance", 1700, be("12345.60")},
		{"born", 1082, be(int32(-30000))},
		{"created_at", 1184, be("2024-08-24 02:22:57.123456+00")},
		{"tags", 1009, be("{math,poetry,engines}")},
		{"note", 25, nil},
	} {
		col, ok := NewColumn(c.name, c.oid)
		if !ok {
			tb.Fatal(c.name)
		}
		cols, values = append(cols, col), append(values, c.src)
	}
	return cols, values
}

func BenchmarkAppendObject(b *testing.B) {
	cols, values := mixedRow(b)
	dst, ok := AppendObject(nil, cols, values)
	if !ok {
		b.Fatal("refused")
	}
	b.SetBytes(int64(len(dst)))
	b.ReportAllocs()
	for b.Loop() {
		dst, _ = AppendObject(dst[:0], cols, values)
	}
}
