package planner_test

import (
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/fastgrest/fastgrest/pgwire"
	"github.com/fastgrest/fastgrest/pgwire/rowjson"
	"github.com/fastgrest/fastgrest/planner"
	"github.com/fastgrest/fastgrest/planner/catalog"
	"github.com/fastgrest/fastgrest/server/exec"
)

func init() {
	planner.Prepare = func(plan *planner.Plan, cat *catalog.Catalog, fields []pgconn.FieldDescription, aggregate bool) planner.TestForm {
		var described []pgwire.Field
		for _, f := range fields {
			described = append(described, pgwire.Field{Name: f.Name, Type: f.DataTypeOID})
		}
		form := exec.NewRunnable(plan).Prepare(cat, described, aggregate)
		return planner.TestForm{
			SQL: form.For(nil, true).Main.SQL(), Args: form.Args, Formats: form.Formats, Rows: form.Rows, Prefix: form.Prefix,
			Append: func(dst []byte, row [][]byte) ([]byte, bool) { return rowjson.AppendObject(dst, form.Columns, row) },
		}
	}
}
