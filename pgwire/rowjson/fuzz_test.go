package rowjson

import (
	"bytes"
	"encoding/json"
	"testing"
	"unicode/utf8"
)

// trusted has the types whose bytes are copied unchecked: their JSON is valid only if the server
// sends valid JSON.
var trusted = map[uint32]bool{114: true, 3802: true, 199: true, 3807: true}

var wireSeeds = []string{
	"", "t", "\x00\x07", "\x00\x00\x01\x00", "\x7f\xff\xff\xff", "\x80\x00\x00\x00\x00\x00\x00\x00", "\x7f\xff\xff\xff\xff\xff\xff\xff", "\xff\xff\xff\xff\xff\xff\xff\xff",
	"0123456789abcdef", "\x00\x00\x00\x00\x00\x00\x00\x01\xff\xff\xb9\xb0",
	"\x00\x00\x00\x2a", "\x05\xf5\xe0\xff", "\x05\xf5\xe1\x00", "\x00\x00\x00\x00\x05\xf5\xe0\xff",
	"2024-03-01 23:42:17+00", "2024-03-01 23:42:17.5-11", "2024-03-01 23:42:17.+00", "2024-03-01 23:42:17+05:30", "2024-03-01T23:42:17+00", "2024-03-01 23:42:17x00",
	"{tag1,tag22,tag333}", "{a,b,c,d}", "{a,NULL,b}", "{NULL,NULL}", "{abcdefgh,abcdefghi,abcdefg}", "{a\x01b,c}", "{äöü,ß,中文字}", "{a,,b,c}", "{a,b,c,}", "{a,b{c},d}", "{{a,b},{c,d}}", "{a,b,c}d", "{abcdefgh",
	"1.50", "-0", "1e+20", "NaN", "Infinity", "-Infinity", "01", "1.", "-", "1e",
	"2000-01-01 07:59:59.999999+00", "0044-03-15 00:00:00+00:01:15 BC", "294276-12-31 23:59:59-15:59", "12/31/1999 23:59:59 UTC", "infinity", "2000-01-01 00:00:00",
	"{}", "{1,NULL,-3}", `{"a b","\"\\",NULL,"NULL"}`, "{{1,2},{3,4}}", "[2:3][-1:-1]={{1},{2}}", "{(1,1),(0,0);(2,2),(1,1)}", "{", "{1", `{"`, `{"\`, "{{{{{{{1}}}}}}}", "{,}", "[=", "{1}}", "1 2 3", " ",
	"\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x17",
	"\x00\x00\x00\x01\x00\x00\x00\x01\x00\x00\x00\x17\x00\x00\x00\x02\x00\x00\x00\x01\x00\x00\x00\x04\x00\x00\x00\x09\xff\xff\xff\xff",
	"\x00\x00\x00\x02\x00\x00\x00\x00\x00\x00\x00\x17\x00\x00\x00\x01\x00\x00\x00\x01\x00\x00\x00\x01\x00\x00\x00\x01\x00\x00\x00\x04\x00\x00\x00\x09",
	"\x00\x00\x00\x06\x00\x00\x00\x00\x00\x00\x00\x17\x7f\xff\xff\xff\x00\x00\x00\x01\x7f\xff\xff\xff\x00\x00\x00\x01\x7f\xff\xff\xff\x00\x00\x00\x01\x7f\xff\xff\xff\x00\x00\x00\x01\x7f\xff\xff\xff\x00\x00\x00\x01\x7f\xff\xff\xff\x00\x00\x00\x01",
	"\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x0b\x86\x00\x00\x00\x01\x00\x00\x00\x01\x00\x00\x00\x10aaaaaaaaaaaaaaaa",
}

// FuzzCodec gives the same bytes to every codec. A codec must not panic, write to its source or
// change the buffer if it refuses the bytes. If it accepts them, it must append valid JSON. Fast
// paths, which need room in the buffer, must give the same result as the slow ones.
func FuzzCodec(f *testing.F) {
	for _, s := range wireSeeds {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		check := func(name string, oid uint32, codec Codec) {
			in := bytes.Clone(src)
			out, ok := codec.Append([]byte("before"), in)
			if !bytes.Equal(in, src) {
				t.Fatalf("%s wrote into its source %q", name, src)
			}
			roomy, ok2 := codec.Append(append(make([]byte, 0, 4*len(src)+64), "before"...), in)
			if ok2 != ok || !bytes.Equal(roomy, out) {
				t.Fatalf("%s(%q) is %q, %v with room and %q, %v without", name, src, roomy, ok2, out, ok)
			}
			value, found := bytes.CutPrefix(out, []byte("before"))
			switch {
			case !found:
				t.Fatalf("%s(%q): buffer is now %q", name, src, out)
			case !ok && len(value) != 0:
				t.Fatalf("%s(%q) failed and left %q", name, src, value)
			case ok && !trusted[oid] && !json.Valid(value):
				t.Fatalf("%s(%q) = %q is not JSON", name, src, value)
			}
		}
		for i := range builtins {
			typ := &builtins[i]
			for _, s := range []Session{{}, {UTC: true, HexBytea: true}} {
				codec, _ := s.Lookup(typ.oid)
				check(typ.name, typ.oid, codec)
				if typ.array != 0 {
					codec, _ = s.Lookup(typ.array)
					check(typ.name+"[]", typ.array, codec)
				}
			}
		}
		check("text array", 0, TextArrayCodec(','))
	})
}

// FuzzAppendString reads the string back with the standard library.
func FuzzAppendString(f *testing.F) {
	for _, s := range append(textEdges, wireSeeds...) {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, s []byte) {
		got := AppendString(nil, s)
		if !json.Valid(got) {
			t.Fatalf("AppendString(%q) = %q is not JSON", s, got)
		}
		if n := cleanPrefix(s); n != slowCleanPrefix(s) {
			t.Fatalf("cleanPrefix(%q) = %d, want %d", s, n, slowCleanPrefix(s))
		}
		var back string
		if err := json.Unmarshal(got, &back); err != nil {
			t.Fatal(err)
		}
		if utf8.Valid(s) && back != string(s) {
			t.Fatalf("AppendString(%q) reads back as %q", s, back)
		}
	})
}

func slowCleanPrefix(s []byte) int {
	for i, c := range s {
		if c < 0x20 || c == '"' || c == '\\' {
			return i
		}
	}
	return len(s)
}
