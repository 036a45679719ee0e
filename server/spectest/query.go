package spectest

import (
	"bytes"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
)

// hasQuery reports whether a case is a GET of the API that a QUERY can be compared
// with. With a space in its URL it is not HTTP, and the same body is.
func (c *Case) hasQuery() bool {
	r := c.Request
	return r.Method == "GET" && r.Port != "admin" && !strings.Contains(r.Path, " ")
}

// asQuery returns the GET of a case as a QUERY, or as a POST with the header that
// stands for it.
func (c *Case) asQuery(override bool) *Case {
	r := *c.Request
	path, query, _ := strings.Cut(r.Path, "?")
	r.Method, r.Path, r.Body, r.BodyBase64 = "QUERY", path, &query, nil
	r.Headers = [][2]string{{"Content-Type", "application/x-www-form-urlencoded"}}
	if override {
		r.Method = "POST"
		r.Headers = append(r.Headers, [2]string{"X-HTTP-Method-Override", "QUERY"})
	}
	for _, h := range c.Request.Headers {
		if !strings.EqualFold(h[0], "Content-Type") && !strings.EqualFold(h[0], "Content-Length") {
			r.Headers = append(r.Headers, h)
		}
	}
	as := *c
	as.Request = &r
	as.Ignore = append(slices.Clone(c.Ignore), Exception{Part: "header:Content-Location"})
	return &as
}

// sameAsQuery sends the GET of a case in two other ways. got is the response to the
// GET, of which they must have the bytes, unless the case says what may differ.
func (s *session) sameAsQuery(c *Case, got *Response) (problems []string) {
	for _, override := range []bool{false, true} {
		as := c.asQuery(override)
		a, err := s.server.request(as.Request)
		var wrong []string
		switch {
		case err != nil:
			wrong = []string{err.Error()}
		case len(c.Ignore)+len(c.Match) > 0:
			wrong = compare(as, a, s.server.mask)
		default:
			wrong = differences(got, a)
		}
		for _, p := range wrong {
			problems = append(problems, "as "+as.Request.Method+": "+p)
		}
	}
	return problems
}

// differences compares two responses byte by byte. The database sees QUERY as the
// method, and functions may return it.
func differences(get, query *Response) (problems []string) {
	left := []string{"Content-Location", "Date", "Server-Timing"}
	if bytes.Contains(query.Body, []byte(`"QUERY"`)) {
		query.Body = bytes.ReplaceAll(query.Body, []byte(`"QUERY"`), []byte(`"GET"`))
		left = append(left, "Content-Length")
	}
	if get.Status != query.Status {
		problems = append(problems, fmt.Sprintf("status %d, of GET %d", query.Status, get.Status))
	}
	if !bytes.Equal(get.Body, query.Body) {
		problems = append(problems, fmt.Sprintf("body %q, of GET %q", short(string(query.Body)), short(string(get.Body))))
	}
	of := func(h http.Header) http.Header {
		h = maps.Clone(h)
		for _, name := range left {
			h.Del(name)
		}
		return h
	}
	if g, q := of(get.Header), of(query.Header); !maps.EqualFunc(g, q, slices.Equal) {
		problems = append(problems, fmt.Sprintf("headers %q, of GET %q", q, g))
	}
	return problems
}
