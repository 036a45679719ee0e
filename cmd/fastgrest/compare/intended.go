package compare

import (
	"bytes"
	"encoding/json"
	"regexp"
	"slices"
	"strings"
)

// rule recognises a difference that fastgrest has on purpose. The page differences.md of the manual lists
// them all; here are those that a pair of responses shows.
type rule struct {
	says  string
	holds func(d *difference, old, new *response) bool
}

var rules = []rule{
	{"the text of an execution plan shows the SQL of fastgrest", func(d *difference, old, new *response) bool {
		return ofBody(d) && hasType(old, "application/vnd.pgrst.plan") && hasType(new, "application/vnd.pgrst.plan")
	}},
	{"the OpenAPI document names the address and the version of its server", func(d *difference, old, new *response) bool {
		return ofBody(d) && isOpenAPI(old, new) && alike(old, new, nil)
	}},
	{"references in the OpenAPI document are escaped (RFC 6901)", func(d *difference, old, new *response) bool {
		return ofBody(d) && isOpenAPI(old, new) && alike(old, new, unescapeReferences)
	}},
	{"a hint has the first of several equally likely names in alphabetical order", func(d *difference, old, new *response) bool {
		return d.Kind == "error hint" && strings.Contains(d.Old, `"Perhaps you meant `) && strings.Contains(d.New, `"Perhaps you meant `)
	}},
	{"the header Warning names the version of its server", func(d *difference, old, new *response) bool {
		return d.Kind == "header Warning" && slices.EqualFunc(old.Header.Values("Warning"), new.Header.Values("Warning"), func(o, n string) bool {
			return warnAgent.ReplaceAllString(o, "") == warnAgent.ReplaceAllString(n, "")
		})
	}},
	{`a volatile function may return json with \u0000 in it`, func(d *difference, old, new *response) bool {
		return strings.HasPrefix(d.Kind, "status ") && new.Status < 300 && errorCode(old) == "22P05" && bytes.Contains(new.Body.kept, []byte(`\u0000`))
	}},
}

var warnAgent = regexp.MustCompile(`^\d{3} \S+ `)

// intended returns what is known about a difference, or "".
func intended(d *difference, old, new *response) string {
	if old.Err != nil || new.Err != nil {
		return ""
	}
	for _, r := range rules {
		if r.holds(d, old, new) {
			return r.says
		}
	}
	return ""
}

// ofBody reports whether the difference is one of bodies, and not of a status or header.
func ofBody(d *difference) bool {
	return !strings.HasPrefix(d.Kind, "status ") && !strings.HasPrefix(d.Kind, "header ") && d.Kind != "truncated body"
}

func hasType(a *response, name string) bool {
	return strings.HasPrefix(a.Header.Get("Content-Type"), name)
}

func isOpenAPI(old, new *response) bool {
	const name = "application/openapi+json"
	return hasType(old, name) && hasType(new, name) && old.Body.whole() && new.Body.whole()
}

// alike reports whether two OpenAPI documents are equal but for what names the server, after a change
// of the text.
func alike(old, new *response, change func([]byte) []byte) bool {
	text := func(a *response) string {
		body := a.Body.kept
		if change != nil {
			body = change(body)
		}
		v, err := parseJSON(body)
		if err != nil {
			return string(body)
		}
		for _, path := range [][]string{{"host"}, {"schemes"}, {"basePath"}, {"externalDocs", "url"}, {"info", "version"}} {
			v = without(v, path)
		}
		return canonical(v)
	}
	return text(old) == text(new)
}

// without removes a member of an object, or of an object in it.
func without(v any, path []string) any {
	o, ok := v.(object)
	if !ok {
		return v
	}
	var rest object
	for _, m := range o {
		if m.key == path[0] {
			if len(path) == 1 {
				continue
			}
			m.value = without(m.value, path[1:])
		}
		rest = append(rest, m)
	}
	return rest
}

var reference = regexp.MustCompile(`"\$ref"\s*:\s*"[^"]*"`)

func unescapeReferences(text []byte) []byte {
	return reference.ReplaceAllFunc(text, func(ref []byte) []byte {
		return bytes.ReplaceAll(bytes.ReplaceAll(ref, []byte("~1"), []byte("/")), []byte("~0"), []byte("~"))
	})
}

// errorCode is the code of an error object.
func errorCode(a *response) string {
	var o struct{ Code string }
	_ = json.Unmarshal(a.Body.kept, &o) // "" if it is something else
	return o.Code
}
