package planner

import (
	"slices"
	"sync"
	"sync/atomic"

	"github.com/fastgrest/fastgrest/planner/catalog"
	"github.com/fastgrest/fastgrest/planner/fuzzy"
)

// Suggestions are for error texts only; nothing here runs for a request that
// can be planned.

// minNameScore is how alike a table's or function's name must be to be named
// to a client that mistyped it. It is high because the client may not be
// entitled to know the name.
const minNameScore = 0.75

// minEmbedScore is how alike an embed must be: its name shows in the catalog anyway.
const minEmbedScore = 0.33

// A table may be related to ten thousand others, of which an index takes 0.1 s
// to make.
const (
	maxRelated  = 1024 // how many are looked at for a hint
	manyRelated = 64   // from which on the index is worth keeping,
	keptRelated = 32   // for as many tables as this
)

// hints keeps the indexes of names for as long as the catalog lives: building
// one takes milliseconds, which nobody should be able to spend with each 404.
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

// suggestTable returns the table of the schema that was perhaps meant, or "".
func (p *Planner) suggestTable(q catalog.QI) string {
	set := p.hints.set(hintKey{kind: hintTables, schema: q.Schema}, func() *fuzzy.Set { return fuzzy.New(p.cat.TableNames(q.Schema)) })
	name, _ := set.Best(q.Name, minNameScore)
	return name
}

// suggestRoutine returns the function of the schema that was perhaps meant, or "".
func (p *Planner) suggestRoutine(q catalog.QI) string {
	set := p.hints.set(hintKey{kind: hintRoutines, schema: q.Schema}, func() *fuzzy.Set { return fuzzy.New(p.cat.RoutineNames(q.Schema)) })
	name, _ := set.Best(q.Name, minNameScore)
	return name
}

// suggestEmbed proposes another parent if the parent has no relationships at
// all, else another target. It proposes nothing if both exist: then the hint
// in the request was wrong.
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
		var names []string // of equally likely ones PostgREST suggests the last
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
