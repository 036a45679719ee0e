package config

import (
	"fmt"
	"math/rand/v2"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestDump(t *testing.T) {
	f := func(o LoadOptions, golden string) *Config {
		t.Helper()
		c, err := Load(o)
		if err != nil {
			t.Fatal(err)
		}
		want, err := os.ReadFile(golden)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), string(c.AppendDump(nil, false))); diff != "" {
			t.Errorf("%v against %s: %s", o, golden, diff)
		}
		return c
	}
	f(LoadOptions{}, "testdata/defaults.dump")
	f(LoadOptions{File: write(t, "empty", "")}, "testdata/defaults.dump")
	f(LoadOptions{File: write(t, "example", Example)}, "testdata/defaults.dump")
	full := f(LoadOptions{File: "testdata/full.conf"}, "testdata/full.dump")
	f(LoadOptions{File: "testdata/full.dump"}, "testdata/full.dump")

	all := string(load(t, "").AppendDump(nil, true))
	for i := range settings {
		if !strings.Contains("\n"+all, "\n"+settings[i].key+" = ") {
			t.Errorf("the full dump has no %s", settings[i].key)
		}
	}

	// The environment and flags give the same configuration, and every field is set.
	env, flags := []string{}, map[string]string{}
	for _, l := range strings.Split(strings.TrimSpace(string(full.AppendDump(nil, false))), "\n") {
		key, v, ok := strings.Cut(l, " = ")
		if !ok {
			continue
		}
		v = strings.ReplaceAll(strings.TrimSuffix(strings.TrimPrefix(v, `"`), `"`), `\"`, `"`)
		flags[key] = v
		if rest, ok := strings.CutPrefix(key, appSettingsPrefix); ok {
			env = append(env, "PGRST_APP_SETTINGS_"+rest+"="+v)
		} else {
			env = append(env, envName(key)+"="+v)
		}
	}
	f(LoadOptions{Env: env}, "testdata/full.dump")
	f(LoadOptions{Flags: flags}, "testdata/full.dump")
	for i := range settings {
		s := &settings[i]
		if string(s.append(nil, full)) == string(s.append(nil, defaults)) {
			t.Errorf("testdata/full.conf leaves %s at its default", s.key)
		}
	}
}

// TestDumpText pins the printed form of values, including PostgREST's quirks.
func TestDumpText(t *testing.T) {
	f := func(text, want string) {
		t.Helper()
		key, _, _ := strings.Cut(want, " = ")
		if got := line(load(t, text), key); got != want {
			t.Errorf("%q: got %s, want %s", text, got, want)
		}
	}
	f(`jwt-role-claim-key = "$$"`, `jwt-role-claim-key = "$$"`)
	f(`jwt-role-claim-key = "$$.a[?(@ == 'x')]"`, `jwt-role-claim-key = "$$.a[?(@ == 'x')]"`)
	f(`jwt-role-claim-key = "$$..role"`, `jwt-role-claim-key = "$$...role"`)
	f(`jwt-role-claim-key = ".role"`, `jwt-role-claim-key = ".\"role\""`)
	f(`jwt-role-claim-key = ".a[?(@ ^== \"x\")]"`, `jwt-role-claim-key = ".\"a\"[?(@ ^== \"x\")]"`)
	f(`jwt-secret = "0123456789$$abcdef$$0123456789abcdef"`, `jwt-secret = "0123456789$abcdef$0123456789abcdef"`)
	f(`db-anon-role = "back\\slash"`, `db-anon-role = "back\slash"`)
	f(`openapi-server-proxy-uri = "http://localhost:80/"`, `openapi-server-proxy-uri = "http://localhost:80/"`)
}

// TestDumpLoadsAgain: a configuration survives dumping and loading.
func TestDumpLoadsAgain(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	for i := range 300 {
		c := randomConfig(rnd)
		dump := string(c.AppendDump(nil, false))
		again, err := Load(LoadOptions{File: write(t, "dump", dump)})
		if err != nil {
			t.Fatalf("round %d: %v\n%s", i, err, dump)
		}
		if diff := cmp.Diff(c, again); diff != "" {
			t.Fatalf("round %d: %s\n%s", i, diff, dump)
		}
	}
}

// randomConfig sets each field to a random value that Load could return. The
// type selects the generator, or the name where the type is too general.
func randomConfig(rnd *rand.Rand) *Config {
	c := &Config{}
	pick := func(list ...string) string { return list[rnd.IntN(len(list))] }
	word := func() string {
		const letters = `abcXYZ019 _-.:/@'"()é日,=#{}[]`
		runes := []rune(letters)
		b := make([]rune, 1+rnd.IntN(12))
		for i := range b {
			b[i] = runes[rnd.IntN(len(runes))]
		}
		return string(b)
	}
	item := func() string { return strings.TrimSpace(strings.ReplaceAll(word(), ",", "")) }
	v := reflect.ValueOf(c).Elem()
	for i := range v.NumField() {
		field := v.Field(i)
		switch p := field.Addr().Interface().(type) {
		case *bool:
			*p = rnd.IntN(2) == 0
		case *int:
			*p = 4096 + rnd.IntN(1<<20)
		case *int64:
			*p = rnd.Int64N(1000) - 1
		case *time.Duration:
			*p = time.Duration(rnd.IntN(1<<20)) * time.Second
		case *string:
			*p = pick("", word())
		case *[]string:
			for range 1 + rnd.IntN(3) {
				*p = append(*p, "x"+item())
			}
		case *QualifiedName:
			*p = parseQualifiedName(pick("f", `f"g`, "ops.f", "a b.f.g"))
		case *TxEnd:
			*p = TxEnd{rnd.IntN(2) == 0, rnd.IntN(2) == 0}
		case *Verbosity:
			*p = Verbosity(rnd.IntN(2))
		case *LogLevel:
			*p = LogLevel(rnd.IntN(5))
		case *OpenAPIMode:
			*p = OpenAPIMode(rnd.IntN(3))
		case *uint32:
			*p = 0o600 + rnd.Uint32N(0o200)
		}
	}
	c.PageCursorSecret = pick("", "x"+strings.Repeat(word(), 32))
	c.Warnings = nil
	c.AppSettings = []Setting{}
	for n := range rnd.IntN(4) {
		c.AppSettings = append(c.AppSettings, Setting{fmt.Sprintf("app.settings.a%d", n), pick("", word())})
	}
	c.AdminServerPort = rnd.IntN(2) * (1 + rnd.IntN(4000)) // below any server port
	c.ServerPort = 4096 + rnd.IntN(1<<15)                  // at most the largest port
	if rnd.IntN(4) == 0 {
		c.DBExtraSearchPath = nil
	}
	if rnd.IntN(4) == 0 {
		c.ServerCORSAllowedOrigins = nil
	}
	// These have defaults and are never empty.
	defer func() { c.GivenURI = c.DBURI }()
	c.DBChannel, c.DBURI, c.ServerHost, c.AdminServerHost = "c"+word(), "u"+word(), "h"+word(), "a"+word()
	c.DBReadReplicas = pick("", "postgres://a, postgres://b", "host=a,host=b") // not the name of a file
	c.JWTAudience = pick("", "plain", "https://example.com/x?y#z", "urn:x")
	c.OpenAPIServerProxyURI = pick("", "https://example.com:8443/base")
	c.JWTRoleClaimKey = pick("$.role", "$.a[0]", "$['a b'][?(@ == 'x')]", `."a"[1]`, `."a"[?(@ *== "x")]`)
	c.JWTSecret, c.JWTSecretURL, c.JWTIssuersText, c.JWTIssuers = nil, "", "", nil
	if n := rnd.IntN(3); n > 0 {
		c.JWTSecret = []byte(strings.Repeat("s'\"#é", 8) + word())
	}
	if c.JWTSecret == nil {
		c.JWTSecretIsBase64 = false
	}
	return c
}

// TestExample: the example has every key, and the keys not commented out have
// their defaults (TestDump).
func TestExample(t *testing.T) {
	var named []string
	for l := range strings.Lines(Example) {
		if key, _, ok := strings.Cut(strings.TrimPrefix(l, "# "), " = "); ok && !strings.Contains(key, " ") {
			named = append(named, key)
		}
	}
	for i := range settings {
		key := settings[i].key
		if n := strings.Count("\n"+strings.Join(named, "\n")+"\n", "\n"+key+"\n"); n != 1 {
			t.Errorf("the example has %s %d times", key, n)
		}
	}
	// Values in comments must be valid too.
	text := strings.ReplaceAll(Example, "\n# ", "\n#@ ")
	var b strings.Builder
	for l := range strings.Lines(text) {
		rest, found := strings.CutPrefix(l, "#@ ")
		if key, _, ok := strings.Cut(rest, " = "); found && ok && !strings.Contains(key, " ") && key != "jwt-secret" && key != "jwt-issuers" {
			l = rest
		}
		b.WriteString(l)
	}
	c, err := Load(LoadOptions{File: write(t, "all", b.String()), Env: []string{"FAVOURITE_COLOUR=teal"}})
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Warnings) > 0 || c.AppSettings[0].Value != "teal" || c.AdminServerPort != 3001 {
		t.Errorf("warnings %q, settings %v, port %d", c.Warnings, c.AppSettings, c.AdminServerPort)
	}
}
