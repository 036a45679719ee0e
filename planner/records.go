package planner

import (
	"cmp"
	"slices"
	"strings"

	"github.com/fastgrest/fastgrest/parser"
	"github.com/fastgrest/fastgrest/planner/catalog"
	"github.com/fastgrest/fastgrest/planner/sqlgen"
	"github.com/fastgrest/fastgrest/planner/tree"
)

// recorder finds the embeds that can be returned as records.
type recorder struct {
	tables  map[catalog.QI]*catalog.Table
	notISO  bool // timestamps may be printed in another style than ISO
	records sqlgen.Records
}

// add works from the outside in: an embed inside one that is returned as JSON
// is JSON, too.
func (r *recorder) add(n *tree.Node) {
	for i := range n.Embeds {
		e := &n.Embeds[i]
		if !sqlgen.InSelect(n, e) || len(e.Name) > sqlgen.MaxIdentifier {
			continue
		}
		if record, ok := r.record(e.Node); ok {
			r.records[e] = record
			r.add(e.Node)
		}
	}
}

// record describes the rows of a node. ok is false if the columns are unknown,
// or if two of them have one name.
func (r *recorder) record(n *tree.Node) (record sqlgen.Record, ok bool) {
	table := r.tables[n.From]
	if table == nil || aggregates(n) || len(n.Extra) > 0 {
		return record, false
	}
	add := func(name string, c *catalog.Column) {
		f := sqlgen.RecordField{Name: name, Form: sqlgen.RecordJSON}
		if c != nil {
			f.Type, f.Form = c.OID, r.form(c.OID)
		}
		record.Fields = append(record.Fields, f)
	}
	if n.SelectsStar() {
		record.Star = true
		for _, c := range table.Columns {
			add(c.Name, c)
		}
	}
	stars := 0
	for i := range n.Select {
		s := &n.Select[i]
		column := table.Column(s.Field.Name)
		if len(s.Field.Path) > 0 || s.Cast.Given || s.Field.Transform != "" {
			column = nil // it is computed
		}
		if s.Field.Name != "*" {
			add(s.Alias.Or(s.Field.Name), column)
		} else if stars++; stars > 1 || s.Alias.Given || s.Cast.Given {
			return record, false
		}
	}
	for i := range n.Embeds {
		switch e := &n.Embeds[i]; {
		case e.Kind == tree.EmbedSpread:
			for _, f := range e.Fields {
				add(f.Alias.Or(f.Name), nil)
			}
		case !e.Empty:
			record.Fields = append(record.Fields, sqlgen.RecordField{Name: e.Name, Of: e})
		}
	}
	slices.SortFunc(record.Fields, func(a, b sqlgen.RecordField) int {
		return cmp.Or(len(a.Name)-len(b.Name), strings.Compare(a.Name, b.Name)) // the order of members in jsonb
	})
	for i := range record.Fields {
		// PostgreSQL cuts long names.
		if name := record.Fields[i].Name; len(name) > sqlgen.MaxIdentifier || name == "*" || i > 0 && name == record.Fields[i-1].Name {
			return record, false
		}
	}
	return record, len(record.Fields) > 0 && len(record.Fields) <= maxTargets
}

func aggregates(n *tree.Node) bool {
	return slices.ContainsFunc(n.Select, func(s tree.SelectField) bool { return s.Agg != parser.AggNone })
}

// form says how a column of a type is written in a record.
func (r *recorder) form(oid uint32) sqlgen.RecordForm {
	rangeType, known := sqlgen.RecordTypes[oid]
	switch {
	case !known, oid == sqlgen.TimestampTZ && r.notISO:
		return sqlgen.RecordJSON
	case rangeType != "":
		return sqlgen.RecordText
	}
	return sqlgen.RecordPlain
}
