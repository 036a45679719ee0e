package planner

import (
	"slices"
	"sync"
	"sync/atomic"

	"github.com/fastgrest/fastgrest/planner/catalog"
	"github.com/fastgrest/fastgrest/planner/fuzzy"
)

// This file makes the suggestions in error texts. It does not run for a request
// that can be planned.

// minNameScore is the minimum score of a table or function that is suggested to
// a client. It is high because the client may not be entitled to know the name.
const minNameScore = 0.75

// minEmbedScore is the minimum score of an embed or a list of parameters that
// is suggested. It is low because their names are visible in the catalog
// anyway.
const minEmbedScore = 0.33

// Bounds for tables with many relationships. An index of ten thousand related
// tables takes 0.1 s to build.
const (
	maxRelated  = 1024 // relationships that a suggestion considers
	manyRelated = 64   // relationships from which on the index is kept
	keptRelated = 32   // tables whose index is kept
)

// hints keeps the indexes of names for the life of the catalog. Building one
// takes milliseconds, too long for each 404.
type hints struct {
	sets    sync.Map // hintKey -> *fuzzy.Set
	related atomic.Int32
}

type hintKey struct {
	kind   uint8
	schema string
	parent string
}

const (
	hintTables uint8 = iota
	hintParents
	hintRoutines
	hintRelated
)

func (h *hints) set(key hintKey, build func() *fuzzy.Set) *fuzzy.Set {
	if s, ok := h.sets.Load(key); ok {
		return s.(*fuzzy.Set)
	}
	s := build()
	if key.kind == hintRelated && h.related.Add(1) > keptRelated {
		h.related.Add(-1)
		return s
	}
	kept, _ := h.sets.LoadOrStore(key, s)
	return kept.(*fuzzy.Set)
}

// suggestTable returns the name of a similar table of the schema, or "".
func (p *Planner) suggestTable(q catalog.QI) string {
	set := p.hints.set(hintKey{kind: hintTables, schema: q.Schema}, func() *fuzzy.Set { return fuzzy.New(p.cat.TableNames(q.Schema)) })
	name, _ := set.Best(q.Name, minNameScore)
	return name
}

// suggestRoutine returns the name of a similar function of the schema, or "".
func (p *Planner) suggestRoutine(q catalog.QI) string {
	set := p.hints.set(hintKey{kind: hintRoutines, schema: q.Schema}, func() *fuzzy.Set { return fuzzy.New(p.cat.RoutineNames(q.Schema)) })
	name, _ := set.Best(q.Name, minNameScore)
	return name
}

// suggestEmbed suggests another parent if the parent has no relationships, else
// another target. It returns a whole sentence. If both exist, it returns "":
// the hint in the request was wrong.
func (p *Planner) suggestEmbed(schema, parent, target string) string {
	rels, found := p.cat.Relationships[catalog.RelKey{Table: catalog.QI{Schema: schema, Name: parent}, Schema: schema}]
	if !found {
		set := p.hints.set(hintKey{kind: hintParents, schema: schema}, func() *fuzzy.Set { return fuzzy.New(p.cat.ParentNames(schema)) })
		if name, ok := set.Best(parent, minEmbedScore); ok {
			return "Perhaps you meant '" + name + "' instead of '" + parent + "'."
		}
		return ""
	}
	related := func() *fuzzy.Set {
		var names []string // PostgREST suggests the last of equally similar names
		for _, r := range slices.Backward(rels[:min(len(rels), maxRelated)]) {
			names = append(names, r.Foreign.Name)
		}
		return fuzzy.New(names)
	}
	var set *fuzzy.Set
	if len(rels) < manyRelated {
		set = related()
	} else {
		set = p.hints.set(hintKey{hintRelated, schema, parent}, related)
	}
	for _, m := range set.All(target, minEmbedScore) {
		if m.Score < 1 {
			return "Perhaps you meant '" + m.Name + "' instead of '" + target + "'."
		}
	}
	return ""
}
