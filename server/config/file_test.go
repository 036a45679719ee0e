package config

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"testing"
)

// readTexts reads main out of a set of files held in memory.
func readTexts(files map[string]string, env map[string]string) (map[string]value, error) {
	r := &fileReader{
		values: map[string]value{},
		getenv: func(name string) (string, bool) { s, ok := env[name]; return s, ok },
		read: func(path string) ([]byte, error) {
			text, ok := files[path]
			if !ok {
				return nil, &fs.PathError{Op: "open", Path: path, Err: fs.ErrNotExist}
			}
			return []byte(text), nil
		},
	}
	err := r.importFile("", "main")
	return r.values, err
}

func show(values map[string]value) string {
	var b strings.Builder
	for _, key := range slices.Sorted(maps.Keys(values)) {
		fmt.Fprintf(&b, "%s: %s\n", key, values[key].appendNotation(nil))
	}
	return b.String()
}

func TestFileGrammar(t *testing.T) {
	f := func(text, want string) {
		t.Helper()
		values, err := readTexts(map[string]string{"main": text}, map[string]string{"HOME": "/home/ada", "EMPTY": ""})
		if err != nil {
			t.Errorf("reading %q: %v", text, err)
			return
		}
		if got := show(values); got != want {
			t.Errorf("reading %q:\n got %s\nwant %s", text, got, want)
		}
	}
	f(``, ``)
	f("\n\n # only this\n", ``)
	f(`a=1`, "a: Number 1.0\n")
	f(`a = "x" # trailing`, "a: String \"x\"\n")
	f("a = \"x\"\r\nb = \"y\"\r\n", "a: String \"x\"\nb: String \"y\"\n")
	f("  a  # one\n=  # two\n  1 # three\n", "a: Number 1.0\n")
	f("a = on\nb = off\nc = true\nd = false", "a: Bool True\nb: Bool False\nc: Bool True\nd: Bool False\n")
	f("a = 1\na = 2", "a: Number 2.0\n")
	f("A-b_c9.d = 1", "A-b_c9.d: Number 1.0\n")
	f("ключ = 1", "ключ: Number 1.0\n")
	f("import-x = 1\nimports = 2", "import-x: Number 1.0\nimports: Number 2.0\n")

	f("n = 0\no = 12.50\np = 1e3\nq = 1.5E-3\nr = 2e+2\ns = 12345678", "n: Number 0.0\no: Number 12.5\np: Number 1000.0\n"+
		"q: Number 1.5e-3\nr: Number 200.0\ns: Number 1.2345678e7\n")

	f(`a = "\"\\\n\t\r\u00e9\ud83c\udfac"`, "a: String \"\\\"\\\\\\n\\t\\ré🎬\"\n")
	f("a = \"two\nlines\"", "a: String \"two\\nlines\"\n")
	f(`a = ""`, "a: String \"\"\n")

	f("a = []", "a: List []\n")
	f("a = [1, \"x\" , on]", "a: List [Number 1.0,String \"x\",Bool True]\n")
	f("a\n=\n[\n1\n#c\n,\n[2]\n]#d\n", "a: List [Number 1.0,List [Number 2.0]]\n")

	f("g {\n x = 1\n y { z = 2 }\n}", "g.x: Number 1.0\ng.y.z: Number 2.0\n")
	f("g { }\nh {}", ``)
	f("g { x { y.z = 1 } }", "g.x.y.z: Number 1.0\n")

	f("#; a = 1\nb = 2", "b: Number 2.0\n")
	f("#; g {\n x = 1\n y = \"$(nothing)\"\n}\nb = 2", "b: Number 2.0\n")
	f("#; import \"nothing\"\nb = 2", "b: Number 2.0\n")

	f(`a = "$$ and $$$$"`, "a: String \"$ and $$\"\n")
	f(`a = "$(HOME)/x$(EMPTY)"`, "a: String \"/home/ada/x\"\n")
	f("a = 1\nb = \"$(a)\"", "a: Number 1.0\nb: String \"1\"\n")
	f("a = 1.5\nb = \"$(a)\"", "a: Number 1.5\nb: String \"1.5\"\n")
	f("HOME = \"mine\"\nb = \"$(HOME)\"", "HOME: String \"mine\"\nb: String \"mine\"\n")
	f("d = \"0\"\na { d = \"$(d)1\"\n b { d = \"$(d)2\"\n c.d = \"$(d)3\" } }",
		"a.b.c.d: String \"0123\"\na.b.d: String \"012\"\na.d: String \"01\"\nd: String \"0\"\n")
}

func TestFileImport(t *testing.T) {
	files := map[string]string{
		"main":         "import \"sub/one\"\ng { import \"sub/one\" }\nz = \"$(a)\"",
		"sub/one":      "a = 1\nimport \"two\"\nimport \"/abs\"",
		"sub/two":      "b = 2",
		"/abs":         "c = 3",
		"never/opened": "",
	}
	values, err := readTexts(files, nil)
	if err != nil {
		t.Fatal(err)
	}
	want := "a: Number 1.0\nb: Number 2.0\nc: Number 3.0\ng.a: Number 1.0\ng.b: Number 2.0\ng.c: Number 3.0\nz: String \"1\"\n"
	if got := show(values); got != want {
		t.Errorf("got %s\nwant %s", got, want)
	}
}

func TestFileErrors(t *testing.T) {
	f := func(text string, kind ErrorKind, want string) {
		t.Helper()
		_, err := readTexts(map[string]string{"main": text, "loop": "import \"loop\"\nimport \"loop\"", "bad": "x = '"}, nil)
		var e *Error
		if !errors.As(err, &e) {
			t.Errorf("reading %q: got %v, want an *Error", text, err)
			return
		}
		if e.Kind != kind || e.Error() != "Error in config "+want {
			t.Errorf("reading %q:\n got %d %s\nwant %d %s", text, e.Kind, e.Error(), kind, "Error in config "+want)
		}
	}
	syntax := func(text, want string) { t.Helper(); f(text, SyntaxError, want) }

	syntax("a = 'x'", "main:1:5:\n  |\n1 | a = 'x'\n  |     ^\nunexpected '''\n"+
		`expecting "false", "off", "on", "true", '"', '[' or a digit`)
	syntax("a = 1\n\nbroken line\n", "main:3:8:\n  |\n3 | broken line\n  |        ^\nunexpected 'l'\nexpecting '=' or '{'")
	syntax("a = 1 b = 2", "main:1:7:\n  |\n1 | a = 1 b = 2\n  |       ^\nunexpected 'b'\nexpecting end of line")
	syntax("a = \"é\" x", "main:1:9:\n  |\n1 | a = \"é\" x\n  |         ^\nunexpected 'x'\nexpecting end of line")
	syntax("a = \"x\nb", "main:2:2:\n  |\n2 | b\n  |  ^\nunexpected end of input\nexpecting '\"' or a character")
	syntax(`a = "\x"`, "main:1:7:\n  |\n1 | a = \"\\x\"\n  |       ^\nunexpected 'x'\nexpecting '\"', '\\', 'n', 'r', 't' or 'u'")
	syntax(`a = "\u12g4"`, "main:1:10:\n  |\n1 | a = \"\\u12g4\"\n  |          ^\nunexpected 'g'\nexpecting hexadecimal digit")
	syntax(`a = "\udc00\u0041"`, "main:1:18:\n  |\n1 | a = \"\\udc00\\u0041\"\n  |                  ^\ninvalid UTF-16 surrogates")
	syntax(`a = "\ud800x"`, "main:1:12:\n  |\n1 | a = \"\\ud800x\"\n  |            ^\nunexpected 'x'\nexpecting \"\\u\"")
	syntax("a = -1", "main:1:5:\n  |\n1 | a = -1\n  |     ^\nunexpected '-'\n"+
		`expecting "false", "off", "on", "true", '"', '[' or a digit`)
	syntax("a = 1.", "main:1:6:\n  |\n1 | a = 1.\n  |      ^\nunexpected '.'\nexpecting end of line")
	syntax("a = [1", "main:1:7:\n  |\n1 | a = [1\n  |       ^\nunexpected end of input\nexpecting ',' or ']'")
	syntax("g { a = 1", "main:1:10:\n  |\n1 | g { a = 1\n  |          ^\nunexpected end of input\nexpecting '}'")
	syntax("}", "main:1:1:\n  |\n1 | }\n  | ^\nunexpected '}'\nexpecting a name or import")
	syntax("9a = 1", "main:1:1:\n  |\n1 | 9a = 1\n  | ^\nunexpected '9'\nexpecting a name or import")
	syntax("import x", "main:1:8:\n  |\n1 | import x\n  |        ^\nunexpected 'x'\nexpecting '\"'")
	syntax(strings.Repeat("g{", 65), "main:1:129:\n  |\n1 | "+strings.Repeat("g{", 65)+"\n  | "+strings.Repeat(" ", 128)+
		"^\nunexpected 'g'\nexpecting fewer groups inside each other")

	syntax(`a = "$x"`, "<a>:1:2:\n  |\n1 | $x\n  |  ^\nunexpected 'x'\nexpecting '$' or '('")
	syntax(`g { a = "$" }`, "<g.a>:1:2:\n  |\n1 | $\n  |  ^\nunexpected end of input\nexpecting '$' or '('")
	syntax(`a = "$(x"`, "<a>:1:4:\n  |\n1 | $(x\n  |    ^\nunexpected end of input\nexpecting ')'")
	syntax(`a = "$()"`, "<a>:1:3:\n  |\n1 | $()\n  |   ^\nunexpected ')'\nexpecting a name")
	syntax(`a = "$(x)"`, "<a>:\nno such variable: 'x'")
	syntax("a = [1]\nb = \"$(a)\"", "<b>:\nvariable 'a' is not a string or number")

	f(`import "gone"`, FileError, "gone: file does not exist")
	f(`import "bad"`, SyntaxError, "bad:1:5:\n  |\n1 | x = '\n  |     ^\nunexpected '''\n"+
		`expecting "false", "off", "on", "true", '"', '[' or a digit`)
	f(`import "loop"`, FileError, "loop: more than 256 imports")
	f("a = \"\xff\"", FileError, "main: not valid UTF-8")

	laughs := "a = \"ha\"\n" + strings.Repeat("a = \"$(a)$(a)\"\n", 40)
	if _, err := readTexts(map[string]string{"main": laughs}, nil); err == nil || !strings.HasSuffix(err.Error(), "longer than 8388608 bytes") {
		t.Errorf("a value of 2 TiB: %.300v", err)
	}
}

// FuzzFile: the parser neither panics nor loops on any text, and parsing is
// deterministic.
func FuzzFile(f *testing.F) {
	for _, seed := range []string{
		"a = 1", "g { x = \"$(a)\" }", "#; a = [1, \"x\", on]", "import \"main\"", `a = "\ud83c\udfac$$"`, "a\n=\n1.5e3 # x",
		strings.Repeat("[", 100), "a = " + strings.Repeat("[", 100), "a.b-c = off\r\n",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		first, err := readTexts(map[string]string{"main": text}, nil)
		second, err2 := readTexts(map[string]string{"main": text}, nil)
		if show(first) != show(second) || (err == nil) != (err2 == nil) {
			t.Errorf("%q read differently twice", text)
		}
	})
}
