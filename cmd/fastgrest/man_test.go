package main

import (
	"bytes"
	"context"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"github.com/fastgrest/fastgrest/server/config"
)

// manTools read manual pages. They print nothing if a page has no faults, or the page itself.
var manTools = [][]string{
	{"mandoc", "-T", "lint", "-W", "error"}, // the page has no date, which is a warning
	{"groff", "-man", "-ww", "-Tutf8", "-z"},
	{"man", "--warnings", "-E", "UTF-8", "-l", "-"},
}

// TestManPage: the page has no faults for the tools that are installed, and has all commands, flags and settings.
func TestManPage(t *testing.T) {
	page := manPage(append(subcommands(), trial()))
	for _, args := range manTools {
		if _, err := exec.LookPath(args[0]); err != nil {
			t.Logf("%s is not installed", args[0])
			continue
		}
		cmd := exec.CommandContext(t.Context(), args[0], args[1:]...)
		cmd.Stdin = strings.NewReader(page)
		cmd.Env = append(cmd.Environ(), "MANWIDTH=200", "LC_ALL=C.UTF-8", "MAN_KEEP_FORMATTING=", "MANROFFOPT=")
		var errs bytes.Buffer
		cmd.Stderr = &errs
		out, err := cmd.Output()
		if err != nil || errs.Len() > 0 {
			t.Errorf("%s: %v\n%s%s", args[0], err, out, errs.String())
		}
	}

	text := plain(page)
	for _, want := range []string{"fastgrest completion bash|zsh|fish", "--dump-config[=all]", "--format FORMAT", "it's [a] try: 100%", "The directory it writes to. It isn't \\ removed."} {
		if !strings.Contains(strings.ToLower(text), strings.ToLower(want)) {
			t.Errorf("the page does not have %q", want)
		}
	}
	for _, d := range config.Descriptions() {
		if !regexp.MustCompile(`(?m)^\.BR `+d.Key+` `).MatchString(text) || !strings.Contains(text, summary(strings.ReplaceAll(d.Help, "`", ""))) {
			t.Errorf("the page does not describe %s", d.Key)
		}
	}
	for line := range strings.Lines(string(page)) {
		if strings.HasPrefix(line, "'") || strings.HasPrefix(line, ".") && !regexp.MustCompile(`^\.(TH|SH|TP|B|BR|I|IR|RI|br|PP|RS|RE|nf|fi)\b`).MatchString(line) {
			t.Errorf("%q is not a macro of man", line)
		}
	}
}

// plain removes the escapes of roff.
func plain(page string) string {
	return strings.NewReplacer(`\-`, "-", `\(dq`, `"`, `\(aq`, "'", `\fB`, "", `\fR`, "", `\&`, "", `\e`, `\`).Replace(page)
}

// TestManCommand: the program prints the page with its version.
func TestManCommand(t *testing.T) {
	var out, errs bytes.Buffer
	if code := run(context.Background(), []string{"man"}, nil, &out, &errs); code != 0 {
		t.Fatal(errs.String())
	}
	if !strings.HasPrefix(out.String(), ".TH FASTGREST 1 \"\" \"fastgrest "+version+"\" ") {
		t.Errorf("the page begins with %.80s", out.String())
	}
}
