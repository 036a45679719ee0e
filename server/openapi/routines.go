package openapi

import (
	"cmp"
	"slices"

	"github.com/fastgrest/fastgrest/planner/catalog"
)

// lastOverloads sorts functions by name and keeps one per name, because a path
// describes only one. It keeps the one with the most parameters, and of several
// such functions the last in PostgREST's order.
func lastOverloads(list []*catalog.Routine) []*catalog.Routine {
	slices.SortFunc(list, func(a, b *catalog.Routine) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), b.Compare(a))
	})
	return slices.CompactFunc(list, func(a, b *catalog.Routine) bool { return a.Name == b.Name })
}

// hasRoutine reports whether a function has that name. Routines must be sorted.
func (d *Document) hasRoutine(name string) bool {
	_, ok := slices.BinarySearchFunc(d.Routines, name, func(r *catalog.Routine, name string) int { return cmp.Compare(r.Name, name) })
	return ok
}

// appendRoutinePath appends the operations of a function. A volatile function
// has no GET.
func appendRoutinePath(dst []byte, r *catalog.Routine) []byte {
	dst = append(appendKey(dst, "/rpc/"+r.Name), '{')
	if r.Volatility != catalog.Volatile {
		dst = beginCall(dst, "get", r)
		if len(r.Params) > 0 {
			dst = append(appendKey(dst, "parameters"), '[')
			for i := range r.Params {
				dst = appendQueryParam(dst, &r.Params[i])
			}
			dst = append(dst, ']')
		}
		dst = append(dst, '}')
	}
	dst = beginCall(dst, "post", r)
	dst = append(appendKey(dst, "parameters"), `[{"name":"args","required":true,"in":"body","schema":`...)
	dst = appendArguments(dst, r)
	dst = append(dst, '}')
	dst = appendRef(dst, "parameters", "preferParams")
	return append(dst, ']', '}', '}')
}

func beginCall(dst []byte, method string, r *catalog.Routine) []byte {
	dst = append(appendKey(dst, method), '{')
	dst = appendTexts(dst, "tags", []string{"(rpc) " + r.Name})
	dst = appendSummary(dst, r.Description, r.HasDescription)
	dst = append(appendKey(dst, "produces"), rowTypes...)
	return append(next(dst), `"responses":{"200":{"description":"OK"}}`...)
}

// appendQueryParam appends an argument as a query parameter, whose type must be
// known. An array is text in braces; a variadic argument is repeated instead.
func appendQueryParam(dst []byte, p *catalog.Param) []byte {
	dst = append(next(dst), '{')
	dst = appendText(dst, "name", p.Name)
	dst = appendBool(dst, "required", p.Required)
	dst = appendText(dst, "in", "query")
	if p.Variadic {
		dst = appendText(dst, "type", "array")
		dst = append(appendKey(dst, "items"), '{')
		if t := jsonType(element(p.Type)); t != "" {
			dst = appendText(dst, "type", t)
		}
		dst = appendText(dst, "format", format(element(p.Type)))
		dst = append(dst, '}')
		dst = appendText(dst, "collectionFormat", "multi")
		return append(dst, '}')
	}
	dst = appendText(dst, "format", format(p.Type))
	t := jsonType(p.Type)
	if t == "" || t == "array" {
		t = "string"
	}
	dst = appendText(dst, "type", t)
	return append(dst, '}')
}

// appendArguments appends the schema of the object with the arguments.
func appendArguments(dst []byte, r *catalog.Routine) []byte {
	dst = append(dst, '{')
	if r.HasDescription {
		dst = appendText(dst, "description", r.Description)
	}
	var required []string
	for _, p := range r.Params {
		if p.Required {
			required = append(required, p.Name)
		}
	}
	if len(required) > 0 {
		dst = appendTexts(dst, "required", required)
	}
	if len(r.Params) > 0 {
		dst = append(appendKey(dst, "properties"), '{')
		for i, p := range r.Params {
			// Only the name "" can occur twice; its last argument counts.
			if slices.ContainsFunc(r.Params[i+1:], func(later catalog.Param) bool { return later.Name == p.Name }) {
				continue
			}
			dst = append(appendKey(dst, p.Name), '{')
			dst = append(appendType(dst, p.Type), '}')
		}
		dst = append(dst, '}')
	}
	dst = appendText(dst, "type", "object")
	return append(dst, '}')
}
