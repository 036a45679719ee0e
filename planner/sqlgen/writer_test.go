package sqlgen

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/fastgrest/fastgrest/pgwire/pgtest"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

var names = []string{
	"a", "A b", `a"b`, `""`, `"`, "a'b", `a\b`, `\`, "a.b", "a;b --", "/*", "名前 🎬", "\n", "$1", "a\x00b", strings.Repeat("x", 63),
}

func TestIdent(t *testing.T) {
	for name, want := range map[string]string{
		"a": `"a"`, `a"b`: `"a""b"`, `"`: `""""`, "a'b": `"a'b"`, `a\b`: `"a\b"`, "a\x00\"; drop table x": `"a"`, "": `""`,
	} {
		if got := Ident(name); got != want {
			t.Errorf("%q: %s, want %s", name, got, want)
		}
	}
}

func TestLiteral(t *testing.T) {
	for text, want := range map[string]string{
		"a": `'a'`, "": `''`, "a'b": `'a''b'`, `a\b`: `E'a\\b'`, `\'`: `E'\\'''`, "a\x00'; drop": `'a'`, `a"b`: `'a"b'`,
	} {
		if got := Literal(text); got != want {
			t.Errorf("%q: %s, want %s", text, got, want)
		}
	}
}

// TestQuotingOnServer: quoted names and constants come back from PostgreSQL
// unchanged, under both values of standard_conforming_strings.
func TestQuotingOnServer(t *testing.T) {
	conn := connect(t)
	for _, conforming := range []string{"on", "off"} {
		run(t, conn, "set standard_conforming_strings = "+conforming)
		for _, name := range names {
			if name == "" {
				continue
			}
			sql := "SELECT " + Literal(name) + "::text AS " + Ident(name)
			result := conn.ExecParams(context.Background(), sql, nil, nil, nil, nil).Read()
			if result.Err != nil {
				t.Errorf("%q: %v", name, result.Err)
				continue
			}
			if got, want := string(result.Rows[0][0]), cutNUL(name); got != want {
				t.Errorf("literal %q came back as %q", want, got)
			}
			if got, want := result.FieldDescriptions[0].Name, cutNUL(name); got != want {
				t.Errorf("identifier %q came back as %q", want, got)
			}
		}
	}
}

// FuzzQuoting: no text can end its own quotes.
func FuzzQuoting(f *testing.F) {
	for _, name := range names {
		f.Add(name)
	}
	f.Fuzz(func(t *testing.T, text string) {
		want := cutNUL(text)
		ident := Ident(text)
		inner := ident[1 : len(ident)-1]
		if strings.Count(inner, `"`)%2 != 0 || strings.Contains(strings.ReplaceAll(inner, `""`, ""), `"`) || strings.ReplaceAll(inner, `""`, `"`) != want {
			t.Errorf("%q became %s", text, ident)
		}
		literal := Literal(text)
		inner, escaped := strings.CutPrefix(literal, "E")
		inner = inner[1 : len(inner)-1]
		if strings.Contains(strings.ReplaceAll(inner, `''`, ""), `'`) {
			t.Errorf("%q became %s", text, literal)
		}
		inner = strings.ReplaceAll(inner, `''`, `'`)
		if escaped {
			if strings.Contains(strings.ReplaceAll(inner, `\\`, ""), `\`) {
				t.Errorf("%q became %s", text, literal)
			}
			inner = strings.ReplaceAll(inner, `\\`, `\`)
		} else if strings.Contains(inner, `\`) {
			t.Errorf("%q became %s, which reads differently by standard_conforming_strings", text, literal)
		}
		if inner != want {
			t.Errorf("%q became %s", text, literal)
		}
	})
}

func TestParams(t *testing.T) {
	var w Writer
	for i := range int32(100) {
		w.S(w.param(Arg{ArgValue, i}))
		w.S(w.param(Arg{ArgValue, i / 2})) // is a parameter already
	}
	w.S(w.param(Arg{Kind: ArgBody}))
	w.S(w.callArg(ArgCall, "a"))
	w.S(w.callArg(ArgCall, "b"))
	w.S(w.callArg(ArgCall, "a"))
	s := w.Statement()
	if len(s.Args) != 103 || len(s.Names) != 2 {
		t.Fatalf("%d parameters, names %q", len(s.Args), s.Names)
	}
	var want strings.Builder
	for i := range 100 {
		fmt.Fprintf(&want, "$%d$%d", i+1, i/2+1)
	}
	want.WriteString("$101$102$103$102")
	if s.SQL != want.String() {
		t.Errorf("%s\nwant\n%s", s.SQL, want.String())
	}
	for i, a := range s.Args[:100] {
		if a != (Arg{ArgValue, int32(i)}) {
			t.Errorf("$%d is %v", i+1, a)
		}
	}
}

func connect(tb testing.TB) *pgconn.PgConn {
	tb.Helper()
	cluster := pgtest.Start(tb)
	conn, err := pgconn.Connect(context.Background(), cluster.URI("postgres", pgtest.Superuser))
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { conn.Close(context.Background()) })
	return conn
}

func run(tb testing.TB, conn *pgconn.PgConn, sql string) {
	tb.Helper()
	if _, err := conn.Exec(context.Background(), sql).ReadAll(); err != nil {
		tb.Fatalf("%v\n%s", err, sql)
	}
}

func TestEscapeStrings(t *testing.T) {
	for expression, want := range map[string]string{
		`'a'::text`:                  `'a'::text`,
		`'\'::text`:                  `E'\\'::text`,
		`'a\b''c\d'::text || 'e'`:    `E'a\\b''c\\d'::text || 'e'`,
		`"a\b'"."f"('\x'::bytea, 1)`: `"a\b'"."f"(E'\\x'::bytea, 1)`,
		`nextval( E's.a\\b''c')`:     `nextval( E's.a\\b''c')`,
	} {
		if got := escapeStrings(expression); got != want {
			t.Errorf("%s: got %s, want %s", expression, got, want)
		}
	}
}
