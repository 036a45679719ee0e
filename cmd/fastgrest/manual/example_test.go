package manual_test

import (
	"errors"
	"flag"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/fastgrest/fastgrest/pgwire/pgtest"
	"github.com/fastgrest/fastgrest/server/auth/authtest"
)

var update = flag.Bool("update", false, "write the responses that come into the pages")

func TestMain(m *testing.M) { pgtest.MainWaiting(m) }

// apiPages are the pages that describe requests. They must have examples.
var apiPages = []string{"reads.md", "embeds.md", "writes.md", "nested.md", "functions.md", "aggregates.md", "media-types.md", "errors.md"}

// TestManual runs the examples of all pages, each page against a database and a process of its own.
// With -update it corrects the pages.
func TestManual(t *testing.T) {
	shared := newFixture(t)
	files, err := filepath.Glob("*.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range apiPages {
		if !slices.Contains(files, file) {
			t.Errorf("there is no %s", file)
		}
	}
	for _, file := range files {
		if file == "architecture.md" {
			continue // it is about the source
		}
		t.Run(file, func(t *testing.T) {
			t.Parallel()
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			p, err := parsePage(file, string(text))
			if err != nil {
				t.Fatal(err)
			}
			r := &runner{page: p}
			r.run(t, shared)
			if r.requests == 0 && slices.Contains(apiPages, file) {
				t.Errorf("%s has no examples", file)
			}
			if *update && len(r.edits) > 0 {
				if err := os.WriteFile(file, []byte(p.edited(r.edits)), 0o644); err != nil {
					t.Error(err)
				}
			}
			for _, f := range r.failures {
				t.Error(f)
			}
		})
	}
	t.Run("sqlstates", func(t *testing.T) { t.Parallel(); testSQLSTATEs(t, shared) })
	t.Run("runner", func(t *testing.T) { t.Parallel(); testRunner(t, shared) })
}

// runner runs the examples of a page.
type runner struct {
	page     *page
	site     *site
	tokens   map[string]string
	requests int
	failures []string
	edits    []edit // that make the page true
}

// run runs the examples in their order. A failure does not end it.
func (r *runner) run(t *testing.T, shared *fixture) {
	if !slices.ContainsFunc(r.page.blocks, func(b *block) bool { return b.kind() != "shown" }) {
		return
	}
	r.site = newSite(t, shared, r.page)
	r.sign()
	for i, b := range r.page.blocks {
		var next *block
		if i+1 < len(r.page.blocks) {
			next = r.page.blocks[i+1]
		}
		var err error
		switch b.kind() {
		case "http":
			r.requests++
			err = r.ask(b, next)
		case "sql":
			if err = r.site.exec(b.text, strings.TrimPrefix(strings.TrimPrefix(b.info, "sql"), " role=")); err == nil {
				r.site.reload()
			}
		case "sh":
			err = r.command(b, next)
		case "conf":
			err = r.configure(b)
		}
		if err != nil {
			r.failures = append(r.failures, fmt.Sprintf("%s:%d: %v", r.page.file, b.line(), err))
		}
	}
}

// sign makes the tokens: those of the roles of the library, and those of the page.
func (r *runner) sign() {
	claims := map[string]string{
		"librarian": `{"role":"librarian"}`,
		"ada":       `{"role":"member","member_id":1}`,
		"ben":       `{"role":"member","member_id":2}`,
	}
	maps.Copy(claims, r.page.tokens)
	r.tokens = map[string]string{}
	for name, c := range claims {
		r.tokens[name] = authtest.Sign([]byte(c), []byte(r.site.settings["jwt-secret"]))
	}
}

var tokenName = regexp.MustCompile(`\$\w+`)

// withTokens replaces $NAME in a header.
func (r *runner) withTokens(line string) (filled string, err error) {
	filled = tokenName.ReplaceAllStringFunc(line, func(name string) string {
		token, ok := r.tokens[name[1:]]
		if !ok {
			err = fmt.Errorf("there is no token %s", name)
		}
		return token
	})
	return filled, err
}

// ask sends the request of a block and compares the response with the next block.
func (r *runner) ask(b, next *block) error {
	req, err := parseRequest(b.text)
	if err != nil {
		return err
	}
	for i, line := range req.headers {
		if req.headers[i], err = r.withTokens(line); err != nil {
			return err
		}
	}
	r.site.start()
	address := r.site.api
	if req.header("Host") == adminName {
		address = r.site.admin
	}
	got, err := send(address, req)
	if err != nil {
		return err
	}
	got.body = r.site.public(got.body)
	for i, line := range got.headers {
		got.headers[i] = r.site.public(line)
	}
	if next == nil || next.kind() != "response" {
		better, _ := compare(response{}, got)
		if *update {
			r.edits = append(r.edits, edit{b.end + 1, b.end + 1, fenced("http response", better.String())})
			return nil
		}
		return fmt.Errorf("the request has no response. This came:\n\n%s", fenced("http response", better.String()))
	}
	if pointer := strings.TrimPrefix(next.info, "http response"); pointer != "" {
		if got.body, err = part(got.body, pointer[1:]); err != nil {
			return err
		}
	}
	better, wrong := compare(parseResponse(next.text), got)
	return r.judge(b, next, better.String(), wrong)
}

// command runs the command of a block and compares its output with the next block.
func (r *runner) command(b, next *block) error {
	out, err := r.site.shell(b.text, r.tokens)
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
		return fmt.Errorf("%w\n%s%s", err, out, exit.Stderr)
	}
	if err != nil || next == nil || next.kind() != "output" || matches(next.text, out) {
		return err
	}
	return r.judge(b, next, out, []string{"the output differs"})
}

// judge reports what is wrong with a block, or corrects it.
func (r *runner) judge(b, shown *block, better string, wrong []string) error {
	if len(wrong) == 0 {
		return nil
	}
	if *update {
		r.edits = append(r.edits, edit{shown.start, shown.end + 1, fenced(shown.info, better)})
		return nil
	}
	return fmt.Errorf("%s\n\n%s\n\nThe page has:\n\n%s\n\nThis would be right:\n\n%s",
		strings.Join(wrong, ", "), fenced(b.info, b.text), fenced(shown.info, shown.text), fenced(shown.info, better))
}

func fenced(info, text string) string { return "```" + info + "\n" + text + "\n```" }

// configure has the program read a configuration file.
func (r *runner) configure(b *block) error {
	file := filepath.Join(r.site.dir, "page.conf")
	if err := os.WriteFile(file, []byte(b.text+"\n"), 0o600); err != nil {
		return err
	}
	cmd := exec.Command(r.site.program, "--dump-config", file)
	cmd.Env = append(environment(), "PGRST_DB_CONFIG=false")
	var warnings strings.Builder
	cmd.Stderr = &warnings
	if err := cmd.Run(); err != nil || warnings.Len() > 0 {
		return fmt.Errorf("the program does not like the configuration: %v\n%s", err, warnings.String())
	}
	return nil
}
