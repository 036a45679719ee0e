package spectest

import (
	"slices"
	"strings"
	"testing"
)

const somePending = `# what this is
# and more

= no embeds
embed/inner: *
embed/spread: a \* b

= odd
quirks/*: x
"quirks/b: a\nb"
`

func mustPending(t *testing.T, text string) *pending {
	t.Helper()
	p, err := readPending(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestPendingReasons(t *testing.T) {
	p := mustPending(t, somePending)
	for name, want := range map[string]string{
		"embed/inner: x":        "no embeds",
		"embed/inner: ":         "no embeds",
		"embed/inner":           "",
		"embed/spread: a * b":   "no embeds",
		"embed/spread: a xyz b": "",
		"quirks/a: x":           "odd",
		"quirks/a/b: x":         "odd",
		"quirks/a: xx":          "",
		"quirks/b: a\nb":        "odd",
	} {
		if got := p.reason(name); got != want {
			t.Errorf("%q: %q, want %q", name, got, want)
		}
	}
	if got := p.idle([]string{"embed/inner: x", "quirks/: x"}); !slices.Equal(got, []string{`embed/spread: a \* b`, "quirks/b: a\nb"}) {
		t.Errorf("idle: %q", got)
	}
	if got := p.String(); got != somePending {
		t.Errorf("written as\n%s", got)
	}
	if _, err := readPending(strings.NewReader("a\n= late\n")); err == nil {
		t.Error("a pattern without a reason was accepted")
	}
}

func TestPendingUpdated(t *testing.T) {
	all := []string{
		"embed/inner: a", "embed/inner: b", "embed/spread: a * b", "embed/spread: c",
		"quirks/a: x", "quirks/a: y", "quirks/b: a\nb", "read/one: a", "read/two: a", "read/two: b", `read/two: \`,
	}
	failing := []string{"embed/inner: a", "embed/inner: b", "embed/spread: a * b", "quirks/b: a\nb", "read/one: a", "read/two: b", `read/two: \`}
	const want = `# what this is
# and more

= no embeds
embed/inner: *
embed/spread: a \* b

= odd
"quirks/b: a\nb"

= not looked at yet
read/one: a
read/two: \\
read/two: b
`
	p := mustPending(t, somePending).updated(all, failing)
	if got := p.String(); got != want {
		t.Errorf("got\n%s", got)
	}
	again := mustPending(t, want)
	for _, name := range all {
		if got := again.reason(name) != ""; got != slices.Contains(failing, name) {
			t.Errorf("%q: pending %t", name, got)
		}
	}
	if got := mustPending(t, somePending).updated(all, nil).String(); got != "# what this is\n# and more\n" {
		t.Errorf("nothing fails: %q", got)
	}
}

func TestPendingVersions(t *testing.T) {
	const file = "= [PostgreSQL 16+] new words\na\n\n= [PostgreSQL 14-] too old\nb\n\n= always\nc\n"
	f := func(version int, want string) {
		t.Helper()
		p := mustPending(t, file)
		p.version = version
		var got string
		for _, name := range []string{"a", "b", "c"} {
			if p.reason(name) != "" {
				got += name
			}
		}
		if got != want {
			t.Errorf("PostgreSQL %d: %q are pending, want %q", version, got, want)
		}
		if again := p.updated([]string{"a", "b", "c"}, strings.Split(got, "")).String(); strings.TrimSpace(again) != strings.TrimSpace(file) {
			t.Errorf("PostgreSQL %d: updated to\n%s", version, again)
		}
	}
	f(14, "bc")
	f(15, "c")
	f(16, "ac")
	f(18, "ac")
}

func TestTally(t *testing.T) {
	y := &tally{pending: mustPending(t, somePending), areas: map[string]*areaTally{}}
	y.take(t, &Case{Name: "read/one: a", Area: "read"}, nil)
	y.take(t, &Case{Name: "embed/inner: a", Area: "embed"}, []string{"wrong"})
	if got := y.String(); !strings.Contains(got, "embed              0 passed     1 pending     0 failed") || !strings.Contains(got, "all                1 passed     1 pending     0 failed") {
		t.Errorf("got %s", got)
	}
}
