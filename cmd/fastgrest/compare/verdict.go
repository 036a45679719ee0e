package compare

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
)

// class says how much two responses have in common.
type class int

const (
	equal      class = iota
	whiteSpace       // equal but for white space and escapes in JSON
	order            // equal but for the order of rows or keys that the request leaves open
	different
	failed // not compared: no response, or too long a body
)

// difference is one kind of difference in a pair of responses.
type difference struct {
	Kind     string // status 200 -> 404, header NAME, error code, value, ...
	Where    string // a JSON pointer, if the difference is in JSON
	Old, New string // the parts of the responses that show it, of any length
	Intended string // what is known about it
}

// verdict is the result of a comparison.
type verdict struct {
	Class class
	Found []difference // if different
	Why   string       // if failed
}

// judge compares two responses to a request.
type judge struct {
	ignored []string // patterns of header names in canonical form; * at the end stands for any text
	strict  bool     // white space and order are differences, too
}

// ofServer are headers that two right servers may send differently.
var ofServer = []string{"Connection", "Content-Length", "Date", "Keep-Alive", "Server", "Server-Timing", "Transfer-Encoding", "Via"}

func (j *judge) compare(r *request, old, new *response) verdict {
	if v, over := withoutResponse(old, new); over {
		return v
	}
	v := j.responses(r, old, new)
	if j.strict && (v.Class == whiteSpace || v.Class == order) {
		kind := map[class]string{whiteSpace: "white space", order: "order of rows or keys"}[v.Class]
		v = verdict{Class: different, Found: []difference{{Kind: kind, Old: string(old.Body.kept), New: string(new.Body.kept)}}}
	}
	for i := range v.Found {
		v.Found[i].Intended = intended(&v.Found[i], old, new)
	}
	return v
}

// withoutResponse handles requests to which one server did not respond in full.
func withoutResponse(old, new *response) (v verdict, over bool) {
	text := func(a *response) string {
		if a.Err != nil {
			return "no response: " + a.Err.Error()
		}
		return summary(a)
	}
	switch {
	case old.Err != nil && (new.Err != nil || unreachable(old.Err)):
		return verdict{Class: failed, Why: "old: " + old.Err.Error()}, true
	case new.Err != nil && unreachable(new.Err):
		return verdict{Class: failed, Why: "new: " + new.Err.Error()}, true
	case old.Err != nil || new.Err != nil:
		return verdict{Class: different, Found: []difference{{Kind: "no response", Old: text(old), New: text(new)}}}, true
	case old.Cut != nil && new.Cut != nil:
		return verdict{Class: failed, Why: "both bodies end early: " + old.Cut.Error()}, true
	case old.Cut != nil || new.Cut != nil:
		return verdict{Class: different, Found: []difference{{
			Kind: "truncated body",
			Old:  fmt.Sprintf("%d bytes%s", old.Body.size, ending(old)), New: fmt.Sprintf("%d bytes%s", new.Body.size, ending(new)),
		}}}, true
	}
	return verdict{}, false
}

func ending(a *response) string {
	if a.Cut != nil {
		return ", then " + a.Cut.Error()
	}
	return ""
}

// summary is the status and the body.
func summary(a *response) string {
	return strings.TrimSpace(fmt.Sprintf("%d %s", a.Status, a.Body.kept))
}

func (j *judge) responses(r *request, old, new *response) verdict {
	if old.Status != new.Status {
		return verdict{Class: different, Found: []difference{{
			Kind: fmt.Sprintf("status %d -> %d", old.Status, new.Status), Old: summary(old), New: summary(new),
		}}}
	}
	found := j.headers(r, old.Header, new.Header)
	class := equal
	if !old.Body.same(new.Body) {
		var inBody []difference
		class, inBody = bodies(r, old, new)
		found = append(found, inBody...)
	}
	if len(found) > 0 {
		return verdict{Class: different, Found: found}
	}
	return verdict{Class: class}
}

func (j *judge) headers(r *request, old, new http.Header) (found []difference) {
	names := slices.Concat(slices.Collect(maps.Keys(old)), slices.Collect(maps.Keys(new)))
	slices.Sort(names)
	for _, name := range slices.Compact(names) {
		o, n := old.Values(name), new.Values(name)
		if slices.Equal(o, n) || j.ignores(name) {
			continue
		}
		if slices.Contains(ofServer, name) {
			// The length of a body is compared with the body, and HEAD has none.
			both := len(o) > 0 && len(n) > 0
			if name != "Content-Length" || r.Method != http.MethodHead || !both {
				continue
			}
		}
		found = append(found, difference{Kind: "header " + name, Old: headerText(name, o), New: headerText(name, n)})
	}
	return found
}

func headerText(name string, values []string) string {
	if len(values) == 0 {
		return "(no " + name + ")"
	}
	if isSecret(name) {
		values = slices.Repeat([]string{masked}, len(values))
	}
	return name + ": " + strings.Join(values, ", ")
}

func (j *judge) ignores(name string) bool {
	return slices.ContainsFunc(j.ignored, func(pattern string) bool {
		start, any := strings.CutSuffix(pattern, "*")
		return name == pattern || any && strings.HasPrefix(name, start)
	})
}

// bodies compares bodies that are not equal byte for byte.
func bodies(r *request, old, new *response) (class, []difference) {
	kind := "body"
	if isJSON(old) && isJSON(new) {
		whole := old.Body.whole() && new.Body.whole()
		if old.Body.sameJSON(new.Body) && (!whole || json.Valid(old.Body.kept) && json.Valid(new.Body.kept)) {
			return whiteSpace, nil
		}
		if !whole {
			return largeBodies(r, old.Body, new.Body)
		}
		o, oldErr := parseJSON(old.Body.kept)
		n, newErr := parseJSON(new.Body.kept)
		if oldErr == nil && newErr == nil {
			return documents(r, old, o, n)
		}
		if errors.Is(oldErr, errNotJSON) != errors.Is(newErr, errNotJSON) {
			kind = "invalid JSON"
		}
	} else if isCSV(old) && isCSV(new) && old.Body.whole() && new.Body.whole() {
		rows, _ := r.ordered()
		switch o, n := sortedLines(old.Body.kept), sortedLines(new.Body.kept); {
		case len(o) != len(n):
			kind = "number of rows"
		case slices.EqualFunc(o, n, bytes.Equal):
			if !rows {
				return order, nil
			}
			kind = "order of rows"
		}
	}
	return different, []difference{{Kind: kind, Old: string(old.Body.kept), New: string(new.Body.kept)}}
}

func documents(r *request, old *response, o, n any) (class, []difference) {
	d := differ{failed: old.Status >= 400}
	d.rowsOrdered, d.embeddedOrdered = r.ordered()
	d.document(o, n)
	switch {
	case len(d.found) > 0:
		return different, d.found
	case d.reorder:
		return order, nil
	}
	return whiteSpace, nil // escapes
}

// largeBodies compares JSON of which only the start is in memory.
func largeBodies(r *request, old, new *digest) (class, []difference) {
	kind := "body"
	switch rows, embedded := r.ordered(); {
	case old.sameElements(new) && !rows && !embedded:
		return order, nil
	case old.sameElements(new):
		kind = "order of rows"
	case old.array && new.array && old.elements != new.elements:
		kind = "number of rows"
	}
	d := difference{Kind: kind, Old: string(compacted(old.kept)), New: string(compacted(new.kept))}
	if kind == "number of rows" {
		d.Old, d.New = fmt.Sprintf("%d rows", old.elements), fmt.Sprintf("%d rows", new.elements)
	}
	return different, []difference{d}
}

// compacted is JSON, or its start, without white space outside of strings.
func compacted(text []byte) []byte {
	out := make([]byte, 0, len(text))
	var q quotes
	for _, c := range text {
		if q.inside(c) || !isSpace(c) {
			out = append(out, c)
		}
	}
	return out
}

func isJSON(a *response) bool { return strings.Contains(a.Header.Get("Content-Type"), "json") }

func isCSV(a *response) bool { return strings.HasPrefix(a.Header.Get("Content-Type"), "text/csv") }

// sortedLines are the lines of a CSV document, its header line first.
func sortedLines(text []byte) [][]byte {
	lines := bytes.Split(bytes.TrimSuffix(text, []byte("\n")), []byte("\n"))
	slices.SortFunc(lines[1:], bytes.Compare)
	return lines
}
