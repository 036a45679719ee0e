package rowjson

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strconv"
	"strings"
)

// sampler makes input texts of one type: edge cases, and any number of random values.
type sampler struct {
	edges  []string
	random func(r *rand.Rand) string
}

// samplers has a sampler for each type of the table, by name. Types without input function are in
// unreadable.
var samplers = map[string]sampler{
	"bool": {[]string{"t", "f"}, oneOf("t", "f")},
	"int2": {[]string{"0", "1", "-1", "32767", "-32768"}, func(r *rand.Rand) string { return itoa(int64(int16(r.Uint32()))) }},
	"int4": {[]string{"0", "9", "10", "-1", "2147483647", "-2147483648"}, func(r *rand.Rand) string {
		return itoa(int64(int32(r.Uint32()) >> r.IntN(32)))
	}},
	"int8": {[]string{"0", "-1", "9223372036854775807", "-9223372036854775808"}, func(r *rand.Rand) string {
		return itoa(int64(r.Uint64()) >> r.IntN(64))
	}},
	"float4": {
		[]string{"0", "-0", "1", "NaN", "Infinity", "-Infinity", "1e-45", "3.4028235e38", "16777216", "1e15", "1e-5", "0.1", "123456.7", "1e6", "999999.9"},
		func(r *rand.Rand) string {
			return strconv.FormatFloat(float64(math.Float32frombits(r.Uint32()%0x7f800000)), 'g', -1, 32)
		},
	},
	"float8": {
		[]string{"0", "-0", "1", "NaN", "Infinity", "-Infinity", "5e-324", "1.7976931348623157e308", "9007199254740993", "1e14", "1e15", "1e16",
			"1e-4", "1e-5", "0.1", "0.30000000000000004", "2e-44", "9.5367431640625e-07", "4.4501477170144023e-308"},
		func(r *rand.Rand) string {
			if r.IntN(2) == 0 {
				return strconv.FormatFloat(float64(r.IntN(1_000_000))/100, 'f', -1, 64)
			}
			return strconv.FormatFloat(math.Float64frombits(r.Uint64()%0x7ff0000000000000), 'g', -1, 64)
		},
	},
	"numeric": {
		[]string{"0", "0.00", "-0.0", "1", "-1.50", "NaN", "Infinity", "-Infinity", "1e-20", "1e20", "10000", "9999.9999", "0.0001", "0.00001000",
			"123456789012345678901234567890.123456789", strings.Repeat("9", 400), "0." + strings.Repeat("0", 400) + "1", "1e500"},
		numeric,
	},

	"date": {
		[]string{"2000-01-01", "1999-12-31", "1970-01-01", "infinity", "-infinity", "0001-01-01", "0001-12-31 BC", "0001-01-01 BC", "4713-11-24 BC",
			"4714-11-24 BC", "9999-12-31", "10000-01-01", "5874897-12-31", "1900-02-28", "1900-03-01", "2000-02-29", "2100-03-01", "0004-02-29", "0005-02-28 BC"},
		func(r *rand.Rand) string {
			if r.IntN(4) == 0 {
				return day(r, 5_000_000)
			}
			return day(r, 3000)
		},
	},
	"time":   {[]string{"00:00", "24:00", "23:59:59.999999", "00:00:00.000001", "12:34:56.7"}, clock},
	"timetz": {[]string{"00:00+00", "24:00-15:59", "23:59:59.999999+05:30", "12:34:56.7-00:44:30", "01:02:03+15:59:59", "12:00-03:30"}, func(r *rand.Rand) string { return clock(r) + zone(r) }},
	"timestamp": {
		[]string{"2000-01-01 00:00", "1999-12-31 23:59:59.999999", "infinity", "-infinity", "4714-11-24 00:00 BC", "0001-01-01 00:00:00.5 BC",
			"294276-12-31 23:59:59.999999", "9999-12-31 23:59:59.1", "10000-01-01 00:00", "2024-02-29 12:00:00.000001", "1969-12-31 24:00"},
		moment,
	},
	"timestamptz": {
		[]string{"2000-01-01 00:00Z", "1999-12-31 23:59:59.999999Z", "infinity", "-infinity", "4713-12-24 00:00Z BC", "0001-01-01 00:00:00.5Z BC",
			"294276-12-30 23:59:59.999999Z", "9999-12-31 23:59:59.1Z", "10000-01-01 00:00Z", "1900-01-01 00:00Z", "1883-11-18 17:00Z", "1971-12-31 00:00Z",
			"1972-01-07 00:00Z", "2011-12-30 10:00Z", "2011-12-31 10:00Z", "2024-03-10 06:59:59Z", "2024-03-10 07:00Z", "1844-12-30 00:00Z", "0001-12-31 23:59:59 BC"},
		func(r *rand.Rand) string { return moment(r) + zone(r) },
	},
	"interval": {
		[]string{"0", "1 year", "-1 year", "-1 mon", "1 day", "-1 day", "1 mon -1 day", "-00:00:01", "00:00:00.000001", "-00:00:00.5", "1 year 2 mons 3 days 04:05:06.789",
			"-1 year -2 mons +3 days -04:05:06.78", "178000000 years", "1 mon -1 sec", "100000 hours", "1 day -00:00:00.1"},
		func(r *rand.Rand) string {
			return fmt.Sprintf("%d years %d mons %d days %d.%06d secs", small(r), small(r), small(r), small(r)*1000, r.IntN(1e6))
		},
	},

	"uuid": {[]string{"00000000-0000-0000-0000-000000000000", "ffffffff-ffff-ffff-ffff-ffffffffffff", "01234567-89ab-cdef-0123-456789abcdef"}, func(r *rand.Rand) string {
		return fmt.Sprintf("%016x%016x", r.Uint64(), r.Uint64())
	}},
	"json":  {jsonEdges, jsonValue},
	"jsonb": {jsonEdges, jsonValue},

	"text":      {textEdges, str},
	"varchar":   {textEdges, str},
	"bpchar":    {textEdges, str},
	"name":      {textEdges, short},
	"refcursor": {textEdges, str},
	"cstring":   {textEdges, str},
	"char":      {[]string{"", "a", `"`, `\`, "\n", " ", `\200`, `\377`, "\x01", "\x7f"}, func(r *rand.Rand) string { return fmt.Sprintf(`\%03o`, 1+r.IntN(255)) }},
	"xml":       {[]string{"<a/>", `<a b="c">d &amp; e</a>`, `<?xml version="1.0" encoding="UTF-8"?><a>ä</a>`, "text\nonly"}, oneOf("<x>1</x>", "<x y='\\'/>")},
	"bytea":     {[]string{`\x`, `\x00`, `\xff`, `\x5c22`, `\x0123456789abcdef`}, func(r *rand.Rand) string { return fmt.Sprintf(`\x%x`, bytesOf(r)) }},
	"bit":       {[]string{"", "0", "1", "101"}, bits01},
	"varbit":    {[]string{"", "0", "1", "0101"}, bits01},
	"money":     {[]string{"0", "1.5", "-1.5", "92233720368547758.07", "-92233720368547758.08", "1234.56"}, func(r *rand.Rand) string { return fmt.Sprint(r.IntN(1e9) - 5e8) }},

	"inet": {[]string{"0.0.0.0", "127.0.0.1", "10.0.0.1/8", "::", "::1", "::ffff:1.2.3.4", "::1.2.3.4", "2001:db8::1/32", "fe80::1:0:0:1"}, func(r *rand.Rand) string {
		if r.IntN(2) == 0 {
			return fmt.Sprintf("%d.%d.%d.%d/%d", r.IntN(256), r.IntN(256), r.IntN(256), r.IntN(256), r.IntN(33))
		}
		return fmt.Sprintf("%x:%x::%x/%d", r.IntN(65536), r.IntN(65536), r.IntN(65536), r.IntN(129))
	}},
	"cidr":     {[]string{"0.0.0.0/0", "10.0.0.0/8", "::/0", "2001:db8::/32"}, func(r *rand.Rand) string { return fmt.Sprintf("%d.%d.0.0/16", r.IntN(256), r.IntN(256)) }},
	"macaddr":  {[]string{"00:00:00:00:00:00", "ff:ff:ff:ff:ff:ff"}, func(r *rand.Rand) string { return fmt.Sprintf("%012x", r.Uint64()>>16) }},
	"macaddr8": {[]string{"00:00:00:00:00:00:00:00"}, func(r *rand.Rand) string { return fmt.Sprintf("%016x", r.Uint64()) }},

	"oid":           {[]string{"0", "1", "4294967295"}, uint32s},
	"xid":           {[]string{"0", "1", "4294967295"}, uint32s},
	"cid":           {[]string{"0", "1", "4294967295"}, uint32s},
	"xid8":          {[]string{"0", "1", "18446744073709551615"}, func(r *rand.Rand) string { return strconv.FormatUint(r.Uint64(), 10) }},
	"tid":           {[]string{"(0,0)", "(4294967295,65535)"}, func(r *rand.Rand) string { return fmt.Sprintf("(%d,%d)", r.Uint32(), r.IntN(65536)) }},
	"pg_lsn":        {[]string{"0/0", "FFFFFFFF/FFFFFFFF"}, func(r *rand.Rand) string { return fmt.Sprintf("%X/%X", r.Uint32(), r.Uint32()) }},
	"pg_snapshot":   {[]string{"10:20:10,14,15", "1:1:"}, oneOf("10:20:", "5:9:6,7")},
	"txid_snapshot": {[]string{"10:20:10,14,15", "1:1:"}, oneOf("10:20:", "5:9:6,7")},
	"aclitem":       {[]string{"postgres=r/postgres", "=arwdDxt/postgres", "postgres=a*/postgres"}, oneOf("postgres=w/postgres")},
	"int2vector":    {[]string{"", "1", "1 2 -3"}, oneOf("5 6 7 8", "-32768")},
	"oidvector":     {[]string{"", "1", "1 2 3"}, oneOf("5 6 7 8", "4294967295")},

	"regproc":       {[]string{"0", "now", "pg_catalog.array_in", "4000000000"}, oneOf("int4in")},
	"regprocedure":  {[]string{"0", "now()", "array_append(anycompatiblearray,anycompatible)"}, oneOf("int4in(cstring)", "4000000000")},
	"regoper":       {[]string{"0", "pg_catalog.||/", "4000000000"}, oneOf("pg_catalog.|/")},
	"regoperator":   {[]string{"0", "+(integer,integer)", "-(NONE,integer)", "pg_catalog.!~~*(text,text)"}, oneOf("||(text,text)")},
	"regclass":      {[]string{"pg_class", "0", "4000000000", "\"We \"\"ird\tab\"", `other."Q t"`}, oneOf("pg_type", "information_schema.columns")},
	"regtype":       {[]string{"integer", "timestamp with time zone", `"char"`, "0", "text[]"}, oneOf("numeric", "_int4")},
	"regcollation":  {[]string{`"C"`, "0", `pg_catalog."POSIX"`}, oneOf(`"default"`)},
	"regrole":       {[]string{"postgres", "0", "4000000000"}, oneOf("pg_read_all_data")},
	"regnamespace":  {[]string{"pg_catalog", "0", "4000000000"}, oneOf("public", "other")},
	"regconfig":     {[]string{"english", "simple", "0"}, oneOf("german")},
	"regdictionary": {[]string{"simple", "0"}, oneOf("english_stem")},

	"tsvector": {[]string{"", "a b c", "'a b':1A,2B c:3", `'it''s' '\\'`}, oneOf("x:1,2,3 y:4C", "ä:1")},
	"tsquery":  {[]string{"", "a & b", "!(a | b) <-> c:*A", `'it''s' & '\\'`}, oneOf("x <2> y", "ä")},
	"jsonpath": {[]string{"$", `$."a b"[*] ? (@ > 1)`, `strict $.a."\"q\\"`}, oneOf("$.a.b", "$[0 to last]")},

	"point":   {[]string{"(0,0)", "(1.5,-2e300)", "(NaN,Infinity)", "(0.1,0.30000000000000004)"}, func(r *rand.Rand) string { return point(r) }},
	"lseg":    {[]string{"[(0,0),(1,1)]"}, func(r *rand.Rand) string { return "[" + point(r) + "," + point(r) + "]" }},
	"path":    {[]string{"[(0,0),(1,1)]", "((0,0),(1,1),(2,0.1))"}, func(r *rand.Rand) string { return "[" + point(r) + "," + point(r) + "," + point(r) + "]" }},
	"box":     {[]string{"(0,0),(1,1)"}, func(r *rand.Rand) string { return point(r) + "," + point(r) }},
	"polygon": {[]string{"((0,0),(1,1),(0,1))"}, func(r *rand.Rand) string { return "(" + point(r) + "," + point(r) + "," + point(r) + ")" }},
	"line":    {[]string{"{1,-1,0}", "{0.1,3,-7e10}"}, func(r *rand.Rand) string { return "{1," + itoa(small(r)) + ",0.1}" }},
	"circle":  {[]string{"<(0,0),1>"}, func(r *rand.Rand) string { return "<" + point(r) + ",0.1>" }},

	"int4range":      {[]string{"empty", "[1,5)", "(,)", "[,3]", "(1,)"}, int4Range},
	"int8range":      {[]string{"empty", "[1,5)", "(,)"}, int8Range},
	"numrange":       {[]string{"empty", "[1.0,5.50)", "(,NaN)", "[-Infinity,Infinity]"}, numRange},
	"daterange":      {[]string{"empty", "[2000-01-01,2001-01-01]", "(,infinity)", "[0044-03-15 BC,)"}, dateRange},
	"tsrange":        {[]string{"empty", `["2000-01-01 00:00","2001-01-01 00:00:00.5"]`, "(,infinity)"}, tsRange},
	"tstzrange":      {[]string{"empty", `["2000-01-01 00:00Z","2001-01-01 00:00:00.5Z"]`, "(,infinity)"}, tstzRange},
	"int4multirange": {[]string{"{}", "{[1,5),[7,9)}", "{(,)}"}, many(int4Range)},
	"int8multirange": {[]string{"{}", "{[1,5),[7,9)}"}, many(int8Range)},
	"nummultirange":  {[]string{"{}", "{[1.0,5.50),[7,9)}"}, many(numRange)},
	"datemultirange": {[]string{"{}", "{[2000-01-01,2001-01-01],[2002-01-01,)}"}, many(dateRange)},
	"tsmultirange":   {[]string{"{}", `{["2000-01-01 00:00","2001-01-01 00:00:00.5"]}`}, many(tsRange)},
	"tstzmultirange": {[]string{"{}", `{["2000-01-01 00:00Z","2001-01-01 00:00:00.5Z"]}`}, many(tstzRange)},
}

var (
	int4Range = between(func(r *rand.Rand) string { return itoa(int64(int32(r.Uint32() >> 1))) })
	int8Range = between(func(r *rand.Rand) string { return itoa(int64(r.Uint64() >> 2)) })
	numRange  = between(numeric)
	dateRange = between(func(r *rand.Rand) string { return day(r, 9000) })
	tsRange   = between(moment)
	tstzRange = tsRange
)

// unreadable has the types without input function. Their values come from where the server stores
// some, if anywhere.
var unreadable = map[string]string{
	"pg_node_tree":    "select adbin from pg_attrdef",
	"pg_ndistinct":    "select stxdndistinct from pg_statistic_ext_data",
	"pg_dependencies": "select stxddependencies from pg_statistic_ext_data",
	"pg_mcv_list":     "select stxdmcv from pg_statistic_ext_data",
	// These occur only inside indexes: no column or function that a query may name returns them.
	"gtsvector":                    "",
	"pg_brin_bloom_summary":        "",
	"pg_brin_minmax_multi_summary": "",
}

var textEdges = []string{"", " ", "a", "NULL", "null", `"`, `\`, `\\`, `{}`, `{a,b}`, "a,b", "a;b", "\b\f\n\r\t", "\x01\x1f\x7f", "<a href='x'>&</a>", "äöü€😀",
	"\u2028\u2029\ufeff", "1234567\"", "12345678\"", "12345678", strings.Repeat("long ", 20) + "\n", ` lead`, `trail `, `a"b\c`}

var jsonEdges = []string{"null", "true", "0", "1.50", `""`, `"\u0041\n\"<"`, "[]", "{}", `{"a": [1, 2, {"b": null}], "a b": "c\\d"}`, "[1,2 , 3]", `"ä😀"`, `{"x":"NULL"}`, " [1]\n", "1e5"}

func itoa(n int64) string { return strconv.FormatInt(n, 10) }

func small(r *rand.Rand) int64 { return r.Int64N(41) - 20 }

func uint32s(r *rand.Rand) string { return strconv.FormatUint(uint64(r.Uint32()), 10) }

func oneOf(s ...string) func(*rand.Rand) string {
	return func(r *rand.Rand) string { return s[r.IntN(len(s))] }
}

func numeric(r *rand.Rand) string {
	s := itoa(int64(r.Uint64()) >> r.IntN(64))
	if scale := r.IntN(30); scale > 0 {
		s += "." + fmt.Sprintf("%030d", r.Uint64())[30-scale:]
	}
	return s
}

func day(r *rand.Rand, maxYear int) string {
	s := fmt.Sprintf("%04d-%02d-%02d", 1+r.IntN(maxYear), 1+r.IntN(12), 1+r.IntN(28))
	if maxYear < 5000 && r.IntN(5) == 0 {
		s += " BC"
	}
	return s
}

func clock(r *rand.Rand) string {
	s := fmt.Sprintf("%02d:%02d:%02d", r.IntN(24), r.IntN(60), r.IntN(60))
	if r.IntN(2) == 0 {
		s += fmt.Sprintf(".%06d", r.IntN(1_000_000))[:2+r.IntN(6)]
	}
	return s
}

func zone(r *rand.Rand) string {
	s := fmt.Sprintf("%+03d", r.IntN(31)-15)
	for range r.IntN(3) {
		s += fmt.Sprintf(":%02d", r.IntN(60))
	}
	return s
}

func moment(r *rand.Rand) string {
	switch r.IntN(8) {
	case 0:
		return day(r, 200_000) + " " + clock(r)
	case 1:
		return fmt.Sprintf("%04d-%02d-%02d %s", 1880+r.IntN(200), 1+r.IntN(12), 1+r.IntN(28), clock(r))
	}
	return fmt.Sprintf("%04d-%02d-%02d %s", 1+r.IntN(3000), 1+r.IntN(12), 1+r.IntN(28), clock(r))
}

func point(r *rand.Rand) string {
	return fmt.Sprintf("(%v,%v)", r.NormFloat64(), float64(r.IntN(1000))/10)
}

// between makes ranges. It makes bounds until they are in order.
func between(bound func(*rand.Rand) string) func(*rand.Rand) string {
	return func(r *rand.Rand) string {
		switch r.IntN(4) {
		case 0:
			return `["` + bound(r) + `",)`
		case 1:
			return `(,"` + bound(r) + `"]`
		}
		b := bound(r)
		return `["` + b + `","` + b + `"]`
	}
}

func many(ranges func(*rand.Rand) string) func(*rand.Rand) string {
	return func(r *rand.Rand) string { return "{" + ranges(r) + "," + ranges(r) + "}" }
}

func bits01(r *rand.Rand) string {
	b := make([]byte, r.IntN(70))
	for i := range b {
		b[i] = '0' + byte(r.IntN(2))
	}
	return string(b)
}

func bytesOf(r *rand.Rand) []byte {
	b := make([]byte, r.IntN(40))
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return b
}

// str contains all characters that some layer escapes.
func str(r *rand.Rand) string {
	const alphabet = "abcdefgh ABC 012 NULL{}(),;[]'<>&/\"\\\"\\\b\f\n\r\t\x01\x0b\x1e\x1f\x7f"
	var b strings.Builder
	for range r.IntN(40) {
		switch r.IntN(12) {
		case 0:
			b.WriteString([]string{"ä", "€", "😀", "\u2028", "\u0080", "\ufffd"}[r.IntN(6)])
		default:
			b.WriteByte(alphabet[r.IntN(len(alphabet))])
		}
	}
	return b.String()
}

// short is short enough for a name, and a name that the server does not cut inside a character.
func short(r *rand.Rand) string {
	s := []rune(str(r))
	return string(s[:min(len(s), 15)])
}

func jsonValue(r *rand.Rand) string {
	return fmt.Sprintf(`{"k%d": %s, "s": %s, "l":[%d , null,{}]}`, small(r), strconv.FormatFloat(r.NormFloat64(), 'g', -1, 64), AppendString(nil, []byte(str(r))), small(r))
}

// arrayText writes an array literal of random shape with elements from texts.
func arrayText(r *rand.Rand, texts []string, delim byte) string {
	ndim := 1
	if r.IntN(3) == 0 {
		ndim += r.IntN(5)
	}
	var dims []int
	for range ndim {
		dims = append(dims, 1+r.IntN(3))
	}
	if ndim == 1 {
		dims[0] = 1 + r.IntN(9)
	}
	var b strings.Builder
	if r.IntN(4) == 0 {
		for _, n := range dims {
			low := r.IntN(7) - 3
			fmt.Fprintf(&b, "[%d:%d]", low, low+n-1)
		}
		b.WriteByte('=')
	}
	writeDim(&b, r, texts, delim, dims)
	return b.String()
}

func writeDim(b *strings.Builder, r *rand.Rand, texts []string, delim byte, dims []int) {
	b.WriteByte('{')
	for i := range dims[0] {
		if i > 0 {
			b.WriteByte(delim)
		}
		switch {
		case len(dims) > 1:
			writeDim(b, r, texts, delim, dims[1:])
		case r.IntN(8) == 0:
			b.WriteString("NULL")
		default:
			b.WriteByte('"')
			b.WriteString(strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(texts[r.IntN(len(texts))]))
			b.WriteByte('"')
		}
	}
	b.WriteByte('}')
}
