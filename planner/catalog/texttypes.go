package catalog

// loadTextTypes finds the user-defined types that we can convert to JSON without
// PostgreSQL's help.
func (l *loader) loadTextTypes() error {
	l.cat.textTypes = map[uint32]byte{}
	return l.each("text_types", nil, func(r row) {
		delim := byte(0)
		if !r.null(1) {
			delim = r.char(1)
		}
		l.cat.textTypes[r.oid(0)] = delim
	})
}

// TextType reports whether to_json prints values of the type, which is not built
// in, as quoted text. For arrays of such types, delim is the delimiter between
// elements, else 0.
func (c *Catalog) TextType(oid uint32) (delim byte, ok bool) {
	delim, ok = c.textTypes[oid]
	return delim, ok
}
