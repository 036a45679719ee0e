package catalog

import (
	"maps"
	"slices"
)

// readByExposed lists the views that exposed relations read, whose definitions
// must be examined.
func (l *loader) readByExposed() map[uint32]struct{} {
	found := map[uint32]struct{}{}
	var visit func(rel *relation)
	visit = func(rel *relation) {
		if _, seen := found[rel.oid]; seen {
			return
		}
		found[rel.oid] = struct{}{}
		for _, other := range rel.reads {
			visit(other)
		}
		for _, other := range rel.children {
			visit(other)
		}
	}
	for _, rel := range l.relations {
		if rel.table != nil {
			visit(rel)
		}
	}
	for oid := range found {
		if l.relations[oid].kind != 'v' {
			delete(found, oid)
		}
	}
	return found
}

func (l *loader) loadReads() error {
	jsonCasts := false
	if err := l.each("json_casts", nil, func(r row) { jsonCasts = r.bool(0) }); err != nil {
		return err
	}
	err := l.each("reads", nil, func(r row) {
		rel := l.relations[r.oid(0)]
		if rel == nil {
			return
		}
		other := l.relations[r.oid(2)]
		switch kind := r.char(1); {
		case kind == 'x':
			rel.userCode = true
		case kind == 't':
			rel.userTypes = true
		case kind == 'w':
			rel.ruled = true
		case other == nil: // a sequence, say
		case kind == 'r':
			rel.reads = append(rel.reads, other)
			other.readers = append(other.readers, rel)
		case kind == 'i':
			rel.children = append(rel.children, other)
			other.parents = append(other.parents, rel)
		}
	})
	for _, rel := range l.relations {
		// A foreign data wrapper may run any code.
		rel.userCode = rel.userCode || rel.kind == 'f' || jsonCasts && rel.userTypes
	}
	return err
}

// loadAccess propagates row security and user code from relations to the views
// that read them. It also finds the roles that may name every schema used in
// statements.
func (l *loader) loadAccess() error {
	readers := func(r *relation) []*relation { return r.readers }
	// The parent's policies apply to the rows of its children, so row security
	// does not propagate along inheritance. Expressions and foreign tables do.
	l.spread(func(r *relation) *bool { return &r.rowSecurity }, readers)
	l.spread(func(r *relation) *bool { return &r.userCode }, func(r *relation) []*relation {
		return slices.Concat(r.readers, r.parents)
	})
	// An updatable view is rewritten to the relation it reads.
	l.spread(func(r *relation) *bool { return &r.ruled }, readers)
	for _, rel := range l.relations {
		if rel.table != nil {
			rel.table.RowSecurity = rel.rowSecurity
			rel.table.UserCode = rel.userCode
			rel.table.Ruled = rel.ruled
		}
	}
	return l.loadUsageRoles()
}

// spread marks everything that can be reached from a marked relation.
func (l *loader) spread(mark func(*relation) *bool, next func(*relation) []*relation) {
	var marked []*relation
	for _, rel := range l.relations {
		if *mark(rel) {
			marked = append(marked, rel)
		}
	}
	for len(marked) > 0 {
		rel := marked[len(marked)-1]
		marked = marked[:len(marked)-1]
		for _, other := range next(rel) {
			if !*mark(other) {
				*mark(other) = true
				marked = append(marked, other)
			}
		}
	}
}

func (l *loader) loadUsageRoles() error {
	named := slices.Sorted(maps.Keys(l.schemas))
	// From 16 on, membership in a role and the right to SET ROLE are separate.
	privilege := "MEMBER"
	if l.cat.Version.Num >= 160000 {
		privilege = "SET"
	}
	return l.each("usage_roles", []string{textArray(named), privilege}, func(r row) {
		l.cat.UsageRoles[r.text(0)] = struct{}{}
	})
}
