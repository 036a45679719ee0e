package compare

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
)

// report is the result of a comparison. As JSON it is for programs.
type report struct {
	Old          string                 `json:"old"` // URLs
	New          string                 `json:"new"`
	Stopped      string                 `json:"stopped,omitempty"` // why the replay ended before the input
	Requests     counts                 `json:"requests"`
	Skipped      skipped                `json:"skipped"`
	WithoutToken map[string]int         `json:"without_token,omitempty"` // requests by role that were sent without a token
	Latency      map[string]percentiles `json:"latency_ms"`              // of old and new
	Groups       []*group               `json:"differences"`
	Dropped      int                    `json:"differences_dropped,omitempty"` // beyond the first 2,000 groups
	Failures     []*failures            `json:"failures,omitempty"`
}

func newReport(p *replay, servers []*server, left skipped, stopped error) *report {
	t := p.tally
	t.mu.Lock()
	defer t.mu.Unlock()
	r := &report{
		Old: servers[0].address(""), New: servers[1].address(""), Requests: t.counts, Skipped: left,
		Latency: map[string]percentiles{"old": p.oldTook.percentiles(), "new": p.newTook.percentiles()},
		Groups:  t.sortedGroups(), Dropped: t.dropped, Failures: t.sortedFailures(),
	}
	if stopped != nil {
		r.Stopped = stopped.Error()
	}
	p.tokens.mu.Lock()
	defer p.tokens.mu.Unlock()
	r.WithoutToken = map[string]int{}
	for role, n := range p.tokens.without {
		r.WithoutToken[visible(role)] += n
	}
	return r
}

// write writes the report as text, and as JSON to the named file if there is a name.
func (r *report) write(name string, stdout io.Writer) error {
	if name == "-" {
		return r.encode(stdout)
	}
	if name != "" {
		f, err := os.Create(name)
		if err != nil {
			return err
		}
		if err := r.encode(f); err != nil {
			f.Close()
			return err
		}
		if err := f.Close(); err != nil {
			return err
		}
	}
	_, err := io.WriteString(stdout, r.text())
	return err
}

func (r *report) encode(w io.Writer) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(r)
}

// shapesShown is the number of groups of a kind in the text.
const shapesShown = 5

func (r *report) text() string {
	var b strings.Builder
	for rest := r.Groups; len(rest) > 0; {
		first := rest[0]
		n := slices.IndexFunc(rest, func(g *group) bool { return g.Kind != first.Kind || g.Intended != first.Intended })
		if n < 0 {
			n = len(rest)
		}
		writeKind(&b, rest[:n])
		rest = rest[n:]
	}
	if r.Dropped > 0 {
		fmt.Fprintf(&b, "%d more differences of other kinds or shapes are not shown\n\n", r.Dropped)
	}
	for _, f := range r.Failures {
		fmt.Fprintf(&b, "FAILED: %s (%s)\n    %s\n\n", f.Why, number(f.Count, "request"), f.Example)
	}
	r.writeSummary(&b)
	return b.String()
}

func writeKind(b *strings.Builder, groups []*group) {
	count := 0
	for _, g := range groups {
		count += g.Count
	}
	word := "DIFFERENT"
	if groups[0].Intended != "" {
		word = "INTENDED"
	}
	fmt.Fprintf(b, "%s: %s (%s)\n", word, groups[0].Kind, number(count, "request"))
	if why := groups[0].Intended; why != "" {
		fmt.Fprintf(b, "  because %s\n", why)
	}
	for i, g := range groups {
		if i == shapesShown {
			fmt.Fprintf(b, "  and %s more; --json has them\n", number(len(groups)-i, "shape"))
			break
		}
		fmt.Fprintf(b, "  %s (%s)\n", g.Shape, number(g.Count, "request"))
		fmt.Fprintf(b, "    %s\n", g.Example.Curl)
		if g.Example.Where != "" {
			fmt.Fprintf(b, "    at   %s\n", g.Example.Where)
		}
		fmt.Fprintf(b, "    old  %s\n    new  %s\n", cmp.Or(g.Example.Old, "(empty)"), cmp.Or(g.Example.New, "(empty)"))
		if g.Example.Mark >= 0 {
			fmt.Fprintf(b, "         %s^\n", strings.Repeat(" ", g.Example.Mark))
		} else {
			b.WriteString("         the difference is in a secret, or after the first MiB\n")
		}
	}
	b.WriteString("\n")
}

func (r *report) writeSummary(b *strings.Builder) {
	c := r.Requests
	fmt.Fprintf(b, "%s: %d equal", number(c.Requests, "request"), c.Equal)
	for _, part := range []struct {
		n    int
		text string
	}{
		{c.WhiteSpace, "equal but for white space"}, {c.Order, "equal but for the order of rows or keys"},
		{c.Intended, "different as intended"}, {c.Unstable, "unstable (different only once)"}, {c.Failed, "failed"},
	} {
		if part.n > 0 {
			fmt.Fprintf(b, ", %d %s", part.n, part.text)
		}
	}
	fmt.Fprintf(b, ", %d different", c.Different)
	if kinds := r.kinds(); kinds > 0 {
		fmt.Fprintf(b, " in %s", number(kinds, "kind"))
	}
	b.WriteString("\n")
	r.writeSkipped(b)
	for _, role := range slices.Sorted(maps.Keys(r.WithoutToken)) {
		if role == noRole {
			fmt.Fprintf(b, "no role in the log: %s went without a token (--header 'Authorization: Bearer ...' adds one)\n", number(r.WithoutToken[role], "request"))
			continue
		}
		fmt.Fprintf(b, "no token for the role %s: %s went without one (--jwt-secret, --tokens, --anon-role)\n", role, number(r.WithoutToken[role], "request"))
	}
	for _, name := range []string{"old", "new"} {
		p := r.Latency[name]
		fmt.Fprintf(b, "latency of %s in ms: p50 %.3g, p95 %.3g, p99 %.3g\n", name, p.P50, p.P95, p.P99)
	}
	if r.Stopped != "" {
		fmt.Fprintf(b, "stopped: %s\n", strings.TrimPrefix(r.Stopped, "stopped: "))
	}
}

// kinds is the number of kinds of differences that are not intended.
func (r *report) kinds() int {
	seen := map[string]bool{}
	for _, g := range r.Groups {
		if g.Intended == "" {
			seen[g.Kind] = true
		}
	}
	return len(seen)
}

func (r *report) writeSkipped(b *strings.Builder) {
	var parts []string
	for _, part := range []struct {
		n          int
		what, more string
	}{
		{r.Skipped.Lines, "line", " without a request"}, {r.Skipped.Repeated, "repetition", ""},
		{r.Skipped.Writes, "write", " (--writes sends them)"}, {r.Skipped.Bodiless, "write", " whose body is not in the log"},
		{r.Skipped.Methods, "request", " of other methods"},
	} {
		if part.n > 0 {
			parts = append(parts, number(part.n, part.what)+part.more)
		}
	}
	if len(parts) > 0 {
		fmt.Fprintf(b, "skipped: %s\n", strings.Join(parts, ", "))
	}
}

func number(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
