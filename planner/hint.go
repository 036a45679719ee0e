package planner

import (
	"sync"

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

// hints keeps the indexes of names for as long as the catalog lives: building
// one takes milliseconds, which nobody should be able to spend with each 404.
type hints struct{ sets sync.Map } // hintKey -> *fuzzy.Set

type hintKey struct {
	kind   uint8
	schema string
}

const (
	hintTables uint8 = iota
	hintParents
	hintRoutines
)

func (h *hints) set(kind uint8, schema string, build func() *fuzzy.Set) *fuzzy.Set {
	key := hintKey{kind, schema}
	if s, ok := h.sets.Load(key); ok {
		return s.(*fuzzy.Set)
	}
	s, _ := h.sets.LoadOrStore(key, build())
	return s.(*fuzzy.Set)
}

// suggestTable returns the table of the schema that was perhaps meant, or "".
func (p *Planner) suggestTable(q catalog.QI) string {
	set := p.hints.set(hintTables, q.Schema, func() *fuzzy.Set { return fuzzy.NewTables(q.Schema, p.cat.TableNames(q.Schema)) })
	name, _ := set.Best(q.Name, minNameScore)
	return name
}

// suggestRoutine returns the function of the schema that was perhaps meant, or "".
func (p *Planner) suggestRoutine(q catalog.QI) string {
	set := p.hints.set(hintRoutines, q.Schema, func() *fuzzy.Set { return fuzzy.NewRoutines(q.Schema, p.cat.RoutineNames(q.Schema)) })
	name, _ := set.Best(q.Name, minNameScore)
	return name
}

// suggestEmbed proposes another parent if the parent has no relationships at
// all, else another target. It proposes nothing if both exist: then the hint
// in the request was wrong.
func (p *Planner) suggestEmbed(schema, parent, target string) string {
	rels, found := p.cat.Relationships[catalog.RelKey{Table: catalog.QI{Schema: schema, Name: parent}, Schema: schema}]
	if !found {
		set := p.hints.set(hintParents, schema, func() *fuzzy.Set { return fuzzy.NewParents(schema, p.cat.ParentNames(schema)) })
		if name, ok := set.Best(parent, minEmbedScore); ok {
			return "Perhaps you meant '" + name + "' instead of '" + parent + "'."
		}
		return ""
	}
	var names []string
	for _, r := range rels {
		names = append(names, r.Foreign.Name)
	}
	for _, m := range fuzzy.New(names).All(target, minEmbedScore) {
		if m.Score < 1 {
			return "Perhaps you meant '" + m.Name + "' instead of '" + target + "'."
		}
	}
	return ""
}
