package planner

import (
	"slices"
	"strings"

	"github.com/fastgrest/fastgrest/parser/header"
	"github.com/fastgrest/fastgrest/planner/catalog"
	"github.com/fastgrest/fastgrest/planner/tree"
)

// isBulk reports whether each object of the payload is the update of a row.
func (r *Request) isBulk() bool {
	return r.Action == Update && r.Prefer.Params == header.MultipleObjects
}

// bulk makes an update join the payload by its key, which is then not set.
func (r *resolver) bulk(w *tree.Write, req *Request, table *catalog.Table) error {
	key, err := r.bulkKey(table)
	if err != nil {
		return err
	}
	if len(w.Columns) == 0 && !r.query.HasColumns {
		return nil // a body without objects, or with empty ones, sets nothing
	}
	for _, name := range key {
		column := table.Column(name)
		if column == nil {
			return &Error{Kind: ColumnNotFound, Parent: table.Name, Name: name}
		}
		i := slices.IndexFunc(w.Columns, func(c tree.WriteColumn) bool { return c.Name == name })
		switch {
		case i >= 0:
			w.Join = append(w.Join, w.Columns[i])
			w.Columns = slices.Delete(w.Columns, i, i+1)
		case r.query.HasColumns:
			w.Join = append(w.Join, r.payloadColumn(column, name))
		default:
			return &Error{Kind: BulkKeyMissing, Arguments: key}
		}
		w.Join[len(w.Join)-1].Default = tree.Opt{} // the default of a key is not the key of a row
	}
	w.Keep = r.query.HasColumns && req.ContentType.Kind == header.JSON && req.Prefer.Missing == header.MissingNone
	return nil
}

// bulkKey returns the columns that the payload of a bulk update is joined on.
func (r *resolver) bulkKey(table *catalog.Table) ([]string, error) {
	q := r.query
	switch {
	case q.OnConflictNamed:
		u, err := namedUnique(table, string(q.OnConflict[0]))
		if err != nil {
			return nil, err
		}
		if !u.OfColumns() {
			return nil, &Error{Kind: UniqueUnfit, Name: u.Name, Details: "A bulk update needs a unique constraint, or a unique index on columns without a condition."}
		}
		return u.Columns, nil
	case q.HasOnConflict:
		return sortedSet(texts(q.OnConflict)), nil
	case len(table.PrimaryKey) == 0:
		return nil, &Error{Kind: NoBulkKey, Name: table.Name}
	}
	return table.PrimaryKey, nil
}

// BulkKey describes the key of a bulk update for errors.
func (p *Plan) BulkKey() string {
	names := make([]string, len(p.write.Join))
	for i := range names {
		names[i] = p.write.Join[i].Name
	}
	return strings.Join(names, ", ")
}
