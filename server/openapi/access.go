package openapi

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"strconv"

	"github.com/fastgrest/fastgrest/planner/catalog"
)

// Access is what the database says about a schema and about a role's privileges
// in it. It keeps the rows as they came, because usually only their hash is
// needed: the document for them has already been rendered.
type Access struct {
	Everything bool // ignore privileges: Relation and Routine rows are not needed
	rows       []byte
}

// Kind is the statement that a row comes from.
type Kind byte

const (
	Comment  Kind = 'c' // sqlgen.SchemaComment
	Relation Kind = 'r' // sqlgen.AccessibleRelations
	Routine  Kind = 'f' // sqlgen.AccessibleRoutines
)

// columns is the number of columns per kind of row.
var columns = map[Kind]int{Comment: 1, Relation: 1, Routine: 7}

// Add adds one row; nil is NULL. It reports whether the row has the number of
// columns of its kind.
func (a *Access) Add(kind Kind, values [][]byte) bool {
	if len(values) != columns[kind] {
		return false
	}
	a.rows = append(a.rows, byte(kind))
	for _, v := range values {
		if v == nil {
			a.rows = binary.AppendUvarint(a.rows, 0)
			continue
		}
		a.rows = binary.AppendUvarint(a.rows, uint64(len(v))+1)
		a.rows = append(a.rows, v...)
	}
	return true
}

// Reset removes all rows.
func (a *Access) Reset() { a.rows = a.rows[:0] }

// Key identifies a document within one snapshot of configuration and catalog.
type Key struct {
	Schema string
	Sum    [sha256.Size]byte
}

// Key returns the same key for all roles with the same privileges.
func (a *Access) Key(schema string) Key { return Key{schema, sha256.Sum256(a.rows)} }

// Document returns the content of the document for a schema. It borrows from a
// and cat.
func (a *Access) Document(schema string, cat *catalog.Catalog, s Settings) *Document {
	d := &Document{Settings: s, Catalog: cat}
	for rows := a.rows; len(rows) > 0; {
		var row [7]cell
		kind := Kind(rows[0])
		rows = cut(rows[1:], row[:columns[kind]])
		switch kind {
		case Comment:
			d.Comment, d.HasComment = row[0].text(), !row[0].null
		case Relation:
			if t := cat.Table(schema, row[0].text()); t != nil {
				d.Tables = append(d.Tables, t)
			}
		case Routine:
			d.Routines = append(d.Routines, routine(schema, &row))
		}
	}
	if a.Everything {
		for qi, t := range cat.Tables {
			if qi.Schema == schema {
				d.Tables = append(d.Tables, t)
			}
		}
		for qi, overloads := range cat.Routines {
			if qi.Schema == schema {
				d.Routines = append(d.Routines, overloads...)
			}
		}
	}
	return d
}

// cell is one column of a row. Its bytes are borrowed.
type cell struct {
	value []byte
	null  bool
}

// cut reads the cells of one row and returns the remaining rows.
func cut(rows []byte, row []cell) []byte {
	for i := range row {
		size, n := binary.Uvarint(rows)
		rows = rows[n:]
		if size == 0 {
			row[i].null = true
			continue
		}
		row[i].value, rows = rows[:size-1], rows[size-1:]
	}
	return rows
}

func (c *cell) text() string { return string(c.value) }

// list reads a JSON array of texts.
func (c *cell) list() (texts []string) {
	if !c.null && json.Unmarshal(c.value, &texts) != nil {
		return nil
	}
	return texts
}

// routine reads a row of sqlgen.AccessibleRoutines, as far as documents need
// it.
func routine(schema string, row *[7]cell) *catalog.Routine {
	defaults, _ := strconv.Atoi(row[6].text())
	return &catalog.Routine{
		QI:             catalog.QI{Schema: schema, Name: row[0].text()},
		Description:    row[1].text(),
		HasDescription: !row[1].null,
		Volatility:     catalog.ParseVolatility(row[2].text()),
		Params:         catalog.Params(row[3].list(), row[4].list(), row[5].list(), defaults),
	}
}
