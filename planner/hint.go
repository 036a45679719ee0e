package planner

import (
	"github.com/fastgrest/fastgrest/planner/catalog"
	"github.com/fastgrest/fastgrest/planner/fuzzy"
)

// Suggestions are for error texts only; nothing here runs for a request that
// can be planned.

// minNameScore is how alike a table's or function's name must be to be named
// to a client that mistyped it. It is high because the client may not be
// entitled to know the name.
const minNameScore = 0.75

// maxTablesForHints bounds the tables of a schema among which is searched.
const maxTablesForHints = 500

// minEmbedScore is how alike an embed must be: its name shows in the catalog anyway.
const minEmbedScore = 0.33

// suggestTable returns the table of the schema that was perhaps meant, or "".
func suggestTable(cat *catalog.Catalog, q catalog.QI) string {
	names := cat.TableNames(q.Schema)
	if len(names) >= maxTablesForHints {
		return ""
	}
	name, _ := fuzzy.New(names).Best(q.Name, minNameScore)
	return name
}

// suggestEmbed proposes another parent if the parent has no relationships at
// all, else another target. It proposes nothing if both exist: then the hint
// in the request was wrong.
func suggestEmbed(cat *catalog.Catalog, schema, parent, target string) string {
	rels, found := cat.Relationships[catalog.RelKey{Table: catalog.QI{Schema: schema, Name: parent}, Schema: schema}]
	if !found {
		if name, ok := fuzzy.New(cat.ParentNames(schema)).Best(parent, minEmbedScore); ok {
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
