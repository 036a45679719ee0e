package parser

import (
	"errors"
	"net/url"
	"strings"
	"testing"
)

// encode percent-encodes the syntax characters of a query string, so that the tables
// below can have the decoded texts.
func encode(text string) string { return url.QueryEscape(text) }

// accepts returns a table row: a query and its formatted tree.
func accepts(t *testing.T, mode Mode) func(query, want string) {
	return acceptedBy(t, new(Query), mode)
}

func acceptedBy(t *testing.T, q *Query, mode Mode) func(query, want string) {
	return func(query, want string) {
		t.Helper()
		if err := q.Parse([]byte(query), mode); err != nil {
			t.Errorf("%s: %v", query, err)
			return
		}
		if got := q.String(); got != want {
			t.Errorf("%s: got\n%s\nwant\n%s", query, got, want)
		}
		check(t, q)
	}
}

// refuses returns a table row: a query with the texts of its error.
func refuses(t *testing.T, mode Mode) func(query, message, details string) {
	return refusedBy(t, new(Query), mode)
}

func refusedBy(t *testing.T, q *Query, mode Mode) func(query, message, details string) {
	return func(query, message, details string) {
		t.Helper()
		var e *Error
		if err := q.Parse([]byte(query), mode); !errors.As(err, &e) {
			t.Errorf("%s: got error %v, want %s", query, err, message)
			return
		}
		if e.Message != message {
			t.Errorf("%s: got message\n %s, want\n %s", query, e.Message, message)
		}
		if e.Details != details {
			t.Errorf("%s: got details\n %s, want\n %s", query, e.Details, details)
		}
	}
}

func TestFilter(t *testing.T) {
	query := accepts(t, ModeRelation)
	f := func(key, value, want string) {
		t.Helper()
		query("select=&"+encode(key)+"="+encode(value), "filter "+want)
	}
	for _, op := range opFacts {
		if op.name == "" || op.name == "in" || op.name == "is" {
			continue
		}
		f("a", op.name+".1", "a "+op.name+` $0 "1"`)
		f("a", "not."+op.name+".1", "a not "+op.name+` $0 "1"`)
	}
	f("a", "eq.", `a eq $0 ""`)
	f("a", "eq. b.c,d ", `a eq $0 " b.c,d "`)
	f("a", `eq."x"`, `a eq $0 "\"x\""`)
	f("a", "eq(any).{1,2}", `a eq(any) $0 "{1,2}"`)
	f("a", "not.like(all).{a*,*b}", `a not like(all) $0 "{a%,%b}"`)
	f("a", "ilike.*x*", `a ilike $0 "%x%"`)
	f("a", "match.x*", `a match $0 "x*"`)
	f("a", "is.null", "a is null")
	f("a", "is.NULL", "a is null")
	f("a", "is.NuLl", "a is null")
	f("a", "not.is.not_null", "a not is not_null")
	f("a", "is.Not_Null", "a is not_null")
	f("a", "is.true", "a is true")
	f("a", "is.FALSE", "a is false")
	f("a", "is.unknown", "a is unknown")
	f("a", "is.nullx", "a is null")
	f("a", "isdistinct.1", `a isdistinct $0 "1"`)
	f("a", "fts.x", `a fts $0 "x"`)
	f("a", "fts(english).x", `a fts(english) $0 "x"`)
	f("a", "not.wfts( simple ).x y", `a not wfts(simple) $0 "x y"`)
	f("a", "phfts(a$ b).", `a phfts(a$ b) $0 ""`)
	f("a", "in.(1,2)", `a in $0 "{\"1\",\"2\"}"`)
	f("a", "not.in.(1)", `a not in $0 "{\"1\"}"`)
	f("a", "in.()", `a in $0 "{}"`)
	f("a", `in.("")`, `a in $0 "{}"`)
	f("a", "in.(,)", `a in $0 "{\"\",\"\"}"`)
	f("a", "in. ( 1, 2 ) x", `a in $0 "{\"1\",\" 2 \"}"`)
	f("a", `in.("a,b","c)d",e)`, `a in $0 "{\"a,b\",\"c)d\",\"e\"}"`)
	f("a", `in.("a\"b","c\\d",e\f)`, `a in $0 "{\"a\\\"b\",\"c\\\\d\",\"e\\\\f\"}"`)
	f("a", `in.("a"b,c"d")`, `a in $0 "{\"\\\"a\\\"b\",\"c\\\"d\\\"\"}"`)
	f("a", `in.( "a","b)`, `a in $0 "{\"a\",\"\\\"b\"}"`)
	f("a", "in.(x\x00y,\x00,z)", `a in $0 "{\"x\",\"\",\"z\"}"`)
	f("a", "in.(\x00y)", `a in $0 "{\"\"}"`)
	f("a", "eq.x\x00y", `a eq $0 "x\x00y"`)

	f("a.b", "eq.1", `a: b eq $0 "1"`)
	f("a.b.c->d->>0", "eq.1", `a: b: c->d->>[0] eq $0 "1"`)
	f(`"a.b".c`, "eq.1", `"a.b": c eq $0 "1"`)
	f(" a . b ", "eq.1", `a: b eq $0 "1"`)
	f("a-b", "eq.1", `"a-b" eq $0 "1"`)
	f("a b)c", "eq.1", `"a b" eq $0 "1"`)
	f("or.select", "eq.1", `or: select eq $0 "1"`)
	f("and.x", "eq.1", `and: x eq $0 "1"`)

	query("select=&b=eq.2&a=eq.1&and=(c.eq.3)&a=eq.4",
		"filter b eq $0 \"2\"\nfilter a eq $1 \"1\"\nfilter a eq $2 \"4\"\nlogic and(c eq $3 \"3\")")
	query("select=&a", "")
}

func TestFilterErrors(t *testing.T) {
	query := refuses(t, ModeRelation)
	f := func(value, place, details string) {
		t.Helper()
		query("a="+encode(value), `"failed to parse filter (`+value+`)" `+place, details)
	}
	const operator = "expecting operator (eq, gt, ...)"
	const notOperator = `expecting "not" or operator (eq, gt, ...)`
	f("noop.0", "(line 1, column 1)", `unexpected "o" `+notOperator)
	f("val", "(line 1, column 1)", `unexpected "v" `+notOperator)
	f("0", "(line 1, column 1)", `unexpected "0" `+notOperator)
	f("", "(line 1, column 1)", "unexpected end of input "+notOperator)
	f("not.x", "(line 1, column 5)", `unexpected "x" `+operator)
	f("fts().value", "(line 1, column 5)", `unexpected ")" `+operator)
	f("eq().value", "(line 1, column 4)", `unexpected ")" `+operator)
	f("is().value", "(line 1, column 3)", `unexpected "(" `+operator)
	f("in().value", "(line 1, column 3)", `unexpected "(" `+operator)
	f("in.1", "(line 1, column 4)", `unexpected "1" expecting "("`)
	f("in.(1", "(line 1, column 6)", `unexpected end of input expecting "," or ")"`)
	f("is.nope", "(line 1, column 6)", `unexpected "p" expecting isVal: (null, not_null, true, false, unknown)`)

	query("=eq.1", `"failed to parse tree path ()" (line 1, column 1)`,
		"unexpected end of input expecting field name (* or [a..z0..9_$])")
	query("a.=eq.1", `"failed to parse tree path (a.)" (line 1, column 3)`,
		"unexpected end of input expecting field name (* or [a..z0..9_$])")
	query("a-=eq.1", `"failed to parse tree path (a-)" (line 1, column 3)`,
		`unexpected end of input expecting ">", letter or digit`)
}

func TestArguments(t *testing.T) {
	f := accepts(t, ModeCallRead)
	f("a=1&b=eq.2&c=", "select *\nfilter b eq $0 \"2\"\narg a \"1\"\narg c \"\"")
	f("x.a=1&a=2", "select *\narg a \"1\"\narg a \"2\"")
	f("%22a b%22=(1)", "select *\narg \"a b\" \"(1)\"")
	f("a=notx&b=isx&c=inx", "select *\narg a \"notx\"\narg b \"isx\"\narg c \"inx\"")

	bad := refuses(t, ModeCallRead)
	bad("a=not.x", `"failed to parse filter (not.x)" (line 1, column 5)`,
		`unexpected "x" expecting operator (eq, gt, ...)`)
	bad("a=in.x", `"failed to parse filter (in.x)" (line 1, column 4)`, `unexpected "x" expecting "("`)
	refuses(t, ModeCall)("a=1", `"failed to parse filter (1)" (line 1, column 1)`,
		`unexpected "1" expecting "not" or operator (eq, gt, ...)`)
}

func TestLogic(t *testing.T) {
	query := accepts(t, ModeRelation)
	f := func(key, value, want string) {
		t.Helper()
		query("select=&"+encode(key)+"="+encode(value), "logic "+want)
	}
	f("and", "(a.eq.1)", `and(a eq $0 "1")`)
	f("or", "(a.eq.1,b.not.is.null)", `or(a eq $0 "1", b not is null)`)
	f("not.or", "(a.eq.1)", `not or(a eq $0 "1")`)
	f("x.y.or", "(a.eq.1)", `x: y: or(a eq $0 "1")`)
	f("x.not.and", "(a.eq.1)", `x: not and(a eq $0 "1")`)
	f("not.x.and", "(a.eq.1)", `x: not and(a eq $0 "1")`)
	f("or", "(a.eq.1,and(b.eq.2,not.or(c.eq.3,d.eq.4)),e.eq.5)",
		`or(a eq $0 "1", and(b eq $1 "2", not or(c eq $2 "3", d eq $3 "4")), e eq $4 "5")`)
	f("and", "( and ( id.in.( 1, 2 ) , id.eq.3 ) , or ( id.eq.2 , id.eq.3 ) )",
		`and(and(id in $0 "{\"1\",\" 2 \"}", id eq $1 "3 "), or(id eq $2 "2 ", id eq $3 "3 "))`)
	f("or", "(and_x.eq.1,or.eq.2,not.eq.3,not.not.eq.4)",
		`or(and_x eq $0 "1", or eq $1 "2", not eq $2 "3", not not eq $3 "4")`)
	f("or", `(a.eq."x,y)",b.eq."x"y,c.eq.x"y")`, `or(a eq $0 "x,y)", b eq $1 "\"x\"y", c eq $2 "x\"y\"")`)
	f("or", `(a.eq."\"\\")`, `or(a eq $0 "\"\\")`)
	f("or", "(a.cs.{1,2},b.ov.{},c.eq.{{1})", `or(a cs $0 "{1,2}", b ov $1 "{}", c eq $2 "{{1}")`)
	f("or", `(a->b->>"c d".like.*x,b-c.fts(simple).y)`, `or(a->b->>"c d" like $0 "%x", "b-c" fts(simple) $1 "y")`)
	f("or", "(a.eq(any).{1,2})x", `or(a eq(any) $0 "{1,2}")`)
	f("and", ".eq.1", `and eq $0 "1"`)
	f("a:.or", ".eq.1", `a eq $0 "1"`)
	f("or", "(a.eq.)", `or(a eq $0 "")`)
}

func TestLogicErrors(t *testing.T) {
	query := refuses(t, ModeRelation)
	f := func(key, value, place, details string) {
		t.Helper()
		query(key+"="+encode(value), `"failed to parse logic tree (`+value+`)" `+place, details)
	}
	f("or", "()", "(line 1, column 4)",
		`unexpected ")" expecting field name (* or [a..z0..9_$]), negation operator (not) or logic operator (and, or)`)
	f("or", "(id.in.1,2,id.eq.3)", "(line 1, column 10)", `unexpected "1" expecting "("`)
	f("or", ")(", "(line 1, column 3)", `unexpected ")" expecting "("`)
	f("and", "(ord(id.eq.1,id.eq.1),id.eq.2)", "(line 1, column 7)", `unexpected "d" expecting "("`)
	f("or", "(id.eq.1,not.xor(id.eq.2,id.eq.3))", "(line 1, column 16)",
		`unexpected "x" expecting logic operator (and, or)`)
	f("not.or", "(a)", "(line 1, column 9)",
		`unexpected ")" expecting letter, digit, "-", "->>", "->" or delimiter (.)`)
	f("or", "(a.eq.{1}x)", "(line 1, column 12)", `unexpected "x" expecting "," or ")"`)
	f("or", "(a.eq.{{1},{2}})", "(line 1, column 14)",
		`unexpected "{" expecting field name (* or [a..z0..9_$]), negation operator (not) or logic operator (and, or)`)
	f("or", "(a.is.null )", "(line 1, column 14)", `unexpected ")" expecting ","`)

	query("%22.or=(a.eq.1)", `"failed to parse logic path (".or)" (line 1, column 5)`,
		`unexpected end of input expecting "\\" or "\""`)
}

func TestOrder(t *testing.T) {
	query := accepts(t, ModeRelation)
	f := func(text, want string) {
		t.Helper()
		query("select=&order="+encode(text), "order "+want)
	}
	f("id", "id")
	f("id,name", "id, name")
	f(" id , name ", "id, name")
	f("name.desc.nullsfirst", "name desc nullsfirst")
	f("name.asc.nullslast,id.nullsfirst", "name asc nullslast, id nullsfirst")
	f("name .desc", "name desc")
	f("col->key.asc.nullslast", "col->key asc nullslast")
	f("col->0.desc,col->>-1,x", "col->[0] desc, col->>[-1], x")
	f("col->!@#$%^&*_a.asc", `col->"!@#$%^&*_a" asc`)
	f("rel(name)", "rel(name)")
	f("rel( name ).desc", "rel(name) desc")
	f("rel(col->key).desc.nullsfirst,id", "rel(col->key) desc nullsfirst, id")
	f("rel(col->0)", "rel(col->0)") // an index cannot end at a parenthesis
	f(`"a.b"("c d").asc`, `"a.b"("c d") asc`)

	query("select=&a.b.order=id.desc&order=x&a.b.order=y", "order a: b: id desc\norder x\norder a: b: y")
}

func TestOrderErrors(t *testing.T) {
	query := refuses(t, ModeRelation)
	f := func(text, place, details string) {
		t.Helper()
		query("order="+encode(text), `"failed to parse order (`+text+`)" `+place, details)
	}
	const afterName = `expecting letter, digit, "-", "->>", "->", delimiter (.), "," or end of input`
	f("clients(name,id)", "(line 1, column 8)", "unexpected '(' "+afterName)
	f("id.ac", "(line 1, column 4)", `unexpected "c" expecting "asc", "desc", "nullsfirst" or "nullslast"`)
	f("id.descc", "(line 1, column 8)", `unexpected 'c' expecting delimiter (.), "," or end of input`)
	f("id.nulsfist", "(line 1, column 4)", `unexpected "n" expecting "asc", "desc", "nullsfirst" or "nullslast"`)
	f("id.nullslasttt", "(line 1, column 13)", `unexpected 't' expecting "," or end of input`)
	f("id.smth34", "(line 1, column 4)", `unexpected "s" expecting "asc", "desc", "nullsfirst" or "nullslast"`)
	f("id.asc.nlsfst", "(line 1, column 8)", `unexpected "l" expecting "nullsfirst" or "nullslast"`)
	f("id.asc.nullslasttt", "(line 1, column 17)", `unexpected 't' expecting "," or end of input`)
	f("id.asc.smth34", "(line 1, column 8)", `unexpected "s" expecting "nullsfirst" or "nullslast"`)
	f("", "(line 1, column 1)", "unexpected end of input expecting field name (* or [a..z0..9_$])")

	query(".order=id", `"failed to parse tree path (.order)" (line 1, column 1)`,
		`unexpected "." expecting field name (* or [a..z0..9_$])`)
}

func TestColumns(t *testing.T) {
	f := accepts(t, ModeRelation)
	f("select=&columns=b,a,b", "columns a, b")
	f("select=&columns=b , %22a,c%22 ,a-b", `columns "a,c", "a-b", b`)
	f("select=&columns=a)x&columns=!", "columns a\nnot members")
	f("select=&columns=a,b(c, d ,e(f),g()),h", `columns a, b
members a, b(c, d, e(f), g()), h`)
	f("select=&columns=x:b!fk,%22c:d%22:%22e,f%22!g(h:i)", "columns x\nmembers x:b!fk, \"c:d\":\"e,f\"!g(h:i)")
	for _, rest := range []string{"(", "(b", "(b))", "(b)c", "(b,)", "()()", "!", "!b!c", ":", ":b:c", "::b", "(*)", "(...b(c))", "->b"} {
		f("select=&columns=a"+rest, "columns a\nnot members")
	}
	f("select=&columns=a"+strings.Repeat("(a", MaxDepth)+strings.Repeat(")", MaxDepth), "columns a\nmembers a"+strings.Repeat("(a", MaxDepth)+strings.Repeat(")", MaxDepth))
	f("select=&columns=a"+strings.Repeat("(a", MaxDepth+1)+strings.Repeat(")", MaxDepth+1), "columns a\nnot members")
	f("select=&columns&columns=!", "")
	f("select=&on_conflict=b,a,b", "on_conflict b, a, b")
	f("select=&on_conflict=!a-b_key", `on_conflict named "a-b_key"`)
	f("select=&on_conflict=!%22a,b%22", `on_conflict named "a,b"`)
	f("select=&on_conflict=%22!a%22", `on_conflict "!a"`)

	bad := refuses(t, ModeRelation)
	const name = "expecting field name (* or [a..z0..9_$])"
	bad("columns=", `"failed to parse columns parameter ()" (line 1, column 1)`, "unexpected end of input "+name)
	bad("columns=:", `"failed to parse columns parameter (:)" (line 1, column 1)`, `unexpected ":" `+name)
	bad("columns=a,", `"failed to parse columns parameter (a,)" (line 1, column 3)`, "unexpected end of input "+name)
	bad("on_conflict=%22a%22+", `"failed to parse on_conflict parameter ("a" )" (line 1, column 5)`,
		`unexpected end of input expecting ","`)
	for _, text := range []string{"!a,b", "!!a", "!", "!a)"} {
		bad("on_conflict="+text, `"failed to parse on_conflict parameter (`+text+`)" (line 1, column 1)`, `unexpected "!" `+name)
	}
	bad("columns=!a", `"failed to parse columns parameter (!a)" (line 1, column 1)`, `unexpected "!" `+name)
}

// TestErrorOrder checks which of several errors is reported.
func TestErrorOrder(t *testing.T) {
	all := []struct{ query, what string }{
		{"on_conflict=!", "on_conflict parameter (!)"},
		{"a=!", "filter (!)"},
		{"select=a!", "select parameter (a!)"},
		{"columns=!", "columns parameter (!)"},
		{"or=!", "logic tree (!)"},
		{"order=!", "order (!)"},
	}
	var q Query
	for n := range all {
		var parts []string
		for _, c := range all[:n+1] {
			parts = append(parts, c.query)
		}
		query := strings.Join(parts, "&")
		err := q.Parse([]byte(query), ModeRelation)
		if want := `"failed to parse ` + all[n].what + `"`; err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%s: got %v, want %s", query, err, want)
		}
	}
}

func TestNesting(t *testing.T) {
	var q Query
	nested := func(open, inner, close string, depth int) string {
		return strings.Repeat(open, depth) + inner + strings.Repeat(close, depth)
	}
	f := func(query string, wantErr string) {
		t.Helper()
		err := q.Parse([]byte(query), ModeRelation)
		var e *Error
		switch {
		case wantErr == "" && err != nil:
			t.Errorf("got %.200s", err)
		case wantErr != "" && (!errors.As(err, &e) || e.Message != wantErr || e.Details != "at most 200 levels are allowed"):
			t.Errorf("got %.200v, want %s", err, wantErr)
		}
	}
	f("select="+nested("a(", "b", ")", MaxDepth), "")
	f("select="+nested("a(", "b", ")", MaxDepth+1), "failed to parse select parameter: nested too deeply")
	f("select="+strings.Repeat("a(", 1e6), "failed to parse select parameter: nested too deeply")
	f("select="+strings.Repeat("...a(", 1e5), "failed to parse select parameter: nested too deeply")
	f("or=("+nested("and(", "a.eq.1", ")", MaxDepth-1)+")", "")
	f("or=("+nested("and(", "a.eq.1", ")", MaxDepth)+")", "failed to parse logic tree: nested too deeply")
	f("or=("+strings.Repeat("not.or(", 1e5), "failed to parse logic tree: nested too deeply")
	f("select="+strings.Repeat("a(b),", 2e4)+"c", "")
}

// TestStop checks where package explain begins: it must not parse a long list again
// that fails at its end.
func TestStop(t *testing.T) {
	var q Query
	f := func(key, text, rest string, depth int) {
		t.Helper()
		if err := q.Parse([]byte(key+"="+encode(text)), ModeRelation); err == nil {
			t.Fatalf("%s is accepted", text)
		}
		if key == "or" {
			text = key + text
		}
		if got := text[q.stop.mark:]; got != rest || q.stop.depth != depth {
			t.Errorf("%s: got %q inside %d, want %q inside %d", text, got, q.stop.depth, rest, depth)
		}
	}
	f("select", "a,b,c,d!", "c,d!", 0)
	f("select", "a!", "a!", 0)
	f("select", "x,y(a,b,c,d!", "c,d!", 1)
	f("select", "x,y(a,b),c,", "c,", 0)
	f("select", "x,y(a,b),z(c", "c", 1)
	f("select", "w,x,y(a,b) ", "x,y(a,b) ", 0)
	f("order", "a,b,c,d!", "c,d!", 0)
	f("columns", "a,b,c,", "c,", 0)
	f("or", "(a.eq.1,b.eq.1,c.eq.1,d)", "c.eq.1,d)", 1)
	f("or", "(a.eq.1,and(b.eq.1,c.eq.1),d)", "and(b.eq.1,c.eq.1),d)", 1)
	f("or", "(a.eq.1,and(b.eq.1,c.eq.1,d.eq.1", "c.eq.1,d.eq.1", 2)
}
