package config

import (
	"slices"
	"strings"
	"testing"

	"github.com/spf13/pflag"
)

// TestDescriptions: each setting is described in sentences, and its texts name
// its choices and other settings that exist.
func TestDescriptions(t *testing.T) {
	sentence := func(text string) bool {
		return text != "" && strings.ToUpper(text[:1]) == text[:1] && strings.HasSuffix(text, ".") && strings.Count(text, "`")%2 == 0
	}
	list := Descriptions()
	if len(list) != len(settings) {
		t.Fatalf("%d descriptions of %d settings", len(list), len(settings))
	}
	for _, d := range list {
		if d.Kind == "" || d.Default == "" || !sentence(d.Help) || d.More != "" && !sentence(d.More) {
			t.Errorf("%s: kind %q, default %q, help %q, more %q", d.Key, d.Kind, d.Default, d.Help, d.More)
		}
		if d.Kind != "choice" {
			continue
		}
		for _, choice := range d.Choices {
			if !strings.Contains(d.Help+d.More, choice) {
				t.Errorf("%s: no text says what %s does", d.Key, choice)
			}
		}
		if d.Default != `""` && !slices.Contains(d.Choices, strings.Trim(d.Default, `"`)) {
			t.Errorf("%s: the default %s is not one of %q", d.Key, d.Default, d.Choices)
		}
	}
}

// TestAliases: an older name belongs to one setting, and a key is never an older name.
func TestAliases(t *testing.T) {
	seen := map[string]string{}
	for _, d := range Descriptions() {
		for _, name := range append(d.Aliases, d.Key) {
			if other := seen[name]; other != "" {
				t.Errorf("%s is a name of %s and of %s", name, other, d.Key)
			}
			seen[name] = d.Key
		}
	}
	if seen["db-schema"] != "db-schemas" || seen["server-host"] != "server-host" {
		t.Errorf("db-schema is %q, server-host is %q", seen["db-schema"], seen["server-host"])
	}
}

// TestFlagAnnotations: completion finds the values of choices and booleans.
func TestFlagAnnotations(t *testing.T) {
	fs := pflag.NewFlagSet("fastgrest", pflag.ContinueOnError)
	RegisterFlags(fs)
	f := func(name string, optional bool, choices ...string) {
		t.Helper()
		flag := fs.Lookup(name)
		if got := flag.Annotations[ChoicesAnnotation]; !slices.Equal(got, choices) {
			t.Errorf("%s: choices %q, want %q", name, got, choices)
		}
		if _, got := flag.Annotations[OptionalAnnotation]; got != optional {
			t.Errorf("%s: the value is optional: %v, want %v", name, got, optional)
		}
	}
	f("log-format", false, "text", "json")
	f("db-tx-end", false, "commit", "commit-allow-override", "rollback", "rollback-allow-override")
	f("log-query", true, "true", "false")
	f("db-pool", false)
}
