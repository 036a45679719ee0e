package batch

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

// MediaType is that of the body of a batch.
const MediaType = "application/vnd.pgrst.batch+json"

// Bounds of a part.
const (
	maxHeaders = 64
	maxID      = 128      // bytes
	maxURL     = 64 << 10 // bytes, those of the headers included
)

// Error says what is wrong with a batch.
type Error struct {
	Part    string // id of the part; "" for the envelope
	Message string
}

func (e *Error) Error() string {
	if e.Part == "" {
		return e.Message
	}
	return fmt.Sprintf("part %q: %s", e.Part, e.Message)
}

// Part is one request of a batch.
type Part struct {
	ID      string
	Method  string
	URL     string // begins with a slash
	Headers [][2]string
	Body    []byte // as the request alone would send it; nil: none

	References bool // in the body or in the query string
	edits      []edit
}

// Header returns a header of the part.
func (p *Part) Header(name string) (value string, ok bool) {
	for _, h := range p.Headers {
		if strings.EqualFold(h[0], name) {
			return h[1], true
		}
	}
	return "", false
}

// envelopePart is a part as JSON.
type envelopePart struct {
	ID      *string           `json:"id"`
	Method  string            `json:"method"`
	URL     *string           `json:"url"`
	Headers map[string]string `json:"headers"`
	Body    json.RawMessage   `json:"body"`
}

// Parse reads a batch of at most limit parts. Every error is an *Error.
func Parse(raw []byte, limit int) ([]*Part, error) {
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.DisallowUnknownFields()
	if err := expect(dec, json.Delim('{'), "requests", json.Delim('[')); err != nil {
		return nil, err
	}
	r := reader{before: map[string]bool{}}
	for dec.More() {
		if len(r.parts) == limit {
			return nil, &Error{Message: fmt.Sprintf("a batch has at most %d requests", limit)}
		}
		var e envelopePart
		if err := dec.Decode(&e); err != nil {
			return nil, malformed(err)
		}
		if err := r.add(&e); err != nil {
			return nil, err
		}
	}
	if err := expect(dec, json.Delim(']'), json.Delim('}')); err != nil {
		return nil, err
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, &Error{Message: "text follows the batch"}
	}
	if len(r.parts) == 0 {
		return nil, &Error{Message: "the batch has no requests"}
	}
	return r.parts, nil
}

// expect reads tokens.
func expect(dec *json.Decoder, tokens ...json.Token) error {
	for _, want := range tokens {
		got, err := dec.Token()
		if err != nil {
			return malformed(err)
		}
		if got != want {
			return &Error{Message: `a batch is an object with the only key "requests", a list`}
		}
	}
	return nil
}

func malformed(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return &Error{Message: "the batch ends early"}
	}
	return &Error{Message: "the batch cannot be read: " + strings.TrimPrefix(err.Error(), "json: ")}
}

// reader collects parts.
type reader struct {
	parts      []*Part
	before     map[string]bool // ids of the parts so far
	references int
}

var methods = []string{"GET", "POST", "PATCH", "PUT", "DELETE", "QUERY"}

func (r *reader) add(e *envelopePart) error {
	if e.ID == nil || *e.ID == "" || len(*e.ID) > maxID || strings.Contains(*e.ID, "#") {
		return &Error{Message: fmt.Sprintf(`request %d needs an "id" of at most %d bytes, without "#"`, len(r.parts)+1, maxID)}
	}
	p := &Part{ID: *e.ID, Method: e.Method}
	refuse := func(format string, args ...any) error {
		return &Error{Part: p.ID, Message: fmt.Sprintf(format, args...)}
	}
	if r.before[p.ID] {
		return refuse("there are two parts with this id")
	}
	if !slices.Contains(methods, p.Method) {
		return refuse("the method must be one of %s", strings.Join(methods, ", "))
	}
	size := 0
	if e.URL != nil {
		p.URL, size = "/"+strings.TrimPrefix(*e.URL, "/"), len(*e.URL)
	}
	if !validURL(p.URL) {
		return refuse(`"url" must be relative, such as "/table?select=id", and percent-encoded`)
	}
	for name, value := range e.Headers {
		if problem := checkHeader(name, value); problem != "" {
			return refuse("header %q %s", name, problem)
		}
		p.Headers = append(p.Headers, [2]string{name, value})
		size += len(name) + len(value)
	}
	if len(p.Headers) > maxHeaders || size > maxURL {
		return refuse("at most %d headers, and %d bytes of URL and headers, are allowed", maxHeaders, maxURL)
	}
	slices.SortFunc(p.Headers, func(a, b [2]string) int { return strings.Compare(a[0], b[0]) })
	if err := p.setBody(e.Body); err != nil {
		return refuse("%s", err)
	}
	n, err := p.findReferences(r.before)
	if err != nil {
		return refuse("%s", err)
	}
	if r.references += n; r.references > MaxReferences {
		return refuse("a batch has at most %d references", MaxReferences)
	}
	r.parts, r.before[p.ID] = append(r.parts, p), true
	return nil
}

// validURL reports whether a URL leads to a table, a view or a function, and can be
// part of a request line.
func validURL(url string) bool {
	if len(url) < 2 || url[1] == '/' || url[1] == '?' {
		return false
	}
	for i := range len(url) {
		if c := url[i]; c <= ' ' || c >= 0x7f || c == '#' {
			return false
		}
	}
	return true
}

// forbidden are the headers that the batch has for all parts, or that are about the
// connection.
var forbidden = []string{"authorization", "connection", "content-length", "expect", "host", "keep-alive", "origin", "te", "trailer",
	"transfer-encoding", "upgrade", "x-http-method-override"}

// checkHeader returns what is wrong with a header, or "".
func checkHeader(name, value string) string {
	if name == "" || strings.ContainsFunc(name, func(c rune) bool { return c <= ' ' || c >= 0x7f || strings.ContainsRune(`()<>@,;:\"/[]?={}`, c) }) {
		return "has no valid name"
	}
	if slices.Contains(forbidden, strings.ToLower(name)) {
		return "is not allowed in a part"
	}
	if strings.ContainsFunc(value, func(c rune) bool { return c < ' ' && c != '\t' || c == 0x7f }) {
		return "has no valid value"
	}
	return ""
}

// isJSON reports whether the body of the part is JSON, as it is without a Content-Type.
func (p *Part) isJSON() bool {
	value, ok := p.Header("Content-Type")
	return !ok || IsJSON(value)
}

// IsJSON reports whether a media type is JSON: application/json, or one with the suffix
// +json (RFC 6839, 3.1). Parameters do not matter.
func IsJSON(media string) bool {
	kind, _, _ := strings.Cut(media, ";")
	kind = strings.ToLower(strings.TrimSpace(kind))
	return kind == "application/json" || strings.HasSuffix(kind, "+json")
}

// setBody takes JSON as it is, and the text of a string as a body of another type.
func (p *Part) setBody(raw json.RawMessage) error {
	if raw == nil || p.isJSON() {
		p.Body = raw
		return nil
	}
	var text string
	if json.Unmarshal(raw, &text) != nil || raw[0] != '"' {
		return errors.New("a body that is not JSON must be a string")
	}
	p.Body = []byte(text)
	return nil
}
