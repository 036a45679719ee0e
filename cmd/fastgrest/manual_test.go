package main

import (
	"bytes"
	"context"
	"strings"
	"testing"

	"github.com/fastgrest/fastgrest/cmd/fastgrest/manual"
)

// runProgram runs the program and returns what it prints, and its exit code.
func runProgram(args ...string) (stdout, stderr string, code int) {
	var out, log bytes.Buffer
	code = run(context.Background(), args, nil, &out, &log)
	return out.String(), log.String(), code
}

func TestManual(t *testing.T) {
	list, stderr, code := runProgram("manual")
	if code != 0 || stderr != "" {
		t.Fatalf("exit code %d, %s", code, stderr)
	}
	for topic, title := range manual.New().Contents() {
		if !strings.Contains(list, "\n  "+topic+" ") || !strings.Contains(list, title+"\n") {
			t.Errorf("the list does not have %s, %s:\n%s", topic, title, list)
		}
		for _, name := range []string{topic, topic + ".md"} {
			text, stderr, code := runProgram("manual", name)
			if code != 0 || stderr != "" || !strings.HasPrefix(text, "# "+title+"\n") {
				t.Errorf("manual %s: exit code %d, %s, %.40q", name, code, stderr, text)
			}
		}
	}
	if help, _, code := runProgram("manual", "--help"); code != 0 || help != list {
		t.Errorf("manual --help: exit code %d, %s", code, help)
	}
}

func TestManualUnknownTopic(t *testing.T) {
	f := func(want string, args ...string) {
		t.Helper()
		stdout, stderr, code := runProgram(append([]string{"manual"}, args...)...)
		if code != 1 || stdout != "" || stderr != "ERROR: "+want+"\n" {
			t.Errorf("%q: exit code %d, %q, %q", args, code, stdout, stderr)
		}
	}
	f(`the manual has no page "architectrue"; did you mean architecture?`, "architectrue")
	f(`the manual has no page "Architecture"; did you mean architecture?`, "Architecture")
	f(`the manual has no page "003"; did you mean decisions/003-literal-limit?`, "003")
	f(`the manual has no page "qqqqqqqqqqqq" (fastgrest manual lists the pages)`, "qqqqqqqqqqqq")
	f(`the manual has no page "" (fastgrest manual lists the pages)`, "")
	f(`the manual has no page "../doc" (fastgrest manual lists the pages)`, "../doc")
	f(`fastgrest manual shows one page at a time`, "architecture", "index")
}
