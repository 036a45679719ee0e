package auth

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/theory/jsonpath"
	"github.com/theory/jsonpath/spec"
)

// RolePath finds the role among the claims of a token.
type RolePath struct {
	query     *jsonpath.Path // RFC 9535, or
	legacy    legacyPath     // the syntax of older releases
	canonical string
}

// ParseRolePath parses a jwt-role-claim-key as RFC 9535 or, failing that, in the
// syntax of older PostgREST releases.
func ParseRolePath(text string) (*RolePath, error) {
	query, err := jsonpath.Parse(text)
	if err == nil {
		return &RolePath{query: query, canonical: canonicalPath(text)}, nil
	}
	legacy, legacyErr := parseLegacyPath(text)
	if legacyErr == nil {
		return &RolePath{legacy: legacy, canonical: legacy.String()}, nil
	}
	if !strings.HasPrefix(text, "$") {
		err = legacyErr
	}
	return nil, fmt.Errorf("failed to parse role-claim-key value (%s): %w", text, err)
}

// Deprecated reports whether the path has the syntax of older releases.
func (p *RolePath) Deprecated() bool { return p.query == nil }

// String returns the path as PostgREST prints it. With a descendant name the
// result cannot be parsed again, because PostgREST prints a third dot.
func (p *RolePath) String() string { return p.canonical }

// find returns the first value that the path selects.
func (p *RolePath) find(claims map[string]any) (v any, found bool) {
	if p.query == nil {
		return p.legacy.find(claims)
	}
	// This is a second guard behind match: if the library panics, the token has no
	// role. No path or claim is known to cause that.
	defer func() {
		if recover() != nil {
			v, found = nil, false
		}
	}()
	return first(p.query.Query().Segments(), claims, claims)
}

// first walks the segments depth first. The library visits the members of an
// object in Go's random order, and the role of a token must not depend on it.
// PostgREST's order is: an object before its members, members by name, elements
// by index.
func first(segments []*spec.Segment, node, root any) (any, bool) {
	if len(segments) == 0 {
		return node, true
	}
	s := segments[0]
	for _, selector := range s.Selectors() {
		for _, v := range pick(selector, node, root) {
			if found, ok := first(segments[1:], v, root); ok {
				return found, true
			}
		}
	}
	if !s.IsDescendant() {
		return nil, false
	}
	for _, child := range children(node) {
		if found, ok := first(segments, child, root); ok {
			return found, true
		}
	}
	return nil, false
}

// pick returns the values that one selector selects from a node, in order.
func pick(selector spec.Selector, node, root any) []any {
	switch s := selector.(type) {
	case spec.WildcardSelector:
		return children(node)
	case *spec.FilterSelector:
		var kept []any
		for _, child := range children(node) {
			if matches(s, child, root) {
				kept = append(kept, child)
			}
		}
		return kept
	default:
		return selector.Select(node, root)
	}
}

// matches guards against the library's functions, which panic if an argument is
// missing: search(@.name, 'x') for an element without name.
func matches(filter *spec.FilterSelector, node, root any) (yes bool) {
	defer func() {
		if recover() != nil {
			yes = false
		}
	}()
	return filter.Eval(node, root)
}

func children(node any) []any {
	switch node := node.(type) {
	case []any:
		return node
	case map[string]any:
		list := make([]any, 0, len(node))
		for _, key := range slices.Sorted(maps.Keys(node)) {
			list = append(list, node[key])
		}
		return list
	default:
		return nil
	}
}
