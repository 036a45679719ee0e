package rowjson

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"
)

// beyondNormal has values that are left to PostgreSQL, which may refuse them, too.
var beyondNormal = []string{
	`"\u0000"`, `"\ud800"`, `"\ud800x"`, `"\udc00"`, `{"a\n":1}`, "1e500", "1e-500", strings.Repeat("[", 300) + strings.Repeat("]", 300),
	strings.Repeat("1", 500), "", " ", "{", "[", `"`, `"\`, `{"a"}`, `[1,]`, `{"a":1,}`, "tru", "nul", "1 2", "[1 2]", "-", "-.5", "1e", "1e+", "E00", "x", `"\x"`, `"\u12"`,
}

var normalTexts = []string{
	"null", "true", "false", "0", "-0", "-0.0", "-0.00", "0.10", "1.50", "-1.5", "123456789012345678901234567890.123456789",
	"1e0", "1E5", "1.5e3", "1.50e1", "1.234e2", "1e-7", "1.5e-07", "-2.5E-3", "1e+20", "0e5", "0.0e5", "0.00e1", "-0e3", "12.5e-1", "1.7976931348623157e+308", "5e-324", "100e-2",
	`""`, `"a"`, `"\""`, `"\\"`, `"\/"`, `"\b\f\n\r\t"`, `"\u0041\u00e9\u20ac"`, `"\u000a\u0008\u001f\u001F\u007f"`, `"\u0022\u005c"`, `"\ud83d\ude00"`, `"ünï € 😀"`,
	"[]", "[ ]", "[1]", "[1,2 , 3]", "[[],[[]],{}]", "{}", "{ }", `{"a":1}`, `{"b":1,"a":2}`, `{"aa":1,"b":2,"":3,"c":4}`, `{"a":1,"a":2}`, `{"b":0,"a":1,"b":{"z":1,"y":[2]},"a":3}`,
	`{"é":1,"zz":2,"z":3,"aaa":4}`, " \n\t[\r1 , {\"a\" : [ ] } ]\n", `[{"id":1,"name":"x"}, ` + "\n" + ` {"id":2,"name":null}]`,
	`{"a":1,"b":2,"c":3,"d":4,"e":5,"f":6,"g":7,"h":8,"i":9,"j":10,"k":11,"l":12,"m":13,"n":14,"o":15,"p":16,"q":17,"r":18,"s":19,"t":20,"u":21,"v":22,"w":23,"x":24,"y":25,"z":26,"a":27}`,
}

// TestNormal compares with PostgreSQL's own cast.
func TestNormal(t *testing.T) {
	o := connect(t)
	texts := append([]string{}, normalTexts...)
	random := rand.New(rand.NewPCG(3, 4))
	for range 1500 {
		texts = append(texts, string(randomJSON(random, nil, 4)))
	}
	for _, text := range texts {
		want := string(o.query("select " + literal(text) + "::json::jsonb::text").Rows[0][0])
		got, ok := NormalCodec().Append([]byte("x"), []byte(text))
		if !ok {
			t.Errorf("%s: refused, want %s", text, want)
		} else if string(got) != "x"+want {
			t.Errorf("%s\ngot  %s\nwant %s", text, got[1:], want)
		}
	}
	for _, text := range beyondNormal {
		if got, ok := NormalCodec().Append([]byte("x"), []byte(text)); ok || string(got) != "x" {
			t.Errorf("%.40s: taken for %s", text, got)
		}
	}
}

func randomJSON(r *rand.Rand, dst []byte, depth int) []byte {
	blank := func() { dst = append(dst, []string{"", "", " ", "\n  "}[r.IntN(4)]...) }
	kinds := 7
	if depth == 0 {
		kinds = 5
	}
	switch r.IntN(kinds) {
	case 0:
		return append(dst, []string{"null", "true", "false"}[r.IntN(3)]...)
	case 1:
		return strconv.AppendInt(dst, r.Int64N(2000)-1000, 10)
	case 2:
		return fmt.Appendf(dst, "%d.%0*de%d", r.IntN(100)-50, 1+r.IntN(5), r.IntN(10), r.IntN(40)-20)
	case 3:
		return strconv.AppendFloat(dst, r.NormFloat64()*1e10, 'g', -1, 64)
	case 4:
		return append(dst, normalTexts[28+r.IntN(11)]...) // strings
	case 5:
		dst = append(dst, '[')
		for i := range r.IntN(4) {
			if i > 0 {
				dst = append(dst, ',')
			}
			blank()
			dst = randomJSON(r, dst, depth-1)
			blank()
		}
		return append(dst, ']')
	}
	dst = append(dst, '{')
	for i := range r.IntN(6) {
		if i > 0 {
			dst = append(dst, ',')
		}
		blank()
		dst = append(dst, []string{`"a"`, `"b"`, `"bb"`, `"é"`, `""`, `"x y"`, `"zzz"`}[r.IntN(7)]...)
		blank()
		dst = append(dst, ':')
		dst = randomJSON(r, dst, depth-1)
		blank()
	}
	return append(dst, '}')
}

// FuzzNormal: the output for valid JSON is an equal value, and normalizing it again does not change
// it.
func FuzzNormal(f *testing.F) {
	for _, text := range append(normalTexts, beyondNormal...) {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		once, ok := NormalCodec().Append([]byte("x"), src)
		if once[0] != 'x' || !ok && len(once) > 1 {
			t.Fatalf("%q: buffer is now %q", src, once)
		}
		if !ok || !json.Valid(src) {
			return // PostgreSQL sends only valid JSON
		}
		if !json.Valid(once[1:]) {
			t.Fatalf("%q became %q", src, once[1:])
		}
		twice, ok := NormalCodec().Append(nil, once[1:])
		if !ok && len(once) > maxNormalNumber {
			return // a number has become longer than maxNormalNumber
		}
		if !ok || string(twice) != string(once[1:]) {
			t.Fatalf("%q became %q, and that %q %t", src, once[1:], twice, ok)
		}
	})
}

func BenchmarkNormal(b *testing.B) {
	src := []byte(`[{"id":12345,"customer_id":2469,"placed":"2024-03-05T10:11:12+00:00","status":"shipped","total":123.45}, ` + "\n" +
		` {"id":12346,"customer_id":2469,"placed":"2024-04-05T10:11:12+00:00","status":"open","total":99.00}]`)
	dst := make([]byte, 0, 1024)
	b.SetBytes(int64(len(src)))
	b.ReportAllocs()
	for b.Loop() {
		dst, _ = NormalCodec().Append(dst[:0], src)
	}
}
