package catalog

func (l *loader) loadComputedFields() error {
	l.cat.fields = map[QI]map[string]struct{}{}
	return l.each("computed_fields", nil, func(r row) {
		relation := r.qi(0)
		if relation != (QI{}) && !l.isExposed(relation.Schema) {
			return
		}
		names := l.cat.fields[relation]
		if names == nil {
			names = map[string]struct{}{}
			l.cat.fields[relation] = names
		}
		names[r.name(2)] = struct{}{}
	})
}

// HasField reports whether a request can name a column or a computed field of a
// relation by this name. It is true for relations that are not in Tables: nothing is
// known about them. A computed field counts in whatever schema its function is.
func (c *Catalog) HasField(relation QI, name string) bool {
	t := c.Tables[relation]
	if t == nil || t.Column(name) != nil {
		return true
	}
	_, own := c.fields[relation][name]
	_, any := c.fields[QI{}][name]
	return own || any
}
