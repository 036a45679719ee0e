package rowjson

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
)

// TestRecords compares with the jsonb that PostgreSQL prints for the same rows, under settings that
// change how values are printed.
func TestRecords(t *testing.T) {
	o := connect(t)
	random := rand.New(rand.NewPCG(5, 6))
	for oid := range recordFields {
		i := slices.IndexFunc(builtins, func(b builtin) bool { return b.oid == oid })
		name := builtins[i].name
		sampler := samplers[name]
		texts := slices.Clone(sampler.edges)
		for range 200 {
			texts = append(texts, sampler.random(random))
		}
		o.compareRecords(t, name, oid, texts)
	}
}

// castToText has the types that are cast to text in records.
var castToText = map[uint32]bool{1700: true, 1184: true}

func (o *oracle) compareRecords(t *testing.T, name string, oid uint32, texts []string) {
	t.Helper()
	from := o.fill(name, texts)
	member := Member{Type: oid, Text: castToText[oid]}
	named := func(name string) Member { m := member; m.Name = name; return m }
	codec, ok := RecordArrayCodec([]Member{named("a"), named("n"), {Name: "bb", Of: []Member{named(`"`)}}})
	if !ok {
		t.Fatalf("%s: no codec", name)
	}
	expr, null := "v", name
	if member.Text {
		expr, null = "v::text", "text"
	}
	for _, s := range sessions {
		if s.notISO {
			continue
		}
		o.exec("reset all; set client_encoding = utf8; set client_min_messages = error; set " + s.settings)
		rows := o.query(fmt.Sprintf(`select array(select row(%[1]s, null::%[3]s, array(select row(%[1]s))) from (select x.v) x),
			(select json_agg(y)::jsonb::text from (select v as a, null as n, (select json_agg(z) from (select v as """") z) as bb) y) from %[2]s x`, expr, from, null), Binary, Text).Rows
		if len(rows) != len(texts) {
			t.Fatalf("%s: %d rows of %d", name, len(rows), len(texts))
		}
		for i, row := range rows {
			got, ok := codec.Append([]byte("x"), row[0])
			switch {
			case ok && string(got) == "x"+string(row[1]):
			case !ok && string(got) == "x" && name == "json": // beyond the bounds of NormalCodec
			default:
				t.Errorf("%s under %s: %.100s\ngot  %.300s (%v)\nwant %.300s", name, s.settings, texts[i], got, ok, row[1])
				return
			}
		}
	}
}

// TestRecordArrays has arrays of zero, one and many elements, and malformed ones.
func TestRecordArrays(t *testing.T) {
	o := connect(t)
	o.exec("reset all")
	codec, _ := RecordArrayCodec([]Member{{Name: "id", Type: 23}})
	if _, ok := RecordArrayCodec([]Member{{Name: "id", Type: 701}}); ok {
		t.Error("float8 has a codec, but jsonb prints it differently")
	}
	for query, want := range map[string]string{
		"select array(select row(i) from generate_series(1, 0) i)":       "[]",
		"select array(select row(i) from generate_series(1, 1) i)":       `[{"id": 1}]`,
		"select array(select row(i) from generate_series(1, 3) i)":       `[{"id": 1}, {"id": 2}, {"id": 3}]`,
		"select array(select row(null::int) from generate_series(1, 1))": `[{"id": null}]`,
	} {
		if got, ok := codec.Append(nil, o.query(query, Binary).Rows[0][0]); !ok || string(got) != want {
			t.Errorf("%s: %s, %v", query, got, ok)
		}
	}
	for _, query := range []string{
		"select array(select row(i::int8) from generate_series(1, 1) i)",
		"select array(select row(i, i) from generate_series(1, 1) i)",
		"select array[1, 2]",
		"select array[]::int[]::text::bytea",
	} {
		if got, ok := codec.Append([]byte("x"), o.query(query, Binary).Rows[0][0]); ok || string(got) != "x" {
			t.Errorf("%s: taken for %s", query, got)
		}
	}
	whole := o.query("select array(select row(i) from generate_series(1, 3) i)", Binary).Rows[0][0]
	for n := range whole {
		if got, ok := codec.Append([]byte("x"), whole[:n]); ok || string(got) != "x" {
			t.Errorf("%d bytes of %d: taken for %s", n, len(whole), got)
		}
	}
}

// FuzzRecords: the codec does not panic for any bytes, and appends valid JSON.
func FuzzRecords(f *testing.F) {
	codec, _ := RecordArrayCodec([]Member{
		{Name: "i", Type: 23},
		{Name: "n", Type: 1700, Text: true},
		{Name: "t", Type: 25}, // not json, whose bytes are trusted; see FuzzNormal
		{Name: "of", Of: []Member{{Name: "ok", Type: 16}}},
	})
	size := func(n int) string { return string([]byte{0, 0, 0, byte(n)}) }
	array := func(elem string) string {
		return size(1) + size(0) + "\x00\x00\x08\xc9" + size(1) + size(1) + size(len(elem)) + elem
	}
	nested := array(size(1) + size(16) + size(1) + "\x01")
	row := size(4) + size(23) + size(4) + size(7) +
		size(25) + size(5) + "-9.00" +
		size(25) + size(3) + `a"b` +
		"\x00\x00\x08\xef" + size(len(nested)) + nested
	if got, ok := codec.Append(nil, []byte(array(row))); !ok || string(got) != `[{"i": 7, "n": -9.00, "t": "a\"b", "of": [{"ok": true}]}]` {
		f.Fatalf("the seed is %s, %v", got, ok)
	}
	f.Add([]byte(array(row)))
	f.Add([]byte(array(row[:20])))
	f.Add([]byte(size(0) + size(0) + "\x00\x00\x08\xc9"))
	f.Add([]byte("\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x08\xc9\xff\xff\xff\xff\x00\x00\x00\x01"))
	f.Fuzz(func(t *testing.T, src []byte) {
		in := bytes.Clone(src)
		out, ok := codec.Append([]byte("x"), in)
		if !bytes.Equal(in, src) {
			t.Fatalf("wrote into %q", src)
		}
		if !ok && string(out) != "x" || ok && (out[0] != 'x' || !json.Valid(out[1:])) {
			t.Fatalf("%q: %q, %v", src, out, ok)
		}
	})
}
