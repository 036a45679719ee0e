package parser

import (
	"strings"
	"testing"
)

func TestSelect(t *testing.T) {
	query := accepts(t, ModeRelation)
	f := func(text, want string) {
		t.Helper()
		want += "\n"
		query("select="+encode(text), strings.TrimSuffix("select "+want, "\n"))
	}
	f("*", "*")
	f("id", "id")
	f("id,name", "id, name")
	f(" id , name ", "id, name")
	f("\tid\t,\tname\t", "id, name")
	f("id,*", "id, *")
	f(`"*"`, "*")
	f("the id", `"the id"`)
	f(`"the, id "`, `"the, id "`)
	f(`"a\"b\\c"`, `"a\"b\\c"`)
	f("a-b", `"a-b"`)
	f(" a - b -c", `"a-b-c"`)
	f("a- -b", `"a--b"`)
	f("größe,名前,ñ", `größe, 名前, ñ`)
	f("1a,$b,_", "1a, $b, _")
	f("x:id", "x:id")
	f("x: id", "x:id")
	f("x:\tid", "x:id")
	f(`x: "id"`, "x:id")
	f(`"my x":id`, `"my x":id`)
	f(`"":id`, `"":id`)
	f("id::text", "id::text")
	f("x:id::double precision", "x:id::double precision")
	f("id ::text ,b", "id::text, b")
	f("a->b->>c", "a->b->>c")
	f("a->0->>-1", "a->[0]->>[-1]")
	f("a->0x", `a->0x`)
	f("a->0 ,b", `a->0, b`)
	f(`a->"0"->"-1"`, `a->0->"-1"`)
	f(`a->"b.c"->d - e`, `a->"b.c"->"d-e"`)
	f("a->!@#$%^&*_a::cast", `a->"!@#$%^&*_a"::cast`)
	f("a->\u00a0b\u2003", "a->b") // white space of all scripts
	f("a->\u0085b", `a->"\u0085b"`)
	f("x:a->b::cast", "x:a->b::cast")
	f("id.sum()", "id.sum()")
	f("x:id::int.avg()::text", "x:id::int.avg()::text")
	f("id.max(),id.min(),id.count()", "id.max(), id.min(), id.count()")
	f("a::text::int", "a::text::int")
	f("a->b.sum()", "a->b.sum()")
	f("count", "count")
	f("count()", "*.count()")
	f("n:count()::text", "n:*.count()::text")
	f("n:count", "n:count")
	f("count.sum()", "count.sum()")
	f("rel(*)", "rel(*)")
	f("rel()", "rel()")
	f("rel(id),x", "rel(id), x")
	f("rel(id) ,x", "rel(id), x")
	f("x:rel(id,y:sub(*))", "x:rel(id, y:sub(*))")
	f("rel!hint(id)", "rel hint hint(id)")
	f("rel!inner(id)", "rel inner(id)")
	f("rel!left(id)", "rel left(id)")
	f("rel!hint!inner(id)", "rel hint hint inner(id)")
	f("rel!inner!hint(id)", "rel hint hint inner(id)")
	f("rel!inner!left(id)", "rel inner(id)")
	f("rel!a!b(id)", "rel hint a(id)")
	f(`rel!"inner"(id)`, "rel hint inner(id)")
	f("...rel(a,b)", "...rel(a, b)")
	f("...rel!hint!inner(a)", "...rel hint hint inner(a)")
	f("a,...rel(...sub(b))", "a, ...rel(...sub(b))")
	f("x: rel(id)", "x:rel(id)")
	f("x: (id)", `x:""(id)`)
	f("id)", "id")
	f("id)x!", "id")

	// Nothing that begins an item: an empty list, and the rest is ignored.
	none := func(text string) { t.Helper(); query("select="+encode(text), "") }
	none("")
	none(",id")
	none("(id)")
	none("::text")
	none("*::text")
	none("* ")
	none(":id")
	none("...")
	none("...rel")
	none("....rel(id)")

	query("", "select *")
	query("select", "select *")
	query("select&select=id", "select *")
	query("select=id&select=name", "select id")
}

func TestSelectErrors(t *testing.T) {
	query := refuses(t, ModeRelation)
	f := func(text, place, details string) {
		t.Helper()
		query("select="+encode(text), `"failed to parse select parameter (`+text+`)" `+place, details)
	}
	const afterName = `expecting letter, digit, "-", "->>", "->", "::", ".", ")", "," or end of input`
	f("id,clients(name[])", "(line 1, column 16)", "unexpected '[' "+afterName)
	f("name!hint", "(line 1, column 5)", "unexpected '!' "+afterName)
	f("name::", "(line 1, column 7)", "unexpected end of input expecting letter or digit")
	f("data->>-78xy", "(line 1, column 11)", `unexpected 'x' expecting digit, "->", "::", ".", "," or end of input`)
	f("data->>--34", "(line 1, column 9)", `unexpected "-" expecting digit`)
	f("data->>-xy-4", "(line 1, column 9)", `unexpected "x" expecting digit`)
	f("data->(!@#$%^&*_d->>!@#$%^&*_e::integer", "(line 1, column 7)",
		`unexpected "(" expecting "-", digit or any non reserved character different from: .,>()`)
	f("id.sum", "(line 1, column 7)", `unexpected end of input expecting "()"`)
	f("id.stddev()", "(line 1, column 4)", `unexpected "t" expecting "sum"`)
	f("count(id)", "(line 1, column 6)", "unexpected '(' "+afterName)
	f("rel(id", "(line 1, column 7)",
		"unexpected end of input "+afterName)
	f("id,", "(line 1, column 4)",
		`unexpected end of input expecting "...", field name (* or [a..z0..9_$]), "*" or "count()"`)
	f(" ", "(line 1, column 2)", // space commits to a column
		`unexpected end of input expecting "*", field name (* or [a..z0..9_$]) or "count()"`)
	f(`"id`, "(line 1, column 4)", `unexpected end of input expecting "\\" or "\""`)
	// Columns count characters, and tabs reach to the next multiple of eight.
	f("é\t:!", "(line 1, column 9)", `unexpected "!" expecting "::"`)
	f("a\n", "(line 1, column 2)", `unexpected '\n' `+afterName)
	f(`"a`+"\n"+`b"!`, "(line 2, column 3)", `unexpected '!' expecting "->>", "->", "::", ".", ")", "," or end of input`)
	f("é€", "(line 1, column 2)", `unexpected '\8364' `+afterName)
	f("a\x00", "(line 1, column 2)", `unexpected '\NUL' `+afterName)
	f("a'", "(line 1, column 2)", `unexpected '\'' `+afterName)
}
