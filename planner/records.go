package planner

import (
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/fastgrest/fastgrest/parser"
	"github.com/fastgrest/fastgrest/pgwire"
	"github.com/fastgrest/fastgrest/pgwire/rowjson"
	"github.com/fastgrest/fastgrest/planner/catalog"
	"github.com/fastgrest/fastgrest/planner/sqlgen"
	"github.com/fastgrest/fastgrest/planner/tree"
)

// maxGuards is how many columns a statement may have for the sake of the names
// in its records; see sqlgen.Guard.
const maxGuards = 100

// addRecords marks, from n down, the embeds whose rows can come as records:
// arrays that nothing but the select list refers to, and all of whose members
// we can name.
func (r *resolver) addRecords(n *tree.Node, guards *int) {
	for i := range n.Embeds {
		e := &n.Embeds[i]
		if e.Kind != tree.EmbedArray || e.Empty || e.Node.Join == parser.JoinInner || mentions(n.Where, e.AggAlias) || e.Repeated {
			continue
		}
		r.addRecords(e.Node, guards)
		e.Record = r.record(e.Node, guards)
	}
}

// mentions reports whether conditions ask if an embed has rows.
func mentions(conds []tree.Cond, alias string) bool {
	return slices.ContainsFunc(conds, func(c tree.Cond) bool {
		return c.Kind == tree.CondNullEmbed && c.Embed == alias || mentions(c.Children, alias)
	})
}

// record describes the node's rows, nil if they cannot be told by position.
func (r *resolver) record(n *tree.Node, guards *int) *tree.Record {
	rec := &tree.Record{}
	table := r.cat.Tables[n.From]
	if table == nil {
		return nil
	}
	selected := n.Select
	if len(n.Select) == 0 && len(n.Children) == 0 {
		selected = []tree.SelectField{{Field: tree.Field{Name: "*"}}}
	}
	for i := range selected {
		s := &selected[i]
		switch {
		case s.Agg != parser.AggNone:
			return nil
		case s.Field.Name == "*":
			if s.Alias.Given || s.Cast.Given || len(s.Field.Path) > 0 || rec.StarNames != nil {
				return nil
			}
			rec.Star, rec.StarNames = n.From, make([]string, 0, len(table.Columns))
			for _, c := range table.Columns {
				rec.StarNames = append(rec.StarNames, c.Name)
				rec.Fields = append(rec.Fields, r.recordField(c.Name, c))
			}
		default:
			var column *catalog.Column
			if len(s.Field.Path) == 0 && !s.Cast.Given && s.Field.Transform == "" {
				column = table.Column(s.Field.Name)
			}
			rec.Fields = append(rec.Fields, r.recordField(s.Alias.Or(s.Field.Name), column))
		}
	}
	for i := range n.Embeds {
		switch e := &n.Embeds[i]; {
		case e.Kind == tree.EmbedSpread:
			for _, f := range e.Fields {
				rec.Fields = append(rec.Fields, r.recordField(f.Alias.Or(f.Name), nil))
			}
		case e.Empty:
		case e.Record != nil:
			rec.Fields = append(rec.Fields, tree.RecordField{Name: e.Name, Form: tree.RecordNested, OID: rowjson.RecordArray, Of: e.Record})
		default:
			rec.Fields = append(rec.Fields, tree.RecordField{Name: e.Name, Form: tree.RecordPlain, OID: rowjson.JSON})
		}
	}
	slices.SortFunc(rec.Fields, func(a, b tree.RecordField) int { return rowjson.CompareNames(a.Name, b.Name) })
	for i := range rec.Fields {
		if !tellable(rec.Fields[i].Name) || i > 0 && rec.Fields[i].Name == rec.Fields[i-1].Name {
			return nil
		}
	}
	if len(rec.Fields) == 0 || len(rec.Fields) > maxTargets || *guards+len(rec.StarNames) > maxGuards {
		return nil
	}
	*guards += len(rec.StarNames)
	return rec
}

// tellable reports whether PostgreSQL calls a column just so. It cuts long
// names, and has no column "*".
func tellable(name string) bool {
	return name != "" && name != "*" && len(name) <= maxIdentifier && utf8.ValidString(name) && !strings.Contains(name, "\x00")
}

// recordField says how a column is put into a record. Without the column, of
// what is computed, nothing is known.
func (r *resolver) recordField(name string, c *catalog.Column) tree.RecordField {
	if c != nil {
		if _, ok := rowjson.Field(c.OID); ok {
			return tree.RecordField{Name: name, Form: tree.RecordPlain, OID: c.OID}
		}
		if c.OID == rowjson.TimestampTZ && !r.opts.NotISO {
			return tree.RecordField{Name: name, Form: tree.RecordText, OID: rowjson.TextOID}
		}
	}
	return tree.RecordField{Name: name, Form: tree.RecordJSON, OID: rowjson.JSON}
}

// recordCodec reads such records.
func recordCodec(rec *tree.Record) rowjson.Codec {
	members := make([]rowjson.Member, len(rec.Fields))
	for i := range rec.Fields {
		f := &rec.Fields[i]
		m := rowjson.Member{Key: rowjson.AppendNormalKey(nil, f.Name), OID: f.OID}
		switch f.Form {
		case tree.RecordNested:
			m.Append = recordCodec(f.Of).Append
		case tree.RecordText:
			m.Append = rowjson.TimestampField()
		default:
			m.Append, _ = rowjson.Field(f.OID)
		}
		members[i] = m
	}
	return rowjson.RecordArrayCodec(members)
}

// recordOf is the record of which a column of the root's rows is an array.
func recordOf(root *tree.Node, name string) *tree.Record {
	for i := range root.Embeds {
		if e := &root.Embeds[i]; e.Name == name && e.Record != nil {
			return e.Record
		}
	}
	return nil
}

// guarded splits the fields of a statement into those of its page and those of
// its guards, and reports whether these are what they have to be.
func guarded(fields []pgwire.Field, guards []sqlgen.Guard) (page, rest []pgwire.Field, ok bool) {
	n := 0
	for _, g := range guards {
		n += len(g.Names)
	}
	if n > len(fields) {
		return fields, nil, false
	}
	page, rest = fields[:len(fields)-n], fields[len(fields)-n:]
	at := 0
	for _, g := range guards {
		for _, name := range g.Names {
			if rest[at].Name != name {
				return page, rest, false
			}
			at++
		}
	}
	return page, rest, true
}
