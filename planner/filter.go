package planner

import (
	"github.com/fastgrest/fastgrest/parser"
	"github.com/fastgrest/fastgrest/planner/catalog"
	"github.com/fastgrest/fastgrest/planner/tree"
)

// field copies a parsed field out of the request's buffers.
func (r *resolver) field(f parser.Field) tree.Field {
	out := tree.Field{Name: string(f.Name)}
	for _, step := range r.query.JSON(f.Path) {
		out.Path = append(out.Path, tree.JSONStep{Text: step.Text, Index: step.Index, Key: string(step.Key)})
	}
	return out
}

// typed sets the type of the field from its relation. An unknown field is left
// to PostgreSQL: it may be a computed field, or else PostgreSQL reports the
// best error.
func (r *resolver) typed(relation catalog.QI, f tree.Field) tree.Field {
	known := false // the type is known, and is not tsvector
	if t := r.cat.Tables[relation]; t != nil {
		if c := t.Column(f.Name); c != nil {
			f.Type, known = c.NominalType, c.Type != "tsvector"
		}
	}
	f.TSVector = f.TSVector && known
	// A json or jsonb column keeps its own operators, so that indexes on them
	// apply. Any other type is converted before a path is applied.
	f.ToJSON = f.Type != "json" && f.Type != "jsonb"
	return f
}

// outputField resolves a selected field. A domain with a representation is
// converted by it.
func (r *resolver) outputField(relation catalog.QI, f tree.Field) tree.Field {
	return r.represented(r.typed(relation, f), "json")
}

func (r *resolver) represented(f tree.Field, target string) tree.Field {
	if rep := r.cat.Representation(f.Type, target); rep != nil {
		f.Transform = rep.Function
	}
	return f
}

// filter resolves one condition. The operand for a domain with a representation
// is converted by it.
func (r *resolver) filter(relation catalog.QI, f *parser.Filter) tree.Cond {
	c := tree.Cond{Negate: f.Negate, Op: f.Op, Quant: f.Quant, Is: f.Is, Lang: opt(f.Lang, f.HasLang), Slot: f.Slot}
	field := r.field(f.Field)
	switch f.Op {
	case parser.OpFts, parser.OpPlfts, parser.OpPhfts, parser.OpWfts:
		field.TSVector, field.Lang = true, c.Lang
	}
	c.Field = r.typed(relation, field)
	if rep := r.cat.Representation("text", c.Field.Type); rep != nil {
		c.Field.Transform = rep.Function
	}
	return c
}

// logic resolves an and/or tree.
func (r *resolver) logic(relation catalog.QI, node int32) tree.Cond {
	l := &r.query.Logic[node]
	if l.Leaf {
		return r.filter(relation, &r.query.Filters[l.Filter])
	}
	c := tree.Cond{Kind: tree.CondLogic, Negate: l.Negate, Or: l.Or}
	for i := l.First; i >= 0; i = r.query.Logic[i].Next {
		c.Children = append(c.Children, r.logic(relation, i))
	}
	return c
}

// nullEmbeds turns filters such as clients=is.null, where clients is an embed,
// into filters on the presence of the embed.
func nullEmbeds(n *tree.Node) {
	for i := range n.Where {
		nullEmbed(n, &n.Where[i])
	}
	for _, c := range n.Children {
		nullEmbeds(c)
	}
}

func nullEmbed(n *tree.Node, c *tree.Cond) {
	if c.Kind == tree.CondLogic {
		for i := range c.Children {
			nullEmbed(n, &c.Children[i])
		}
		return
	}
	if c.Op != parser.OpIs || c.Is != parser.IsNull || len(c.Field.Path) > 0 {
		return
	}
	if i := findEmbed(n.Children, c.Field.Name, false); i >= 0 {
		*c = tree.Cond{Kind: tree.CondNullEmbed, Negate: c.Negate, Embed: n.Children[i].AggAlias, ToMany: !n.Children[i].Rel.IsToOne()}
	}
}
