package main

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/spf13/pflag"

	"github.com/fastgrest/fastgrest/server/config"
)

// completed are command lines, and what each shell offers at their end.
var completed = []struct {
	line string
	want []string
	none []string // what is not offered
}{
	{"fastgrest ", []string{"completion", "man", "try", "one.conf", "dir"}, []string{"bash", "--help"}},
	{"fastgrest comp", []string{"completion"}, []string{"man", "one.conf"}},
	{"fastgrest --log-", []string{"--log-format", "--log-level", "--log-query"}, []string{"--db-pool", "one.conf"}},
	{"fastgrest --db-sch", []string{"--db-schemas", "--db-schema-poll-interval"}, []string{"--db-schema"}},
	{"fastgrest --log-level ", []string{"crit", "error", "warn", "info", "debug"}, []string{"one.conf", "completion"}},
	{"fastgrest --log-level d", []string{"debug"}, []string{"crit"}},
	{"fastgrest --log-level=d", []string{"debug"}, []string{"crit"}},
	{"fastgrest --log-query=", []string{"true", "false"}, []string{"one.conf"}},
	{"fastgrest --log-query on", []string{"one.conf"}, nil},
	{"fastgrest --dump-config=", []string{"all"}, []string{"one.conf"}},
	{"fastgrest --dump-config ", []string{"one.conf"}, []string{"all"}},
	{"fastgrest --db-pool ", nil, []string{"one.conf", "completion"}},
	{"fastgrest --spool-directory ", []string{"dir"}, []string{"one.conf"}},
	{"fastgrest --server-unix-socket ", []string{"one.conf"}, nil},
	{"fastgrest --db-pool 20 on", []string{"one.conf"}, nil},
	{"fastgrest --demo --log-format ", []string{"text", "json"}, nil},
	{"fastgrest completion ", []string{"bash", "zsh", "fish"}, []string{"one.conf", "completion"}},
	{"fastgrest completion --", []string{"--help"}, []string{"--db-pool"}},
	{"fastgrest compare --log on", []string{"one.conf"}, nil},
	{"fastgrest check --", []string{"--format", "--skip", "--strict", "--db-uri", "--log-level"}, []string{"--demo"}},
	{"fastgrest check --skip max-", []string{"max-rows-missing"}, []string{"one.conf"}},
	{"fastgrest check --log-level i", []string{"info"}, nil},
	{"fastgrest check --format ", []string{"text", "json"}, []string{"one.conf"}},
	{"fastgrest check on", []string{"one.conf"}, nil},
	{"fastgrest init ", []string{"sql", "config"}, []string{"one.conf"}},
	{"fastgrest init --dir ", []string{"dir"}, []string{"one.conf"}},
	{"fastgrest try --", []string{"--format", "--log-level", "--out", "--strict", "--help"}, []string{"--demo"}},
	{"fastgrest try --format ", []string{"text", "json"}, []string{"one.conf"}},
	{"fastgrest try --out ", []string{"dir"}, []string{"one.conf"}},
	{"fastgrest try --log-level i", []string{"info"}, nil},
	{"fastgrest try --strict on", []string{"one.conf"}, []string{"completion"}},
}

// trial is a subcommand with flags of its own, and some of the settings.
func trial() subcommand {
	return subcommand{name: "try", summary: "it's [a] try: 100%", flags: func() *pflag.FlagSet {
		flags := pflag.NewFlagSet("try", pflag.ContinueOnError)
		flags.Bool("strict", false, "Ends with 1.")
		flags.String("out", "", "The `directory` it writes to. It isn't \\ removed.")
		flags.String("format", "text", "`FORMAT`: [text] or json")
		flags.SetAnnotation("format", config.ChoicesAnnotation, []string{"text", "json"})
		config.RegisterFlags(flags)
		return flags
	}}
}

// TestCompletion completes command lines in the shells that are installed.
func TestCompletion(t *testing.T) {
	p := commandLine(append(subcommands(), trial()))
	for shell, script := range map[string]string{"bash": p.Bash(), "zsh": p.Zsh(), "fish": p.Fish()} {
		t.Run(shell, func(t *testing.T) {
			if _, err := exec.LookPath(shell); err != nil {
				t.Skipf("%s is not installed", shell)
			}
			dir := t.TempDir()
			file := filepath.Join(dir, "script")
			work := filepath.Join(dir, "work")
			for _, err := range []error{os.WriteFile(file, []byte(script), 0o600), os.MkdirAll(filepath.Join(work, "dir"), 0o700), os.WriteFile(filepath.Join(work, "one.conf"), nil, 0o600)} {
				if err != nil {
					t.Fatal(err)
				}
			}
			helper, err := filepath.Abs("testdata/complete.zsh")
			if err != nil {
				t.Fatal(err)
			}
			for _, c := range completed {
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
				cmd := map[string]func() *exec.Cmd{
					"bash": func() *exec.Cmd { return exec.CommandContext(ctx, "bash", "-c", bashCompletion(file, c.line)) },
					"zsh":  func() *exec.Cmd { return exec.CommandContext(ctx, "zsh", "-f", helper, file, c.line) },
					"fish": func() *exec.Cmd {
						return exec.CommandContext(ctx, "fish", "--no-config", "-c", "source $argv[1]; complete -C $argv[2]", file, c.line)
					},
				}[shell]()
				cmd.Dir = work
				cmd.Env = append(os.Environ(), "HOME="+dir, "TERM=dumb", "XDG_CONFIG_HOME="+dir, "XDG_DATA_HOME="+dir)
				out, err := cmd.CombinedOutput()
				cancel()
				if err != nil {
					t.Fatalf("%s: %v\n%s", c.line, err, out)
				}
				got := offers(string(out))
				for _, word := range c.want {
					if !slices.Contains(got, word) {
						t.Errorf("%q: %s is not offered in %q", c.line, word, got)
					}
				}
				for _, word := range c.none {
					if slices.Contains(got, word) {
						t.Errorf("%q: %s is offered", c.line, word)
					}
				}
			}
		})
	}
}

// offers are the words that a shell prints, without fish's descriptions and what precedes a value.
func offers(out string) (list []string) {
	for line := range strings.Lines(out) {
		word, _, _ := strings.Cut(strings.TrimSpace(line), "\t")
		if flag, value, ok := strings.Cut(word, "="); ok && strings.HasPrefix(flag, "--") {
			word = value
		}
		if word = strings.TrimSuffix(word, "/"); word != "" {
			list = append(list, word)
		}
	}
	return list
}

// bashCompletion is a program for bash that completes a line. It splits it as readline does, where = is
// a word by itself.
func bashCompletion(file, line string) string {
	var words []string
	for word := range strings.SplitSeq(line, " ") {
		words = append(words, regexp.MustCompile(`[^=]+|=`).FindAllString(word, -1)...)
		if word == "" {
			words = append(words, "")
		}
	}
	var b strings.Builder
	b.WriteString("source " + quote(file) + "\nCOMP_WORDS=(")
	for _, word := range words {
		b.WriteString(quote(word) + " ")
	}
	b.WriteString(")\nCOMP_CWORD=$(( ${#COMP_WORDS[@]} - 1 ))\n_fastgrest\nprintf '%s\\n' \"${COMPREPLY[@]}\"\n")
	return b.String()
}

// TestCompletionCommand: the program prints the scripts, and says what it needs.
func TestCompletionCommand(t *testing.T) {
	for _, shell := range shells() {
		var out, errs bytes.Buffer
		if code := run(t.Context(), []string{"completion", shell}, nil, &out, &errs); code != 0 || errs.Len() > 0 {
			t.Errorf("%s: exit code %d, %s", shell, code, errs.String())
		}
		if !strings.Contains(out.String(), "db-pool") || !strings.Contains(out.String(), "completion") {
			t.Errorf("%s: the script has no flags or no commands", shell)
		}
	}
}
