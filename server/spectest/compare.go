package spectest

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
)

// connectionHeaders describe the connection and are not compared.
var connectionHeaders = map[string]bool{
	"Date": true, "Server": true, "Connection": true, "Keep-Alive": true, "Transfer-Encoding": true,
}

var (
	warnAgent = regexp.MustCompile(`^(\d+) \S+ `)
	duration  = regexp.MustCompile(`dur=[0-9.]+`)
)

// masker replaces the server's address, which differs in each run.
type masker struct{ address string }

func (m masker) text(s string) string {
	if m.address == "" {
		return s
	}
	return strings.ReplaceAll(s, m.address, "127.0.0.1:{port}")
}

func (m masker) header(name, value string) string {
	switch name {
	case "Content-Length":
		return "present"
	case "Warning":
		value = warnAgent.ReplaceAllString(value, "$1 {agent} ")
	case "Server-Timing":
		value = duration.ReplaceAllString(value, "dur={ms}")
	}
	return m.text(value)
}

// headers returns the compared headers, masked, by their canonical names.
func (m masker) headers(h http.Header) map[string]HeaderText {
	out := map[string]HeaderText{}
	for name, values := range h {
		if connectionHeaders[name] {
			continue
		}
		for _, v := range values {
			out[name] = append(out[name], m.header(name, v))
		}
	}
	return out
}

// compare returns the differences between a response and the expectation, or
// nothing if they match.
func compare(c *Case, a *Response, m masker) []string {
	if c.Command != nil {
		return compareCommand(c, a)
	}
	r := &report{}
	if !c.ignores("status") && a.Status != c.Expect.Status {
		r.addf("status: expected %d, got %d", c.Expect.Status, a.Status)
	}
	compareHeaders(r, c, m.headers(a.Header))
	for _, e := range c.Match {
		switch name, isHeader := strings.CutPrefix(e.Part, "header:"); {
		case isHeader:
			r.match(e, "", strings.Join(a.Header.Values(name), ", "))
		case e.Part == "body":
			r.match(e, "s", string(a.Body))
		}
	}
	if !c.ignores("body") && !c.matches("body") {
		compareBody(r, c, a.Body, m)
	}
	if a.Rest > 0 {
		r.addf("%d bytes follow the response", a.Rest)
	}
	return r.problems
}

func compareHeaders(r *report, c *Case, got map[string]HeaderText) {
	want := map[string]HeaderText{}
	for name, values := range c.Expect.Headers {
		want[http.CanonicalHeaderKey(name)] = values
	}
	names := slices.Collect(maps.Keys(want))
	if !c.Loose {
		names = append(names, slices.Collect(maps.Keys(got))...)
	}
	slices.Sort(names)
	for _, name := range slices.Compact(names) {
		if c.excepted("header:" + name) {
			continue
		}
		w, wanted := want[name]
		g, there := got[name]
		if c.Loose && wanted && w == nil {
			wanted = false
		}
		switch {
		case wanted && !there:
			r.addf("header %s: missing (expected %q)", name, w)
		case there && !wanted:
			r.addf("header %s: unexpected (got %q)", name, g)
		case !slices.Equal(w, g):
			r.addf("header %s: expected %q, got %q", name, w, g)
		}
	}
}

func compareBody(r *report, c *Case, got []byte, m masker) {
	switch {
	case c.Expect.Base64 != nil:
		want, err := base64.StdEncoding.DecodeString(*c.Expect.Base64)
		if err != nil || !bytes.Equal(want, got) {
			r.addf("body: expected %d bytes %.60x, got %d bytes %.60x", len(want), want, len(got), got)
		}
	case c.Expect.JSON != nil:
		compareJSON(r, c, []byte(m.text(string(got))))
	default:
		g := m.text(string(got))
		if c.Loose {
			g = strings.TrimRight(g, "\r\n")
		}
		if g != c.Expect.Body {
			r.addf("body: expected %q, got %q", short(c.Expect.Body), short(g))
		}
	}
}

func compareJSON(r *report, c *Case, body []byte) {
	want, err := parseJSON(c.Expect.JSON)
	if err != nil {
		r.addf("the expectation is broken: %v", err)
		return
	}
	got, err := parseJSON(body)
	if err != nil {
		r.addf("body: %v: %q", err, short(string(body)))
		return
	}
	for _, e := range c.Match {
		if at, ok := strings.CutPrefix(e.Part, "json:"); ok {
			for _, v := range collect(got, at) {
				s, isString := v.(string)
				if !isString {
					s = text(v)
				}
				r.match(e, "", s)
			}
		}
	}
	for _, e := range slices.Concat(c.Match, c.Ignore) {
		if at, ok := strings.CutPrefix(e.Part, "json:"); ok {
			want, got = ignore(want, at), ignore(got, at)
		}
	}
	if c.Options.KeyOrder != nil && !*c.Options.KeyOrder {
		want, got = sortKeys(want), sortKeys(got)
	}
	for _, at := range c.Options.Unordered {
		want, got = arrange(want, at), arrange(got, at)
	}
	if d := difference(want, got, ""); d != "" {
		r.addf("body %s", d)
	}
}

// ignores, matches and excepted report whether a part is in one of the case's
// lists.
func (c *Case) ignores(part string) bool  { return listed(c.Ignore, part) }
func (c *Case) matches(part string) bool  { return listed(c.Match, part) }
func (c *Case) excepted(part string) bool { return c.ignores(part) || c.matches(part) }

func listed(list []Exception, part string) bool {
	return slices.ContainsFunc(list, func(e Exception) bool { return strings.EqualFold(e.Part, part) })
}

// report collects the differences.
type report struct{ problems []string }

func (r *report) addf(format string, args ...any) {
	r.problems = append(r.problems, fmt.Sprintf(format, args...))
}

// match applies the expression of an exception, with flags as in (?flags).
func (r *report) match(e Exception, flags, got string) {
	expr := e.Regex
	if flags != "" {
		expr = "(?" + flags + ")" + expr
	}
	re, err := regexp.Compile(expr)
	if err != nil {
		r.addf("the expectation is broken: %v", err)
		return
	}
	if !re.MatchString(got) {
		r.addf("%s: %q does not match %q", e.Part, short(got), e.Regex)
	}
}
