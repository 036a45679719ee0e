package compare

import (
	"hash/maphash"
	"maps"
	"net/http"
	"slices"
	"strings"
)

// request is a request of the input. It is not changed after it was read.
type request struct {
	Method string
	Target string // path and query, as they are sent
	Header http.Header
	Body   []byte
	Role   string // "" if the input does not say, "-" if authentication had failed
	Logged bool   // from an access log, which has neither headers nor bodies
}

const (
	maxTarget = 64 << 10
	maxRole   = 1 << 10
)

// valid reports whether the request can be sent. Anything else in a log is not a request.
func (r *request) valid() bool {
	if len(r.Method) < 3 || len(r.Method) > 16 || len(r.Target) > maxTarget || len(r.Role) > maxRole || !strings.HasPrefix(r.Target, "/") {
		return false
	}
	for _, c := range []byte(r.Method) {
		if c < 'A' || c > 'Z' {
			return false
		}
	}
	return !strings.ContainsFunc(r.Target, func(c rune) bool { return c <= ' ' || c == 0x7f || c == '#' })
}

// reads reports whether the method only reads.
func (r *request) reads() bool { return r.Method == http.MethodGet || r.Method == http.MethodHead }

// writes reports whether the method may write.
func (r *request) writes() bool {
	switch r.Method {
	case http.MethodPost, http.MethodPatch, http.MethodPut, http.MethodDelete:
		return true
	}
	return false
}

// key is equal for equal requests.
func (r *request) key(seed maphash.Seed) uint64 {
	var h maphash.Hash
	h.SetSeed(seed)
	text := func(s string) {
		h.WriteString(s)
		h.WriteByte(0)
	}
	text(r.Method)
	text(r.Target)
	text(r.Role)
	for _, name := range slices.Sorted(maps.Keys(r.Header)) {
		text(name)
		for _, value := range r.Header[name] {
			text(value)
		}
	}
	h.WriteByte(1)
	h.Write(r.Body)
	return h.Sum64()
}

// path is the target without its query.
func (r *request) path() string {
	path, _, _ := strings.Cut(r.Target, "?")
	return path
}

// parameters are the distinct names in the query, sorted. They stay percent-encoded.
func (r *request) parameters() []string {
	_, query, _ := strings.Cut(r.Target, "?")
	var names []string
	for part := range strings.SplitSeq(query, "&") {
		if name, _, _ := strings.Cut(part, "="); name != "" {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// shape is the request without its values: GET /book?id&select.
func (r *request) shape() string {
	s := r.Method + " " + r.path()
	if names := r.parameters(); len(names) > 0 {
		s += "?" + strings.Join(names, "&")
	}
	return s
}

// ordered reports whether the request asks for an order of the rows, and whether it asks for one of
// embedded rows.
func (r *request) ordered() (rows, embedded bool) {
	for _, name := range r.parameters() {
		rows = rows || name == "order"
		embedded = embedded || strings.HasSuffix(name, ".order")
	}
	return rows, embedded
}
