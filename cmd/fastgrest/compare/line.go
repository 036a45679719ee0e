package compare

import (
	"bytes"
	"encoding/json"
	"net/http"
	"regexp"
	"strconv"
	"strings"
)

var (
	// logLine is a line of PostgREST's log, of our text log, or of the common log format. Something
	// may stand before it, such as the name of a container. No quote does, because it may begin a text
	// of the client.
	logLine = regexp.MustCompile(`^(?:[^"]*\s)?[^\s"]+ - ((?:[^"]|\\")*?) \[\d\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d [+-]\d{4}\] "([A-Z]+) (\S+) HTTP/\d(?:\.\d)?" \d{3} `)
	// requestLine is a line of a list of requests.
	requestLine = regexp.MustCompile(`^([A-Z]+) (\S+)(?: HTTP/\d(?:\.\d)?)?$`)
)

// parseLine reads one line of the input. It returns nil if the line is not a request.
func parseLine(line []byte) *request {
	line = bytes.TrimSpace(line)
	var r *request
	if m := requestLine.FindSubmatch(line); m != nil {
		r = &request{Method: string(m[1]), Target: string(m[2])}
	} else if len(line) > 0 && line[0] == '{' {
		r = parseObject(line)
	} else if m := logLine.FindSubmatch(line); m != nil {
		r = &request{Method: string(m[2]), Target: unescape(string(m[3])), Role: unescape(string(m[1])), Logged: true}
	}
	if r == nil || !r.valid() {
		return nil
	}
	return r
}

// jsonLine is a line of our JSON log, which has a target, or of a list of requests.
type jsonLine struct {
	Method  string                     `json:"method"`
	Target  *string                    `json:"target"`
	URL     *string                    `json:"url"`
	Role    *string                    `json:"role"`
	Headers map[string]json.RawMessage `json:"headers"` // a string, or a list of strings
	Body    json.RawMessage            `json:"body"`    // a string is sent as it is, other values as JSON
}

func parseObject(line []byte) *request {
	var l jsonLine
	if json.Unmarshal(line, &l) != nil {
		return nil
	}
	r := &request{Method: l.Method, Header: http.Header{}}
	switch {
	case l.Target != nil:
		r.Target, r.Logged, r.Role = *l.Target, true, "-"
	case l.URL != nil:
		r.Target = withoutOrigin(*l.URL)
	}
	if l.Role != nil {
		r.Role = *l.Role
	}
	for name, raw := range l.Headers {
		var one string
		var several []string
		if json.Unmarshal(raw, &one) == nil {
			several = []string{one}
		} else if json.Unmarshal(raw, &several) != nil {
			return nil
		}
		for _, value := range several {
			if !validHeader(name, value) {
				return nil
			}
			if name := http.CanonicalHeaderKey(name); !ofConnection[name] {
				r.Header.Add(name, value)
			}
		}
	}
	if len(l.Body) > 0 && string(l.Body) != "null" {
		r.Body = l.Body
		var text string
		if json.Unmarshal(l.Body, &text) == nil {
			r.Body = []byte(text)
		} else if r.Header.Get("Content-Type") == "" {
			r.Header.Set("Content-Type", "application/json")
		}
	}
	return r
}

// origin is the start of an absolute URL, with the address of the server.
var origin = regexp.MustCompile(`^(?i:https?)://(?:\[[0-9A-Fa-f:.]+\](?::\d+)?|[^][/?#]+)`)

// withoutOrigin is the path and query of a URL, which may be absolute. Both stay as they are written.
func withoutOrigin(url string) string {
	target := origin.ReplaceAllLiteralString(url, "")
	if target == url {
		return url
	}
	target, _, _ = strings.Cut(target, "#")
	if !strings.HasPrefix(target, "/") {
		return "/" + target
	}
	return target
}

// ofConnection are headers that the client sets itself.
var ofConnection = map[string]bool{
	"Host": true, "Content-Length": true, "Connection": true, "Transfer-Encoding": true, "Accept-Encoding": true,
	"Keep-Alive": true, "Te": true, "Trailer": true, "Upgrade": true, "Expect": true,
}

var headerName = regexp.MustCompile("^[!#$%&'*+.^_`|~0-9A-Za-z-]+$")

func validHeader(name, value string) bool {
	return headerName.MatchString(name) &&
		!strings.ContainsFunc(value, func(c rune) bool { return c < ' ' && c != '\t' || c == 0x7f })
}

var (
	escapes  = regexp.MustCompile(`\\(?:[\\"]|x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4})`)
	rawQuote = regexp.MustCompile(`(?:^|[^\\])(?:\\\\)*"`)
)

// unescape undoes the escapes of our text log and of nginx. PostgREST escapes nothing: a text that
// the others would have escaped differently is left as it is.
func unescape(text string) string {
	if !strings.Contains(text, `\`) || rawQuote.MatchString(text) ||
		strings.Contains(escapes.ReplaceAllLiteralString(text, ""), `\`) {
		return text
	}
	return escapes.ReplaceAllStringFunc(text, func(e string) string {
		if e[1] != 'x' && e[1] != 'u' {
			return e[1:]
		}
		n, _ := strconv.ParseUint(e[2:], 16, 16) // the expression has checked the digits
		if e[1] == 'x' {
			return string([]byte{byte(n)})
		}
		return string(rune(n))
	})
}
