package auth

import (
	"strings"
	"testing"

	"github.com/fastgrest/fastgrest/parser/jsontext"
)

func TestRolePath(t *testing.T) {
	f := func(path, claims, want string) {
		t.Helper()
		p, err := ParseRolePath(path)
		if err != nil {
			t.Error(err)
			return
		}
		object, ok := parseObject([]byte(claims))
		if !ok {
			t.Fatalf("%s is not a JSON object", claims)
		}
		for range 20 { // the order of Go's maps is random
			got := "nothing"
			if v, found := p.find(object); found {
				got = string(jsontext.AppendValue(nil, v))
			}
			if got != want {
				t.Errorf("%s of %s: got %s, want %s", path, claims, got, want)
				return
			}
		}
	}
	f("$.role", `{"role":"a"}`, `"a"`)
	f("$.role", `{}`, `nothing`)
	f("$", `{"a":1}`, `{"a":1}`)
	f("$.app.role", `{"app":{"role":"a"},"role":"b"}`, `"a"`)
	f("$.app.role", `{"app":"role"}`, `nothing`)
	f("$['https://example.com/roles'][1]", `{"https://example.com/roles":["a","b"]}`, `"b"`)
	f(`$["x y"]`, `{"x y":5}`, `5`)
	f("$.roles[-1]", `{"roles":["a","b"]}`, `"b"`)
	f("$.roles[5]", `{"roles":["a","b"]}`, `nothing`)
	f("$.roles[1:]", `{"roles":["a","b","c"]}`, `"b"`)
	f("$.roles[::-1]", `{"roles":["a","b","c"]}`, `"c"`)
	f("$.roles[?(@ == 'b')]", `{"roles":["a","b"]}`, `"b"`)
	f("$.roles[?(@ != 'a')]", `{"roles":["a","b"]}`, `"b"`)
	f("$.roles[?@ == 'x']", `{"roles":[{"x":1}]}`, `nothing`)
	f("$.roles[?search(@, '^web_')]", `{"roles":["other","xweb_","web_a","web_b"]}`, `"web_a"`)
	f("$.roles[?search(@.n, 'b')].n", `{"roles":[{},5,"b",{"n":"a"},{"n":"b"}]}`, `"b"`)
	f("$.roles[?@.n > 1].r", `{"roles":[{"n":1,"r":"a"},{"n":1.5,"r":"b"}]}`, `"b"`)
	f("$.roles[?@.a == @.b]", `{"roles":[{}]}`, `{}`)
	f("$..role", `{"z":{"role":"z"},"a":{"b":[{"role":"a"}]},"role":"top"}`, `"top"`)
	f("$..role", `{"z":{"role":"z"},"a":{"b":[{"role":"a"}]}}`, `"a"`)
	f("$.*", `{"b":1,"a":2,"c":3}`, `2`)
	f("$.*.r", `{"c":{"r":1},"b":{"r":2},"a":{}}`, `2`)
	f("$[?@.r].r", `{"c":{"r":1},"b":{"r":2},"a":{}}`, `2`)
	f("$['b','a']", `{"a":1,"b":2}`, `2`)
	f("$..['b','a']", `{"x":{"a":1,"b":2},"a":3}`, `3`)
	f("$..a..b", `{"a":{"c":1},"z":{"a":{"y":{"b":5}}}}`, `5`)

	f(".role", `{"role":"a"}`, `"a"`)
	f(".a.b_$@1", `{"a":{"b_$@1":"x"}}`, `"x"`)
	f(`."https://example.com/roles"[0].value`, `{"https://example.com/roles":[{"value":"a"}]}`, `"a"`)
	f(".a[1]", `{"a":["x","y"]}`, `"y"`)
	f(".a[2]", `{"a":["x","y"]}`, `nothing`)
	f(".a[0]", `{"a":{"0":"x"}}`, `nothing`)
	f("[0]", `{"0":"x"}`, `nothing`)
	f(`.r[?(@ == "b")]`, `{"r":["a","b"]}`, `"b"`)
	f(`.r[?(@ != "a")]`, `{"r":[5,"a","b"]}`, `"b"`)
	f(`.r[?(@ ^== "we")]`, `{"r":["xwe","web"]}`, `"web"`)
	f(`.r[?(@ ==^ "eb")]`, `{"r":["ebx","web"]}`, `"web"`)
	f(`.r[?(@*=="e")]`, `{"r":["x","web"]}`, `"web"`)
	f(`.r[?(@ == "b")]`, `{"r":{"b":"b"}}`, `nothing`)
	f(`.r[?(@ == "b")]`, `{"r":["a"]}`, `nothing`)
}

func TestRolePathText(t *testing.T) {
	f := func(path, want string, deprecated bool) {
		t.Helper()
		p, err := ParseRolePath(path)
		if err != nil {
			t.Error(err)
			return
		}
		if p.String() != want || p.Deprecated() != deprecated {
			t.Errorf("%s: got %s, %v, want %s, %v", path, p, p.Deprecated(), want, deprecated)
		}
	}
	f("$", "$", false)
	f("$.a.b[0]", "$.a.b[0]", false)
	f(`$["a b"] .c [ 'd' , "e" ]`, "$['a b'].c['d','e']", false)
	f(`$['it\'s']["a\"b\u00e9"]`, `$['it's']['a"bé']`, false)
	f("$.a[?(@=='x')]", "$.a[?(@ == 'x')]", false)
	f("$.a[?@.b>=1&&!@.c||@.d<2]", "$.a[?@.b >= 1 && !@.c || @.d < 2]", false)
	f("$.a[?search(@,'^x, y')]", "$.a[?search(@, '^x, y')]", false)
	f("$.a[1:2]", "$.a[1:2:1]", false)
	f("$.a[:2,1:,::2,:]", "$.a[:2:1,1::1,::2,::1]", false)
	f("$..role", "$...role", false)
	f("$..['role']", "$..['role']", false)
	f("$..*", "$..*", false)
	f("$.*", "$.*", false)
	f(".role", `."role"`, true)
	f(`.a."b c"[1]`, `."a"."b c"[1]`, true)
	f(`.a[?(@^=="x")]`, `."a"[?(@ ^== "x")]`, true)
}

func TestRolePathErrors(t *testing.T) {
	f := func(path, want string) {
		t.Helper()
		_, err := ParseRolePath(path)
		if want = "failed to parse role-claim-key value (" + path + "): " + want; err == nil || err.Error() != want {
			t.Errorf("%s: got %v, want %s", path, err, want)
		}
	}
	f("", "expecting '.' or '[' at position 1")
	f("role", "expecting '.' or '[' at position 1")
	f("role.other", "expecting '.' or '[' at position 1")
	f(".role##", "expecting '.' or '[' at position 6")
	f(".my_role;;domain", "expecting '.' or '[' at position 9")
	f(".#$$%&$%/", `expecting a name or '"' at position 2`)
	f("1234", "expecting '.' or '[' at position 1")
	f(".role[?(@ =)]", "expecting '@', a comparison, a text in quotes and \")]\" at position 11")
	f(".a[x]", "expecting digits and ']' at position 4")
	f(".a[99999999999999999999]", "expecting digits and ']' at position 4")
	f(".a[1", "expecting digits and ']' at position 5")
	f(`."é`, `expecting a name or '"' at position 3`)
	f(`.a[?(@ == "x")].b`, "expecting the end after a filter at position 16")
	f("@@.role.other", "expecting '.' or '[' at position 1")
	f("$.a[0", "jsonpath: unexpected eof at position 6")
	f("$.my_role;;domain", "jsonpath: unexpected ';' at position 10")
	f("$...role", "jsonpath: unexpected '.' at position 4")
}

// FuzzRolePath: no path makes parsing, printing or walking panic.
func FuzzRolePath(f *testing.F) {
	for _, seed := range []string{"$.a['b'][0:1:2,?@.c == 'x']..d", `.a."b"[0][?(@ == "x")]`, "$[?search(@.x, 'y') && !@.z]", "$['\\", "$[?count(@.*)>1]"} {
		f.Add(seed, `{"a":{"b":[{"c":"x"}]}}`)
	}
	f.Fuzz(func(t *testing.T, path, claims string) {
		p, err := ParseRolePath(path)
		if err != nil {
			return
		}
		_ = p.String()
		if object, ok := parseObject([]byte(claims)); ok && strings.Count(path, "..") < 3 {
			p.find(object)
		}
	})
}
