package spectest

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// A file of testdata/own starts with a description in lines with # and with
// settings for all its cases:
//
//	: group NAME             a configuration of the corpus; default base
//	: conf LINE              an additional line of configuration
//	: env NAME=VALUE         environment of the server
//	: sql STATEMENT          run before the server starts
//	: scenario               the cases depend on each other; consider db-tx-end
//
// A case has a name, its own directives, a request in wire format, a line ---,
// and the expected response: status, headers, a blank line, body.
//
//	### limit beyond the end
//	GET /genre?offset=99
//	Prefer: count=exact
//
//	---
//	416
//	Content-Range: */4
//	!Content-Location
//
//	{"code": "PGRST103", ...}
//
// !NAME is a header that must be absent. A JSON body is compared as JSON. A
// case without the line --- has no expected response yet; -rewrite adds it.
// Directives:
//
//	: differs WHY            an intended difference from PostgREST; -confirm checks that it exists
//	: admin                  sent to the admin port
//	: before sql STATEMENT   in a scenario
//	: before signal SIGUSR2  in a scenario
//	: retry SECONDS          the time within which the response must match
//	: ignore PART            as in the corpus
//	: match PART REGEX       as in the corpus
//	: unordered POINTER      as in the corpus
type ownFile struct {
	name    string
	prolog  string // as written
	group   string
	extra   group // settings that are added to the group
	changed bool  // there are such settings
	ordered bool
	cases   []*ownCase
}

type ownCase struct {
	Case
	head        string // as written, up to the line ---
	differs     string
	hasResponse bool
}

// parseOwn reads the file name.test.
func parseOwn(name, text string) (*ownFile, error) {
	f := &ownFile{name: name, group: "base"}
	parts := strings.Split("\n"+text, "\n### ")
	f.prolog = strings.TrimPrefix(parts[0], "\n")
	for line := range strings.Lines(f.prolog) {
		line = strings.TrimSpace(line)
		directive, ok := strings.CutPrefix(line, ":")
		if ok {
			if err := f.direct(strings.TrimSpace(directive)); err != nil {
				return nil, fmt.Errorf("%s: %w", name, err)
			}
		} else if line != "" && line[0] != '#' {
			return nil, fmt.Errorf("%s: %q is neither a comment nor a setting", name, line)
		}
	}
	seen := map[string]bool{}
	for _, part := range parts[1:] {
		c, err := parseOwnCase(f, part)
		if err == nil && seen[c.Name] {
			err = errors.New("there is another case of this name")
		}
		if err != nil {
			title, _, _ := strings.Cut(part, "\n")
			return nil, fmt.Errorf("%s: %q: %w", name, title, err)
		}
		seen[c.Name] = true
		f.cases = append(f.cases, c)
	}
	return f, nil
}

func (f *ownFile) direct(directive string) error {
	word, rest, _ := strings.Cut(directive, " ")
	switch word {
	case "group":
		f.group = rest
	case "scenario":
		f.ordered = true
	case "conf":
		f.extra.conf += rest + "\n"
		f.changed = true
	case "env", "sql":
		f.changed = true
		return f.extra.direct(directive)
	default:
		return fmt.Errorf("unknown setting %q", directive)
	}
	return nil
}

// configure adds the settings of the file to a group.
func (f *ownFile) configure(g *group) {
	g.conf += "\n" + f.extra.conf
	g.env = append(g.env, f.extra.env...)
	g.sql = append(g.sql, f.extra.sql...)
}

func parseOwnCase(f *ownFile, part string) (*ownCase, error) {
	head, tail, hasResponse := strings.Cut(part+"\n", "\n---\n")
	c := &ownCase{head: strings.TrimRight(head, "\n"), hasResponse: hasResponse}
	title, rest, _ := strings.Cut(head, "\n")
	c.Name = "own/" + f.name + ": " + strings.TrimSpace(title)
	c.Group = f.group
	c.Area, c.Loose = "own", true
	if f.ordered {
		c.Scenario = f.name
	}
	var line string
	for {
		line, rest, _ = strings.Cut(rest, "\n")
		directive, ok := strings.CutPrefix(line, ":")
		if !ok {
			break
		}
		if err := c.direct(strings.TrimSpace(directive)); err != nil {
			return nil, err
		}
	}
	method, target, ok := strings.Cut(line, " ")
	if !ok {
		return nil, fmt.Errorf("%q is not a request line", line)
	}
	port := ""
	if c.Request != nil {
		port = c.Request.Port
	}
	headers, body, err := parseHead(rest)
	if err != nil {
		return nil, err
	}
	c.Request = &Request{Method: method, Path: target, Headers: headers, Port: port}
	if body = strings.TrimRight(body, "\n"); body != "" {
		c.Request.Body = &body
	}
	if hasResponse {
		if err := c.parseResponse(tail); err != nil {
			return nil, err
		}
	}
	return c, c.check()
}

func (c *ownCase) direct(directive string) error {
	word, rest, _ := strings.Cut(directive, " ")
	switch word {
	case "differs":
		if rest == "" {
			return errors.New("the reason is missing")
		}
		c.differs = rest
	case "admin":
		c.Request = &Request{Port: "admin"}
	case "retry":
		seconds, err := strconv.ParseFloat(rest, 64)
		c.Retry = seconds
		return err
	case "ignore":
		c.Ignore = append(c.Ignore, Exception{Part: rest})
	case "match":
		part, regex, ok := strings.Cut(rest, " ")
		if !ok {
			return errors.New("the expression is missing")
		}
		c.Match = append(c.Match, Exception{Part: part, Regex: regex})
	case "unordered":
		c.Options.Unordered = append(c.Options.Unordered, rest)
	case "before":
		what, value, _ := strings.Cut(rest, " ")
		switch what {
		case "sql":
			c.Before.SQL += value + "\n"
			return nil
		case "signal":
			c.Before.Signal = value
			return nil
		}
		fallthrough
	default:
		return fmt.Errorf("unknown directive %q", directive)
	}
	return nil
}

// parseHead splits header lines from the body after a blank line.
func parseHead(text string) (headers [][2]string, body string, err error) {
	for text != "" {
		var line string
		line, text, _ = strings.Cut(text, "\n")
		if line == "" {
			return headers, text, nil
		}
		name, value, ok := strings.Cut(line, ":")
		if absent := strings.HasPrefix(line, "!"); !ok && !absent {
			return nil, "", fmt.Errorf("%q is not a header", line)
		}
		headers = append(headers, [2]string{name, strings.TrimPrefix(value, " ")})
	}
	return headers, "", nil
}

func (c *ownCase) parseResponse(text string) error {
	line, rest, _ := strings.Cut(text, "\n")
	status, err := strconv.Atoi(strings.TrimSpace(line))
	if err != nil {
		return fmt.Errorf("%q is not a status", line)
	}
	headers, body, err := parseHead(rest)
	if err != nil {
		return err
	}
	c.Expect.Status = status
	c.Expect.Headers = map[string]HeaderText{}
	for _, h := range headers {
		if name, ok := strings.CutPrefix(h[0], "!"); ok {
			c.Expect.Headers[http.CanonicalHeaderKey(name)] = nil
			continue
		}
		name := http.CanonicalHeaderKey(h[0])
		c.Expect.Headers[name] = append(c.Expect.Headers[name], h[1])
	}
	c.Expect.Body = strings.TrimRight(body, "\n")
	if json.Valid([]byte(c.Expect.Body)) {
		c.Expect.JSON = json.RawMessage(c.Expect.Body)
	}
	return nil
}

// String returns the text of the file.
func (f *ownFile) String() string {
	var b strings.Builder
	b.WriteString(f.prolog)
	for i, c := range f.cases {
		if i > 0 || (f.prolog != "" && !strings.HasSuffix(f.prolog, "\n\n")) {
			b.WriteString("\n")
		}
		fmt.Fprintf(&b, "### %s\n", c.head)
		if c.hasResponse {
			if c.Request.Body == nil {
				b.WriteString("\n")
			}
			b.WriteString("---\n")
			c.writeResponse(&b)
		}
	}
	return b.String()
}

func (c *ownCase) writeResponse(b *strings.Builder) {
	fmt.Fprintln(b, c.Expect.Status)
	for _, name := range slices.Sorted(maps.Keys(c.Expect.Headers)) {
		values := c.Expect.Headers[name]
		if values == nil {
			fmt.Fprintf(b, "!%s\n", name)
		}
		for _, v := range values {
			fmt.Fprintf(b, "%s: %s\n", name, v)
		}
	}
	if c.Expect.Body != "" {
		fmt.Fprintf(b, "\n%s\n", c.Expect.Body)
	}
}

// learn makes a response the expected one, except for the parts that are not
// compared. A case that had expected headers keeps their names; a new one gets
// all headers.
func (c *ownCase) learn(a *Response, m masker) {
	got := m.headers(a.Header)
	if c.hasResponse {
		for name := range c.Expect.Headers {
			c.Expect.Headers[name] = got[name]
		}
	} else {
		maps.DeleteFunc(got, func(name string, _ HeaderText) bool { return c.excepted("header:" + name) })
		c.Expect.Headers = got
	}
	c.hasResponse = true
	c.Expect.Status = a.Status
	c.Expect.JSON, c.Expect.Body = nil, ""
	if c.excepted("body") {
		return
	}
	c.Expect.Body = strings.TrimRight(m.text(string(a.Body)), "\r\n")
	if v, err := parseJSON(a.Body); err == nil {
		c.Expect.Body = m.text(readable(v))
		c.Expect.JSON = json.RawMessage(c.Expect.Body)
	}
}

// readable formats a document with each item of a list on its own line.
func readable(v any) string {
	list, ok := v.(array)
	if !ok || len(list) < 2 {
		return text(v)
	}
	items := make([]string, len(list))
	for i, x := range list {
		items[i] = text(x)
	}
	return "[" + strings.Join(items, ",\n ") + "]"
}
