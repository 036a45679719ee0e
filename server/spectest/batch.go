package spectest

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"unicode/utf8"
)

// ofBatch are the headers of a request that a batch has for all of its parts.
var ofBatch = []string{"authorization", "origin", "host", "content-length", "expect", "connection", "transfer-encoding"}

// asBatch returns the write of a case as a batch of one. nil: a part cannot have its
// body, its headers or its URL, or a batch does not serve what the case is about.
func (c *Case) asBatch() *Request {
	r := c.Request
	if !slices.Contains([]string{"POST", "PATCH", "PUT", "DELETE"}, r.Method) || r.Port == "admin" || r.BodyBase64 != nil ||
		!strings.HasPrefix(r.Path, "/") || len(r.Path) < 2 || strings.ContainsFunc(r.Path, func(c rune) bool { return c <= ' ' || c > '~' || c == '#' }) {
		return nil
	}
	whole := &Request{Method: "POST", Path: "/", Headers: [][2]string{{"Content-Type", "application/vnd.pgrst.batch+json"}}}
	headers := map[string]string{}
	kind := "application/json"
	for _, h := range r.Headers {
		name := strings.ToLower(h[0])
		if strings.Contains(h[1], "tx=") { // the transaction is that of the batch
			return nil
		}
		if slices.Contains(ofBatch, name) {
			whole.Headers = append(whole.Headers, h)
			continue
		}
		if _, twice := headers[name]; twice || strings.ContainsAny(name, " \t") {
			return nil
		}
		if headers[name] = h[1]; name == "content-type" {
			kind, _, _ = strings.Cut(strings.ToLower(h[1]), ";")
		}
	}
	text, err := json.Marshal(map[string]any{"id": "1", "method": r.Method, "url": r.Path, "headers": headers})
	if err != nil {
		return nil
	}
	if r.Body != nil && *r.Body != "" {
		switch isJSON := kind == "application/json" || strings.HasSuffix(kind, "+json"); {
		case !utf8.ValidString(*r.Body), isJSON && !json.Valid([]byte(*r.Body)):
			return nil
		case isJSON:
			text = append(append(text[:len(text)-1], `,"body":`+*r.Body...), '}')
		default:
			quoted, _ := json.Marshal(*r.Body)
			text = append(append(text[:len(text)-1], `,"body":`+string(quoted)...), '}')
		}
	}
	body := `{"requests":[` + string(text) + `]}`
	whole.Body = &body
	return whole
}

// sameInBatch sends the write of a case as a batch of one. Its entry must be what the
// case expects of a response.
func (s *session) sameInBatch(c *Case) (problems []string) {
	r := c.asBatch()
	if r == nil {
		return nil
	}
	a, err := s.server.request(r)
	if err != nil {
		return []string{"in a batch: " + err.Error()}
	}
	if entry := entryOf(a); entry != nil {
		failed := entry.Header.Get("Proxy-Status") != "" || entry.Status == http.StatusRequestedRangeNotSatisfiable
		bodiless := entry.Status < 200 || entry.Status == http.StatusNoContent || entry.Status == http.StatusNotModified
		if want := entry.Status; failed && !bodiless && a.Status != want || !failed && a.Status != http.StatusOK {
			problems = append(problems, fmt.Sprintf("in a batch: status %d of the batch, %d of the part", a.Status, entry.Status))
		}
		a = entry
	}
	as := *c
	as.Ignore = slices.Clone(c.Ignore)
	for _, name := range []string{"Content-Length", "Server-Timing", "Retry-After", "X-Request-Id", "Access-Control-Allow-Origin", "Access-Control-Allow-Credentials", "Access-Control-Expose-Headers"} {
		as.Ignore = append(as.Ignore, Exception{Part: "header:" + name})
	}
	for _, p := range compare(&as, a, s.server.mask) {
		problems = append(problems, "in a batch: "+p)
	}
	return problems
}

// entryOf returns the only entry of a response to a batch as a response, nil if the
// response is an error of the batch.
func entryOf(a *Response) *Response {
	var whole struct {
		Responses []struct {
			Status   int
			Headers  map[string]any
			Body     json.RawMessage
			Encoding string
		}
	}
	if json.Unmarshal(a.Body, &whole) != nil || len(whole.Responses) != 1 {
		return nil
	}
	e := whole.Responses[0]
	out := &Response{Status: e.Status, Header: http.Header{"Server": a.Header.Values("Server")}, Body: e.Body}
	for name, value := range e.Headers {
		values, ok := value.([]any)
		if !ok {
			values = []any{value}
		}
		for _, v := range values {
			out.Header.Add(name, fmt.Sprint(v))
		}
	}
	kind, _, _ := strings.Cut(out.Header.Get("Content-Type"), ";")
	var text string
	if json.Unmarshal(e.Body, &text) == nil && kind != "application/json" && !strings.HasSuffix(kind, "+json") {
		out.Body = []byte(text)
		if e.Encoding == "base64" {
			out.Body, _ = base64.StdEncoding.DecodeString(text)
		}
	}
	return out
}
