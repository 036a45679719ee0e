package planner

import (
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/fastgrest/fastgrest/planner/catalog"
	"github.com/fastgrest/fastgrest/planner/sqlgen"
)

// TestForm is the form in which a plan runs. Package exec makes it. Because
// exec imports this package, prepare_test.go sets Prepare.
type TestForm struct {
	SQL     string
	Args    []sqlgen.Arg
	Formats []int16
	Rows    bool
	Prefix  int // columns before the page's own
	// Append appends a row of the page as JSON.
	Append func(dst []byte, row [][]byte) ([]byte, bool)
}

// Prepare makes the form of a plan whose main statement has these columns.
var Prepare func(plan *Plan, cat *catalog.Catalog, fields []pgconn.FieldDescription, aggregate bool) TestForm
