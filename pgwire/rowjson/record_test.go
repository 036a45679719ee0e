package rowjson

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// fieldTypes are the types that go into records as they are, by name.
var fieldTypes = map[uint32]string{
	16: "bool", 21: "int2", 23: "int4", 20: "int8", 1700: "numeric", 25: "text", 1043: "varchar", 1042: "bpchar", 19: "name",
	2950: "uuid", 1082: "date", 1114: "timestamp", 1083: "time", 1266: "timetz", 114: "json", 3802: "jsonb",
}

// TestRecords compares with what PostgreSQL prints of the same rows as jsonb,
// under settings that change how values are printed otherwise.
func TestRecords(t *testing.T) {
	o := connect(t)
	random := rand.New(rand.NewPCG(5, 6))
	if len(fieldTypes) != len(fields) {
		t.Errorf("%d types tested of %d", len(fieldTypes), len(fields))
	}
	for oid, name := range fieldTypes {
		sampler := samplers[name]
		texts := slices.Clone(sampler.edges)
		for range 200 {
			texts = append(texts, sampler.random(random))
		}
		field, ok := Field(oid)
		if !ok {
			t.Errorf("%s: no field", name)
			continue
		}
		o.compareRecords(t, name, oid, field, "v", texts)
	}
	stamps := samplers["timestamptz"]
	o.compareRecords(t, "timestamptz", TextOID, TimestampField(), "v::text", slices.Concat(stamps.edges, []string{stamps.random(random), stamps.random(random)}))
}

func (o *oracle) compareRecords(t *testing.T, name string, oid uint32, field AppendFunc, expr string, texts []string) {
	t.Helper()
	from := o.fill(name, texts)
	codec := RecordArrayCodec([]Member{
		{Key: AppendNormalKey(nil, "a"), OID: oid, Append: field},
		{Key: AppendNormalKey(nil, "n"), OID: oid, Append: field},
		{Key: AppendNormalKey(nil, "bb"), OID: RecordArray, Append: RecordArrayCodec([]Member{{Key: AppendNormalKey(nil, `"`), OID: oid, Append: field}}).Append},
	})
	for _, s := range sessions {
		if s.notISO {
			continue
		}
		o.exec("reset all; set client_encoding = utf8; set client_min_messages = error; set " + s.settings)
		rows := o.query(fmt.Sprintf(`select array(select row(%[1]s, null::%[3]s, array(select row(%[1]s))) from (select x.v) x),
			(select json_agg(y)::jsonb::text from (select v as a, null as n, (select json_agg(z) from (select v as """") z) as bb) y) from %[2]s x`, expr, from, nullType(oid, name)), Binary, Text).Rows
		if len(rows) != len(texts) {
			t.Fatalf("%s: %d rows of %d", name, len(rows), len(texts))
		}
		for i, row := range rows {
			got, ok := codec.Append([]byte("x"), row[0])
			switch {
			case ok && string(got) == "x"+string(row[1]):
			case !ok && string(got) == "x" && name == "json": // what is beyond NormalCodec
			default:
				t.Errorf("%s under %s: %.100s\ngot  %.300s (%v)\nwant %.300s", name, s.settings, texts[i], got, ok, row[1])
				return
			}
		}
	}
}

func nullType(oid uint32, name string) string {
	if oid == TextOID {
		return "text"
	}
	return name
}

// TestRecordArrays has arrays of no, one and many elements, and what is none.
func TestRecordArrays(t *testing.T) {
	o := connect(t)
	o.exec("reset all")
	member := []Member{{Key: AppendNormalKey(nil, "id"), OID: 23, Append: fields[23]}}
	codec := RecordArrayCodec(member)
	member[0].OID = 0 // the codec has its own
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
		"select array(select null::record from generate_series(1, 1) i)",
		"select array[[row(1)], [row(2)]]",
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

// TestCompareNames puts names into the order jsonb has.
func TestCompareNames(t *testing.T) {
	o := connect(t)
	names := []string{"b", "a", "aa", "é", "zz", "", "Z", "zzz", "ab", "a b", "日", "A"}
	var pairs []string
	for _, n := range names {
		pairs = append(pairs, literal(n)+", 1")
	}
	slices.SortFunc(names, CompareNames)
	want := string(o.query("select array_to_json(array(select jsonb_object_keys(jsonb_build_object(" + strings.Join(pairs, ", ") + ")))) #>> '{}'").Rows[0][0])
	got, err := json.Marshal(names)
	if err != nil || string(got) != want {
		t.Errorf("%s, %v, want %s", got, err, want)
	}
}

// FuzzRecords: no bytes make the codec panic, and what it makes is JSON.
func FuzzRecords(f *testing.F) {
	inner := RecordArrayCodec([]Member{{Key: AppendNormalKey(nil, "ok"), OID: 16, Append: fields[16]}})
	codec := RecordArrayCodec([]Member{
		{Key: AppendNormalKey(nil, "i"), OID: 23, Append: fields[23]},
		{Key: AppendNormalKey(nil, "n"), OID: 1700, Append: fields[1700]},
		{Key: AppendNormalKey(nil, "t"), OID: 25, Append: fields[25]}, // json is trusted to be some; see FuzzNormal
		{Key: AppendNormalKey(nil, "of"), OID: RecordArray, Append: inner.Append},
	})
	size := func(n int) string { return string([]byte{0, 0, 0, byte(n)}) }
	array := func(elem string) string {
		return size(1) + size(0) + "\x00\x00\x08\xc9" + size(1) + size(1) + size(len(elem)) + elem
	}
	nested := array(size(1) + size(16) + size(1) + "\x01")
	row := size(4) + size(23) + size(4) + size(7) +
		"\x00\x00\x06\xa4" + size(10) + "\x00\x01\x00\x00\x40\x00\x00\x02\x00\x09" +
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
