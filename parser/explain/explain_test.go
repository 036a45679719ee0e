package explain

import (
	"fmt"
	"testing"
)

func TestRun(t *testing.T) {
	f := func(g Grammar, text, want string) {
		t.Helper()
		got := "accepted"
		if f, refused := Run(g, []byte(text), Start{}, 10); refused {
			got = fmt.Sprintf("%d:%d %s", f.Line, f.Column, f.Details)
		}
		if got != want {
			t.Errorf("%q: got\n %s, want\n %s", text, got, want)
		}
	}
	f(TreePath, "identifier", "accepted")
	f(TreePath, "identifier with spaces", "accepted")
	f(TreePath, "identifier-with-dashes", "accepted")
	f(TreePath, "123", "accepted")
	f(TreePath, "_", "accepted")
	f(TreePath, "$", "accepted")
	f(TreePath, `":"`, "accepted")
	f(TreePath, ":", `1:1 unexpected ":" expecting field name (* or [a..z0..9_$])`)
	f(TreePath, "a-b-", `1:5 unexpected end of input expecting ">", letter or digit`)
	f(TreePath, "a-b->", `1:6 unexpected end of input expecting "-", digit or any non reserved character different from: .,>()`)

	f(Columns, "a,b", "accepted")
	f(Columns, "a,-", `1:3 unexpected "-" expecting field name (* or [a..z0..9_$])`)

	f(Select, "", "accepted")
	f(Select, "name->!@#$%^&*_a::cast", "accepted")
	f(Select, "name!hint", `1:5 unexpected '!' expecting letter, digit, "-", "->>", "->", "::", ".", ")", "," or end of input`)
	f(Select, "a-b!", `1:4 unexpected '!' expecting "-", "->>", "->", "::", ".", ")", "," or end of input`)
	f(Select, "a->b-c!(", `1:8 unexpected '(' expecting "-", "->>", "->", "::", ".", ")", "," or end of input`)

	f(Filter, "eq(any).value", "accepted")
	f(Filter, "value", `1:1 unexpected "v" expecting "not" or operator (eq, gt, ...)`)
	f(FilterOrArgument, "value", "accepted")
	f(FilterOrArgument, "in.value", `1:4 unexpected "v" expecting "("`)

	f(Tree, "or(a.eq.1,not.and(b.is.null))", "accepted")
	f(Tree, "or()", `1:4 unexpected ")" expecting field name (* or [a..z0..9_$]), negation operator (not) or logic operator (and, or)`)

	f(LogicPath, "a.not.or", "accepted")
	f(LogicPath, "", "1:1 unexpected end of input expecting field name (* or [a..z0..9_$])")
}

func TestDepth(t *testing.T) {
	f := func(g Grammar, text string, from Start, tooDeep bool) {
		t.Helper()
		if f, _ := Run(g, []byte(text), from, 2); f.TooDeep != tooDeep {
			t.Errorf("%q: got %+v", text, f)
		}
	}
	f(Select, "a(b(c", Start{}, false)
	f(Select, "a(b(c(", Start{}, true)
	f(Select, "c(", Start{Depth: 2}, true)
	f(Select, "c", Start{Depth: 3}, true)
	f(Tree, "and(or(and(", Start{}, true)
	f(Tree, "and(or(a.eq.1", Start{}, false)
}

func TestShow(t *testing.T) {
	for text, want := range map[string]string{
		"a":    `"a"`,
		`"`:    `"\""`,
		`\`:    `"\\"`,
		"'":    `"'"`,
		"\n":   `"\n"`,
		"\x00": `"\NUL"`,
		"\x1b": `"\ESC"`,
		"\x7f": `"\DEL"`,
		"ü":    `"\252"`,
		"名":    `"\21517"`,
	} {
		if got := showText([]rune(text)); got != want {
			t.Errorf("%q: got %s, want %s", text, got, want)
		}
	}
	if got := showRune('\''); got != `'\''` {
		t.Errorf("got %s", got)
	}
	if got := showRune('"'); got != `'"'` {
		t.Errorf("got %s", got)
	}
}

// TestGrammars checks that every Grammar has a parser.
func TestGrammars(t *testing.T) {
	for i, g := range []Grammar{TreePath, LogicPath, Columns, Order, Filter, Tree, Select, FilterOrArgument} {
		if _, refused := Run(g, []byte("\x00"), Start{}, 1); refused != (i < 6) { // the last two accept any text
			t.Errorf("grammar %d: refused is %v", i, refused)
		}
	}
}
