package openapi

import (
	"slices"
	"strings"

	"github.com/fastgrest/fastgrest/planner/catalog"
)

// sharedParams are the parameters of all tables.
var sharedParams = []struct {
	key, name, in, description string
	enum                       []string
	def                        string
}{
	{key: "preferParams", name: "Prefer", in: "header", description: "Preference"},
	{key: "preferReturn", name: "Prefer", in: "header", description: "Preference", enum: returnValues},
	{key: "preferCount", name: "Prefer", in: "header", description: "Preference", enum: []string{"count=none"}},
	{key: "preferPost", name: "Prefer", in: "header", description: "Preference", enum: slices.Concat(returnValues,
		[]string{"resolution=ignore-duplicates", "resolution=merge-duplicates"})},
	{key: "select", name: "select", in: "query", description: "Filtering Columns"},
	{key: "on_conflict", name: "on_conflict", in: "query", description: "On Conflict"},
	{key: "order", name: "order", in: "query", description: "Ordering"},
	{key: "range", name: "Range", in: "header", description: "Limiting and Pagination"},
	{key: "rangeUnit", name: "Range-Unit", in: "header", description: "Limiting and Pagination", def: "items"},
	{key: "offset", name: "offset", in: "query", description: "Limiting and Pagination"},
	{key: "limit", name: "limit", in: "query", description: "Limiting and Pagination"},
}

var returnValues = []string{"return=representation", "return=minimal", "return=none"}

func appendSharedParams(dst []byte) []byte {
	for i := range sharedParams {
		p := &sharedParams[i]
		dst = append(appendKey(dst, p.key), '{')
		dst = appendText(dst, "name", p.name)
		dst = appendText(dst, "description", p.description)
		dst = appendBool(dst, "required", false)
		dst = appendText(dst, "in", p.in)
		dst = appendText(dst, "type", "string")
		if p.enum != nil {
			dst = appendTexts(dst, "enum", p.enum)
		}
		if p.def != "" {
			dst = appendText(dst, "default", p.def)
		}
		dst = append(dst, '}')
	}
	return dst
}

// bodyKey and filterKey name the parameters of one table.
func bodyKey(t *catalog.Table) string { return "body." + t.Name }
func filterKey(t *catalog.Table, c *catalog.Column) string {
	return "rowFilter." + t.Name + "." + c.Name
}

// appendTableParams appends, for every table, its body parameter and a filter
// for each of its columns.
func (d *Document) appendTableParams(dst []byte) []byte {
	dotted := map[string]struct{}{} // only names with dots can collide
	for _, t := range d.Tables {
		dst = append(appendKey(dst, bodyKey(t)), '{')
		dst = appendText(dst, "name", t.Name)
		dst = appendText(dst, "description", t.Name)
		dst = appendBool(dst, "required", false)
		dst = appendText(dst, "in", "body")
		dst = appendKey(dst, "schema")
		dst = append(appendRef(dst, "definitions", t.Name), '}')
		for _, c := range t.Columns {
			key := filterKey(t, c)
			if strings.Contains(t.Name, ".") || strings.Contains(c.Name, ".") {
				if _, taken := dotted[key]; taken {
					continue
				}
				dotted[key] = struct{}{}
			}
			dst = append(appendKey(dst, key), '{')
			dst = appendText(dst, "name", c.Name)
			if c.HasDescription {
				dst = appendText(dst, "description", c.Description)
			}
			dst = appendBool(dst, "required", false)
			dst = appendText(dst, "in", "query")
			dst = appendText(dst, "type", "string")
			dst = append(dst, '}')
		}
	}
	return dst
}
