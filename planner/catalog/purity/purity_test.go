package purity

import (
	"slices"
	"strings"
	"testing"
)

func tokensOf(source string, strict bool) (list []string) {
	for l := (lexer{src: source, strict: strict}); ; {
		t := l.next()
		if t.kind == end {
			return list
		}
		list = append(list, map[kind]string{
			word: "w", quoted: "q", constant: "c", numeral: "n", parameter: "p", operator: "o", punctuator: "", opaque: "?",
		}[t.kind]+t.text)
	}
}

// What is expected follows src/backend/parser/scan.l.
func TestLexer(t *testing.T) {
	for _, c := range []struct{ source, want string }{
		{"Select a.B_1$, 12", "wselect wa . wb_1$ , n12"},
		{`"Set Config" "a""b"`, `qset config qa"b`},
		{"a--b\nc -- d\re", "wa wc we"},
		{"a/* b /* c */ d */e", "wa we"},
		{"/* a", "?"},
		{"'a''b' 'c\\'", `ca''b cc\`},
		{"E'a\\'b' e'\\\\' c", `ca\'b c\\ wc`},
		{"E'a'\n 'b\\'c' d", "ca'\n 'b\\'c wd"},
		{"E'a' -- x\n 'b\\'c' d", "ca' -- x\n 'b\\'c wd"},
		{"'a' 'b'", "ca cb"},
		{"e 'a\\' b", "we ca\\ wb"}, // no prefix: a space is between them
		{"B'01' x'1F' N'a'", "c01 c1F ca"},
		{"u&'a' U&\"b\" u & c", "? ? wu o& wc"},
		{"'a", "?"},
		{`"a`, "?"},
		{`""`, "?"},
		{"$$a$b$$ $x$ $$ $x$ $1 $a", "ca$b c $$  p$1 ?$ wa"},
		{"a$$b", "wa$$b"},
		{"$x$ $X$ $x$", "c $X$ "},
		{"$$a", "?"},
		{"1..10 1.5e-3 .5 1e 1abc", "n1 o.. n10 n1.5e-3 n.5 n1 we n1 wabc"},
		{"1E'\\''", "n1 c\\'"},
		{"a:=b=>c::d :e", "wa o:= wb o=> wc o:: wd : we"},
		{"a=-1 a@-1 a--1\n a*/*x*/b a<>+-b", "wa o= o- n1 wa o@- n1 wa wa o* wb wa o<> o+ o- wb"},
		{"<<a>>", "o<< wa o>>"},
		{"a\xc3\xa4b \xff", "waäb ?"},
		{strings.Repeat("a", 64), "?"},
		{"a\x00b", "wa ?\x00 wb"},
		{"f(a[1]);", "wf ( wa [ n1 ] ) ;"},
	} {
		want := c.want
		if got := strings.Join(tokensOf(c.source, false), " "); got != want {
			t.Errorf("%q:\n got %s\nwant %s", c.source, got, want)
		}
	}
	if got := strings.Join(tokensOf(`'a\' b`, true), " "); got != "?" {
		t.Errorf("an uncertain constant is %s", got)
	}
}

func TestStatements(t *testing.T) {
	for _, c := range []struct {
		source       string
		sql, plpgsql bool // proven as a source of the one, and as a body of the other
	}{
		{"select 1", true, true},
		{"select 1;; select 2;", true, false},
		{"insert into t values (1); update t set a = 1; delete from t", true, true},
		{"with a as (insert into t values (1) returning *) select * from a", true, true},
		{"with a as (select 1) insert into t select * from a", true, true},
		{"merge into t using u on true when matched then delete", true, true},
		{"with a as (select 1) merge into t using a on true when matched then do nothing", true, true},
		{"values (1)", true, true},
		{"select 1 into x", false, true},
		{"select insert into x from t", false, false},
		{"select (a) insert into x from t", false, false},
		{"with a as (select 1) select (b) insert into x from t", false, false},
		{"set a = 1", false, false},
		{"set local a = 1", false, true},
		{"set constraints all immediate", false, true},
		{"reset all", false, false},
		{"listen x", false, false},
		{"create table x (a int)", false, false},
		{"create temp table x as select 1", false, false},
		{"prepare x as select 1", false, false},
		{"execute x", false, false},
		{"explain analyze select 1", false, false},
		{"copy t from stdin", false, false},
		{"call p()", false, false},
		{"do 'begin end'", false, false},
		{"commit", false, false},
		{"select (1; select 2)", false, false},
		{"select 1)", false, false},
		{"select f((1)", false, false},
		{"select 'standard_conforming_strings'", false, false},
		{"select * from pg_temp.x", false, false},
		{`select * from "pg_temp_3".x`, false, false},
		{"nonsense", false, false},
		{"select U&'a'", false, false},

		{"x := 1", false, true},
		{"x.y[1] := select_1", false, true},
		{"x = 1", false, true},
		{"select = 1", true, true},
		{"x 1", false, false},
		{"x.y(1)", false, false},
		{"perform 1 into x", false, false},
		{"x := 1 into y", false, false},
		{"if case when a then b end then null; end if", false, false}, // PL/pgSQL's parser stops at the first THEN
		{"if (case when a then b end) then null; elsif b then null; else x := 1; end if", false, true},
		{"case a when 1 then null; else x := 2; end case", false, true},
		{"case when a then null; end case", false, true},
		{"while a loop x := 1; exit when x > 1; continue; end loop l", false, true},
		{"for i in reverse 10..1 loop null; end loop", false, true},
		{"for r in select * from t loop return next r; end loop", false, true},
		{"for r in execute 'x' loop null; end loop", false, false},
		{"for r in explain select 1 loop null; end loop", false, false},
		{"for r in c loop null; end loop", false, false},
		{"foreach x slice 1 in array a loop null; end loop", false, true},
		{"<<l>> loop exit l; end loop l", false, true},
		{"<<l create table x (a int)", false, false},
		{"declare y int := 1; z text; begin null; exception when others then raise; end", false, true},
		{"declare c cursor for select 1; begin null; end", false, false},
		{"return query select 1", false, true},
		{"return query execute 'x'", false, false},
		{"return query explain select 1", false, false},
		{"raise notice '%', a using hint = 'b'", false, true},
		{"assert a, 'b'", false, true},
		{"get diagnostics n = row_count", false, true},
		{"open c for select 1", false, false},
		{"open c for execute 'x'", false, false},
		{"fetch c into x", false, false},
		{"end loop a b c", false, false},
	} {
		if u := ReadSQL(c.source, false); (u.Unproven == "") != c.sql {
			t.Errorf("SQL %s: %q", c.source, u.Unproven)
		}
		if u := ReadPLpgSQL("begin "+c.source+"; end", false); (u.Unproven == "") != c.plpgsql {
			t.Errorf("PL/pgSQL %s: %q", c.source, u.Unproven)
		}
	}
	if u := ReadSQL("select '"+strings.Repeat("x", MaxSource)+"'", false); u.Unproven == "" || !u.Text {
		t.Error("a long source is read")
	}
	if u := ReadPLpgSQL("#variable_conflict use_column\ndeclare a int; begin null; end", false); u.Unproven != "" {
		t.Error(u.Unproven)
	}
}

func TestMentions(t *testing.T) {
	u := ReadSQL(`select f(a), s.G(b), "H" ( c ), x.y, d.s.k(1), i -- j(1)
		(2) from t where a in (1) and 'm(1)' <> $$n(1)$$ and o::p(3)`, false)
	var calls []string
	for _, c := range u.Calls {
		text := c.Schema + "." + c.Name
		if c.Syntax {
			text += " syntax"
		}
		calls = append(calls, text)
	}
	slices.Sort(calls)
	slices.Sort(u.Fields)
	if got, want := strings.Join(calls, ", "), ".f, .h, .i, .in syntax, .k, .p, s.g"; got != want {
		t.Errorf("calls %s, want %s", got, want)
	}
	if got, want := strings.Join(u.Fields, " "), "s y"; got != want {
		t.Errorf("fields %s, want %s", got, want)
	}
	for _, name := range []string{"t", "a", "x", "d", "o", "i"} {
		if !slices.Contains(u.Names, name) {
			t.Errorf("%s is not noticed", name)
		}
	}
	if u.Writes {
		t.Error("a SELECT writes")
	}
}

func TestSetConfig(t *testing.T) {
	for call, local := range map[string]bool{
		"set_config('a', b, true)":                          true,
		"pg_catalog.set_config('a'::text, f(b, (c)), TRUE)": true,
		"set_config($$a$$, b, true)":                        true,
		"set_config(a, b, true)":                            false,
		"set_config('a' || b, c, true)":                     false,
		"set_config(E'a', b, true)":                         false,
		"set_config('a', b, false)":                         false,
		"set_config('a', b, not true)":                      false,
		"set_config('a', b, is_local => true)":              false,
		"set_config('a', b, \"true\")":                      false,
		"set_config('a', b, 'true')":                        false,
		"set_config('a', true)":                             false,
		"set_config('a', b, c, true)":                       false,
		"set_config(variadic x)":                            false,
		"set_config('a', b[1, true], false)":                false,
		"set_config('a', set_config('b', c, false), true)":  false,
		"set_config('a', b, true":                           false,
	} {
		g := NewGraph()
		g.NameBuiltin("set_config", Builtin("set_config", false))
		g.NameBuiltin("f", 0)
		f := Node{Function, 1}
		g.Source(f, ReadSQL("select "+call, false))
		g.Spread()
		if got := g.Trace(f) == 0; got != local {
			t.Errorf("%s: %b", call, g.Trace(f))
		}
	}
}

func TestGraph(t *testing.T) {
	g := NewGraph()
	g.NameBuiltin("now", 0)
	g.NameBuiltin("set_config", Session)
	for i, f := range []struct{ schema, name string }{{"a", "f"}, {"b", "f"}, {"a", "g"}, {"b", "set_config"}, {"a", "h"}, {"a", "bad"}} {
		g.NameFunction(f.schema, f.name, uint32(i+1), f.name == "h")
	}
	g.NameRelation("t", 7)
	g.NameType("mood", 8)
	g.Leaves(Node{Function, 6}, Session)
	g.Uses(Node{Write, 7}, Node{Function, 6})
	g.Uses(Node{Write, 7}, Node{Read, 7})
	sources := map[uint32]string{
		1: "select a.g()", 2: "select bad()", 3: "select a.f()", 5: "select bad()", // f and g call each other
		10: "select f()", 11: "select a.f()", 12: "select b.f()", 13: "select set_config('a', 'b', true)",
		14: "select pg_catalog.set_config('a', 'b', true)", 15: "select x.h from x", 16: "select h from t", 17: "delete from t",
		18: "select unknown(1)", 19: "select 'a'::mood(1)", 20: "insert into t (a) values (now())", 21: "select bad from t",
		22: "select count(*) from x as u(a) join (values (1)) v(b) on true",
	}
	for oid, text := range sources {
		g.Source(Node{Function, oid}, ReadSQL(text, false))
	}
	g.Spread()
	for oid, clean := range map[uint32]bool{
		1: true, 2: false, 3: true, 5: false,
		10: false, 11: true, 12: false, 13: true, 14: true, 15: false, 16: true, 17: false,
		18: false, 19: true, 20: false, 21: true, 22: false,
	} {
		if got := g.Trace(Node{Function, oid}) == 0; got != clean {
			t.Errorf("%s: %b", sources[oid], g.Trace(Node{Function, oid}))
		}
	}
	if g.Called("", "none") != Unknown || g.Called("", "F") != Session || g.Called("a", "f") != 0 || g.Fields() != Session {
		t.Errorf("%b %b %b %b", g.Called("", "none"), g.Called("", "f"), g.Called("a", "f"), g.Fields())
	}
}

func TestMentionsPrepare(t *testing.T) {
	for source, want := range map[string]bool{
		"prepare": true, "x 'PREPARE y'": true, "spi_prepare(": false, "prepared": false, "prepar": false, "": false, "(prepare)": true,
	} {
		if MentionsPrepare([]byte(source)) != want {
			t.Errorf("%s: want %t", source, want)
		}
	}
}

// FuzzRead: any source is read in time that grows with its length, and what is
// proven stays so with white space and comments around its tokens.
func FuzzRead(f *testing.F) {
	for _, seed := range []string{
		"select 1", "begin perform set_config('a', b, true); end", "E'a'\n'b\\'c'", "$x$ a $x$", "/* a /* b */ */ select f ( x )",
		"declare a int := 1; begin for i in 1..10 loop x[1] := i; end loop; end", "u&\"a\" 'b", "with a as (insert into t values (1)) select 1 into x", "a--b\rc",
	} {
		f.Add(seed, false)
		f.Add(seed, true)
	}
	f.Fuzz(func(t *testing.T, source string, strict bool) {
		tokens, l := 0, lexer{src: source, strict: strict}
		for last := -1; ; tokens++ {
			if l.next().kind == end {
				break
			}
			if l.pos <= last || l.pos > len(source) {
				t.Fatalf("at %d after %d of %d", l.pos, last, len(source))
			}
			last = l.pos
		}
		if !strict {
			if strictly := ReadSQL(source, true); strictly.Unproven == "" && ReadSQL(source, false).Unproven != "" {
				t.Error("proven only if strict")
			}
		}
		for _, read := range []func(string, bool) *Use{ReadSQL, ReadPLpgSQL} {
			u := read(source, strict)
			around := read("/* a */ "+source+"\n-- b", strict)
			if len(source) < MaxSource/2 && (u.Unproven == "") != (around.Unproven == "") {
				t.Errorf("%q, and with comments around it %q", u.Unproven, around.Unproven)
			}
			if len(u.Names) > tokens || len(u.Calls) > tokens {
				t.Error("more names than tokens")
			}
		}
	})
}
