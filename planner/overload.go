package planner

import (
	"slices"
	"strings"

	"github.com/fastgrest/fastgrest/parser/header"
	"github.com/fastgrest/fastgrest/planner/catalog"
	"github.com/fastgrest/fastgrest/planner/fuzzy"
)

// Routine returns the routine that a request calls: the overload whose
// parameters fit the names of the arguments, or else the one that takes the
// whole payload as its single unnamed argument.
func (p *Planner) Routine(r *Request) (*catalog.Routine, error) {
	name := catalog.QI{Schema: r.Schema, Name: string(r.Target)}
	overloads := p.cat.Routines[name]
	names := r.argumentNames()
	var named, unnamed []*catalog.Routine
	for _, routine := range overloads {
		switch {
		case fits(routine, names, r):
			named = append(named, routine)
		case takesPayload(routine, r):
			unnamed = append(unnamed, routine)
		}
	}
	found := named
	if len(found) == 0 {
		found = unnamed
	}
	switch len(found) {
	case 0:
		return nil, p.routineNotFound(name, names, overloads, r)
	case 1:
		return found[0], nil
	}
	return nil, &Error{Kind: AmbiguousRoutine, Routines: found}
}

// fits reports whether the arguments include all required parameters, and
// otherwise only optional ones.
func fits(routine *catalog.Routine, names []string, r *Request) bool {
	if len(routine.Params) == 0 {
		return len(names) == 0 && !r.rawPayload()
	}
	required, matched := 0, 0
	for _, p := range routine.Params {
		_, given := slices.BinarySearch(names, p.Name)
		if p.Required {
			required++
			if !given {
				return false
			}
		}
		if given {
			matched++
		}
	}
	return matched == len(names)
}

// unnamedTypes has the types that a single unnamed parameter may have, by the
// media type of the payload.
var unnamedTypes = map[header.Kind][]string{
	header.JSON: {"json", "jsonb"}, header.Plain: {"text"}, header.XML: {"xml"}, header.OctetStream: {"bytea"},
}

func takesPayload(routine *catalog.Routine, r *Request) bool {
	return r.Action == CallPost && len(routine.Params) == 1 && routine.Params[0].Name == "" &&
		slices.Contains(unnamedTypes[r.ContentType.Kind], routine.Params[0].Type)
}

// rawPayload reports whether the payload can only be a single unnamed argument.
func (r *Request) rawPayload() bool {
	if r.Action != CallPost {
		return false
	}
	switch r.ContentType.Kind {
	case header.Plain, header.XML, header.OctetStream:
		return true
	}
	return false
}

func (p *Planner) routineNotFound(q catalog.QI, names []string, overloads []*catalog.Routine, r *Request) *Error {
	e := &Error{Kind: RoutineNotFound, Schema: q.Schema, Name: q.Name, Arguments: names, OnlyUnnamed: r.rawPayload()}
	if r.Action == CallPost {
		e.Unnamed = strings.Join(unnamedTypes[r.ContentType.Kind], "/")
	}
	if e.OnlyUnnamed {
		return e
	}
	if len(overloads) == 0 {
		e.Suggestion = p.suggestRoutine(q)
		return e
	}
	lists := make([]string, len(overloads))
	for i, routine := range overloads {
		params := make([]string, len(routine.Params))
		for j, param := range routine.Params {
			params[j] = param.Name
		}
		lists[i] = parameterList(params)
	}
	if best, ok := fuzzy.New(lists).Best(parameterList(names), minEmbedScore); ok {
		e.Suggestion = q.Name + best
	}
	return e
}

func parameterList(names []string) string {
	names = slices.Sorted(slices.Values(names))
	return "(" + strings.Join(names, ", ") + ")"
}
