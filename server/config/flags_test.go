package config

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/pflag"
)

func TestFlags(t *testing.T) {
	f := func(args []string, want map[string]string, rest ...string) {
		t.Helper()
		fs := pflag.NewFlagSet("fastgrest", pflag.ContinueOnError)
		RegisterFlags(fs)
		if err := fs.Parse(args); err != nil {
			t.Errorf("%q: %v", args, err)
			return
		}
		if diff := cmp.Diff(want, FlagValues(fs)); diff != "" {
			t.Errorf("%q: %s", args, diff)
		}
		if strings.Join(fs.Args(), " ") != strings.Join(rest, " ") {
			t.Errorf("%q leaves %q", args, fs.Args())
		}
	}
	f(nil, map[string]string{})
	f([]string{"server.conf"}, map[string]string{}, "server.conf")
	f([]string{"--db-pool", "20", "--db-plan-enabled", "true", "--db-anon-role=", "file"},
		map[string]string{"db-pool": "20", "db-plan-enabled": "true", "db-anon-role": ""}, "file")
	f([]string{"--max-rows", "-1", "--db-uri=host=x user=y"}, map[string]string{"max-rows": "-1", "db-uri": "host=x user=y"})
	f([]string{"--app-setting", "a=1,2", "--app-setting", "b=x=y", "--app-setting", "c"},
		map[string]string{"app.settings.a": "1,2", "app.settings.b": "x=y", "app.settings.c": ""})
}

func TestEveryKeyIsAFlag(t *testing.T) {
	fs := pflag.NewFlagSet("fastgrest", pflag.ContinueOnError)
	fs.Bool("dump-config", false, "the caller's own")
	RegisterFlags(fs)
	usage := fs.FlagUsages()
	for i := range settings {
		s := &settings[i]
		if fs.Lookup(s.key) == nil || !strings.Contains(usage, "--"+s.key+" ") {
			t.Errorf("no flag, or no help, for %s", s.key)
		}
		for _, name := range s.older {
			if fs.Lookup(name) == nil {
				t.Errorf("no flag for %s", name)
			}
		}
	}
	if strings.Contains(usage, "--max-rows") || fs.Lookup("server-host").Hidden {
		t.Errorf("older names show, or a key does not:\n%s", usage)
	}
}

func TestDidYouMean(t *testing.T) {
	f := func(arg, want string) {
		t.Helper()
		fs := pflag.NewFlagSet("fastgrest", pflag.ContinueOnError)
		fs.Bool("dump-config", false, "")
		RegisterFlags(fs)
		err := ExplainFlagError(fs, fs.Parse([]string{arg}))
		if err == nil || err.Error() != want {
			t.Errorf("%s: got %v, want %s", arg, err, want)
		}
	}
	f("--db-pol=1", "unknown flag: --db-pol; did you mean --db-pool?")
	f("--dump-confg", "unknown flag: --dump-confg; did you mean --dump-config?")
	f("--db-schema-s=x", "unknown flag: --db-schema-s; did you mean --db-schemas?")
	f("--nope", "unknown flag: --nope")
	f("-x", "unknown shorthand flag: 'x' in -x")
	f("--db-pool", "flag needs an argument: --db-pool")
}
