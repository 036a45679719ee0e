package rowjson

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/fastgrest/fastgrest/pgwire/pgtest"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

// session is one combination of settings under which every value is compared.
type session struct {
	settings string
	knows    Session
	notISO   bool
}

var sessions = []session{
	{settings: "timezone = 'UTC'", knows: Session{UTC: true, HexBytea: true}},
	{settings: "timezone = 'GMT'; set datestyle = 'ISO, DMY'; set bytea_output = escape; set extra_float_digits = 0; set intervalstyle = iso_8601", knows: Session{UTC: true}},
	{settings: "timezone = 'Asia/Kolkata'; set intervalstyle = sql_standard; set extra_float_digits = 3"},
	{settings: "timezone = 'America/St_Johns'; set intervalstyle = postgres_verbose; set extra_float_digits = -5; set datestyle = 'ISO, YMD'", knows: Session{HexBytea: true}},
	{settings: "timezone = 'Africa/Monrovia'; set search_path = other; set bytea_output = escape"},
	{settings: "timezone = 'Pacific/Apia'; set extra_float_digits = -15; set quote_all_identifiers = on"},
	{settings: "timezone = 'America/New_York'"},
	{settings: "timezone = '<+1314>-13:14'"},
	{settings: "timezone = 'FOO+15:59'"},
	{settings: "timezone = 'Europe/London'; set datestyle = 'SQL, DMY'", notISO: true},
	{settings: "timezone = 'Asia/Kolkata'; set datestyle = 'German'", notISO: true},
	{settings: "timezone = 'UTC'; set datestyle = 'Postgres, MDY'", notISO: true},
	{settings: "timezone = 'UTC'; set datestyle = 'SQL'", knows: Session{UTC: true}, notISO: true},
}

type oracle struct {
	testing.TB
	conn *pgconn.PgConn
}

func connect(tb testing.TB) *oracle {
	tb.Helper()
	cluster := pgtest.Start(tb)
	conn, err := pgconn.Connect(context.Background(), cluster.URI("postgres", pgtest.Superuser))
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { conn.Close(context.Background()) })
	o := &oracle{tb, conn}
	o.exec("set client_encoding = utf8; set client_min_messages = error")
	return o
}

func (o *oracle) exec(sql string) {
	o.Helper()
	if _, err := o.conn.Exec(context.Background(), sql).ReadAll(); err != nil {
		o.Fatalf("%v\n%s", err, sql)
	}
}

func (o *oracle) query(sql string, formats ...int16) *pgconn.Result {
	o.Helper()
	res := o.conn.ExecParams(context.Background(), sql, nil, nil, nil, formats).Read()
	if res.Err != nil {
		o.Fatalf("%s: %v", sql, res.Err)
	}
	return res
}

// fill returns a FROM item with a column v of the type and one row per text.
func (o *oracle) fill(typ string, texts []string) (from string) {
	o.Helper()
	if strings.Contains(typ, "cstring") { // a table cannot have a column of a pseudo-type
		var rows strings.Builder
		for _, text := range texts {
			rows.WriteString(", (" + literal(text) + "::" + typ + ")")
		}
		return "(values " + rows.String()[2:] + ") as x(v)"
	}
	o.exec("drop table if exists pg_temp.t; create temp table t (v " + typ + ")")
	for _, text := range texts {
		o.exec("insert into pg_temp.t values (" + literal(text) + ")")
	}
	return "pg_temp.t"
}

func literal(text string) string { return "'" + strings.ReplaceAll(text, "'", "''") + "'" }

// fixtures creates the objects that samples name.
func (o *oracle) fixtures() {
	o.Helper()
	o.exec(`create schema if not exists other;
		create table if not exists other."Q t" ();
		create table if not exists "We ""ird	ab" (a int default 1, b int, c int);
		create statistics if not exists weird on a, b from "We ""ird	ab";
		insert into "We ""ird	ab" select i % 7, i % 7 / 2, i from generate_series(1, 500) i;
		analyze "We ""ird	ab"`)
}

// compare requests every v of the query in the codec's format, and the output of to_json for it.
func (o *oracle) compare(what, from string, oid uint32, codec Codec, notISO bool) (values int) {
	o.Helper()
	res := o.query("select v, to_json(v)::text from "+from+" where v is not null", codec.Format, Text)
	if got := res.FieldDescriptions[0].DataTypeOID; oid != 0 && got != oid {
		o.Fatalf("%s: OID %d, want %d", what, got, oid)
	}
	failures := 0
	for _, row := range res.Rows {
		prefix := []byte("prefix")
		got, ok := codec.Append(prefix, row[0])
		got = got[len(prefix):]
		switch {
		case ok && bytes.Equal(got, row[1]):
		case !ok && notISO && codec.ISO && len(got) == 0:
		default:
			o.Errorf("%s: %q (format %d)\n got %s, %v\nwant %s", what, row[0], codec.Format, got, ok, row[1])
			if failures++; failures > 3 {
				return values
			}
		}
		values++
	}
	return values
}

func (o *oracle) compareSessions(name, from string, oid uint32, atLeast int) (values int) {
	o.Helper()
	for _, s := range sessions {
		o.exec("reset all; set client_encoding = utf8; set client_min_messages = error; set " + s.settings)
		for _, knows := range []Session{{}, s.knows} {
			codec, ok := knows.Lookup(oid)
			if !ok {
				o.Fatalf("%s: no codec", name)
			}
			n := o.compare(name+" under "+s.settings, from, oid, codec, s.notISO)
			if n < atLeast {
				o.Errorf("%s under %s: %d values compared, want at least %d", name, s.settings, n, atLeast)
			}
			values += n
		}
	}
	o.exec("reset all; set client_encoding = utf8; set client_min_messages = error")
	return values
}

// TestOracle compares every codec with to_json, value by value, under every session.
func TestOracle(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	o := connect(t)
	o.fixtures()
	total := 0
	for i := range builtins {
		typ := &builtins[i]
		if from, ok := unreadable[typ.name]; ok {
			if from != "" {
				total += o.compareSessions(typ.name, "("+from+") as x(v)", typ.oid, 1)
			}
			continue
		}
		sampler, ok := samplers[typ.name]
		if !ok {
			t.Errorf("%s: no samples", typ.name)
			continue
		}
		texts := sampler.edges
		for range 150 {
			texts = append(texts, sampler.random(r))
		}
		name := `pg_catalog."` + typ.name + `"`
		total += o.compareSessions(typ.name, o.fill(name, texts), typ.oid, len(texts))
		var arrays = []string{"{}", "{NULL}", "{NULL,NULL}"}
		delim := byte(',')
		if typ.name == "box" {
			delim = ';'
			arrays = arrays[:2]
		}
		for _, text := range sampler.edges {
			arrays = append(arrays, arrayText(rand.New(rand.NewPCG(1, 0)), []string{text}, delim))
		}
		for range 100 {
			arrays = append(arrays, arrayText(r, texts, delim))
		}
		total += o.compareSessions(typ.name+"[]", o.fill(name+"[]", arrays), typ.array, len(arrays))
	}
	t.Logf("%d values compared in %d sessions of PostgreSQL %s", total, len(sessions), o.conn.ParameterStatus("server_version"))
}

// TestCatalog compares the table of types with pg_type: each built-in type has a codec, except
// types made of composites.
func TestCatalog(t *testing.T) {
	o := connect(t)
	res := o.query(`select t.oid, t.typname, t.typarray, t.typdelim, coalesce(e.typtype, '-'), t.typtype
		from pg_type t left join pg_type e on e.typarray = t.oid
		where t.typnamespace = 'pg_catalog'::regnamespace order by t.oid`)
	known := map[string]*builtin{}
	for i := range builtins {
		known[builtins[i].name] = &builtins[i]
	}
	for _, row := range res.Rows {
		oid, name, elemType, typtype := uint32(number(row[0])), string(row[1]), string(row[4]), string(row[5])
		_, ok := Lookup(oid)
		var want bool
		switch typtype {
		case "b", "r", "m":
			want = elemType != "c"
		case "p":
			want = name == "cstring"
		}
		if ok != want {
			t.Errorf("%s (%d, typtype %s): has a codec: %v, want %v", name, oid, typtype, ok, want)
		}
		if typ := known[name]; typ != nil {
			if typ.oid != oid || typ.array != uint32(number(row[2])) {
				t.Errorf("%s: OIDs %d and %d in the table, %d and %s in pg_type", name, typ.oid, typ.array, oid, row[2])
			}
			if (string(row[3]) == ";") != (name == "box") {
				t.Errorf("%s: typdelim %s", name, row[3])
			}
			delete(known, name)
		}
	}
	for name := range known {
		t.Errorf("%s is in the table and not in pg_type", name)
	}
}

func number(text []byte) (n uint64) {
	fmt.Sscan(string(text), &n)
	return n
}

// TestUserTypes: domains arrive as their base type, user-defined enums and ranges have TextCodec,
// composites have no codec.
func TestUserTypes(t *testing.T) {
	o := connect(t)
	o.exec(`create schema u; set search_path = u;
		create type mood as enum ('ok', 'so "so"', 'null', '{a,b}', 'back\slash', '');
		create domain day as date; create domain pair as int[];
		create type floatrange as range (subtype = float8);
		create type duo as (a int, b text)`)
	o.compare("enum", "unnest(enum_range(null::mood)) v", 0, TextCodec(), false)
	o.compare("enum[]", "(select array[enum_range(null::mood), enum_range(null::mood)] union select '{}' union select '{ok,null,NULL}') as x(v)", 0, TextArrayCodec(','), false)
	o.compare("range", "(values (floatrange(0.1, 0.3)), ('empty')) as x(v)", 0, TextCodec(), false)
	o.compare("range[]", "(values (array[floatrange(0.1, 0.3), 'empty'])) as x(v)", 0, TextArrayCodec(','), false)
	date, _ := Lookup(1082)
	o.compare("domain", "(values (day '2001-02-03')) as x(v)", 1082, date, false)
	ints, _ := Lookup(1007)
	o.compare("domain over an array", "(values (pair '{1,2}')) as x(v)", 1007, ints, false)
	cstring, _ := Lookup(2275)
	res := o.query(`select 'a"b'::cstring`, Text)
	if got, _ := cstring.Append(nil, res.Rows[0][0]); string(got) != `"a\"b"` {
		t.Errorf("cstring: %s", got)
	}
	for _, sql := range []string{"select (1, 'a')::duo", "select row(1)", "select array[(1, 'a')::duo]", "select null::pg_class", "select null::pg_class[]", "select array[day '2001-02-03']"} {
		if oid := o.query(sql).FieldDescriptions[0].DataTypeOID; oid != 0 {
			if _, ok := Lookup(oid); ok {
				t.Errorf("%s: OID %d has a codec", sql, oid)
			}
		}
	}
}

// TestRows compares whole objects with row_to_json. The table has a column of every type, and names
// that need quoting.
func TestRows(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	o := connect(t)
	var names, types []string
	for i := range builtins {
		typ := &builtins[i]
		if _, ok := samplers[typ.name]; !ok || typ.name == "cstring" {
			continue
		}
		for _, suffix := range []string{"", "[]"} {
			name := fmt.Sprintf("%s %s\n\t\"\\ä", typ.name, suffix)
			names = append(names, `"`+strings.ReplaceAll(name, `"`, `""`)+`"`)
			types = append(types, `pg_catalog."`+typ.name+`"`+suffix)
		}
	}
	var ddl strings.Builder
	for i := range names {
		fmt.Fprintf(&ddl, "%s %s, ", names[i], types[i])
	}
	o.fixtures()
	o.exec("create temp table wide (" + strings.TrimSuffix(ddl.String(), ", ") + ")")
	for range 40 {
		var values strings.Builder
		for i := range builtins {
			typ := &builtins[i]
			sampler, ok := samplers[typ.name]
			if !ok || typ.name == "cstring" {
				continue
			}
			delim := byte(',')
			if typ.name == "box" {
				delim = ';'
			}
			text := sampler.random(r)
			for _, v := range []string{text, arrayText(r, append(sampler.edges, text), delim)} {
				if r.IntN(5) == 0 {
					values.WriteString("null, ")
					continue
				}
				values.WriteString(literal(v) + ", ")
			}
		}
		o.exec("insert into wide values (" + strings.TrimSuffix(values.String(), ", ") + ")")
	}
	desc := o.query("select * from wide limit 1").FieldDescriptions
	var cols []Column
	var formats []int16
	for _, f := range desc {
		col, ok := NewColumn(f.Name, f.DataTypeOID)
		if !ok {
			t.Fatalf("%s: no codec", f.Name)
		}
		cols = append(cols, col)
		formats = append(formats, col.Codec.Format)
	}
	res := o.query("select *, row_to_json(wide)::text from wide", append(formats, Text)...)
	for _, row := range res.Rows {
		got, ok := AppendObject([]byte("["), cols, row[:len(cols)])
		if want := row[len(cols)]; !ok || !bytes.Equal(got[1:], want) {
			i := 0
			for i < len(want) && i+1 < len(got) && got[i+1] == want[i] {
				i++
			}
			t.Fatalf("object differs at byte %d, ok %v:\n got ...%.200s\nwant ...%.200s", i, ok, got[max(0, i-40):], want[max(0, i-40):])
		}
	}
}
