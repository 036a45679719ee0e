package planner

import (
	"net/url"
	"strconv"
	"strings"
)

// ask returns the wish as a query string.
func (n *wish) ask() string {
	v := url.Values{"select": {n.list()}}
	n.parameters(v, "")
	return v.Encode()
}

func (n *wish) list() string {
	var items []string
	if n.star {
		items = append(items, "*")
	}
	for _, c := range n.columns {
		items = append(items, c.alias+":"+quote(c.name))
	}
	for _, child := range n.children {
		item := child.link.target
		if child.join != "" {
			item += "!" + child.join
		}
		item += "(" + child.list() + ")"
		if child.spread {
			item = "..." + item
		} else {
			item = child.name + ":" + item
		}
		items = append(items, item)
	}
	return strings.Join(items, ",")
}

func quote(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`
}

func (n *wish) parameters(v url.Values, path string) {
	for i := range n.filters {
		f := &n.filters[i]
		if f.or == nil {
			v.Add(path+quote(f.column), f.spell(false))
			continue
		}
		parts := make([]string, len(f.or))
		for j := range f.or {
			parts[j] = quote(f.or[j].column) + "." + f.or[j].spell(true)
		}
		key := "or"
		if f.not {
			key = "not.or"
		}
		v.Add(path+key, "("+strings.Join(parts, ",")+")")
	}
	var terms []string
	for _, o := range n.order {
		term := quote(o.column)
		if o.child != nil {
			term = o.child.name + "(" + term + ")"
		}
		if o.desc {
			term += ".desc"
		} else {
			term += ".asc"
		}
		if o.nullsFirst {
			term += ".nullsfirst"
		} else {
			term += ".nullslast"
		}
		terms = append(terms, term)
	}
	if terms != nil {
		v.Add(path+"order", strings.Join(terms, ","))
	}
	if n.limit >= 0 {
		v.Add(path+"limit", strconv.Itoa(n.limit))
	}
	if n.offset > 0 {
		v.Add(path+"offset", strconv.Itoa(n.offset))
	}
	for _, child := range n.children {
		switch child.null {
		case "is":
			v.Add(path+child.name, "is.null")
		case "not":
			v.Add(path+child.name, "not.is.null")
		}
		child.parameters(v, path+child.name+".")
	}
}

func (f *wishFilter) spell(inLogic bool) string {
	text := f.op
	switch {
	case f.op == "in":
		quoted := make([]string, len(f.values))
		for i, value := range f.values {
			quoted[i] = quote(value)
		}
		text += ".(" + strings.Join(quoted, ",") + ")"
	case f.op == "is.null":
	case inLogic:
		text += "." + quote(f.values[0])
	default:
		text += "." + f.values[0]
	}
	if f.not {
		return "not." + text
	}
	return text
}
