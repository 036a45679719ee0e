package server

import (
	"errors"
	"testing"

	"github.com/fastgrest/fastgrest/pgwire"
	"github.com/fastgrest/fastgrest/planner/catalog"
	"github.com/fastgrest/fastgrest/server/oplog"
)

// TestFatalReason: fatal errors are recognized by SQLSTATE. An error that user code
// raises never ends the process.
func TestFatalReason(t *testing.T) {
	connecting := func(code string) error {
		return &pgwire.ConnError{Kind: pgwire.CannotConnect, Err: &pgwire.Error{Code: code, Message: "Fehler"}}
	}
	query := func(e pgwire.Error) error { return &catalog.Error{Query: "keys", Err: &e} }
	const none = oplog.Fatal(255)
	for _, c := range []struct {
		name string
		err  error
		ours bool
		want oplog.Fatal
	}{
		{"wrong password", connecting("28P01"), false, oplog.FatalAuth},
		{"no such database", connecting("3D000"), false, none},
		{"a function raises 28P01", &pgwire.Error{Code: "28P01", Message: "password authentication failed"}, false, none},
		{"two clients of a pooler", &pgwire.Error{Code: "42P05", Routine: "StorePreparedStatement"}, false, oplog.FatalTransactionPooler},
		{"a function prepares twice", &pgwire.Error{Code: "42P05", Routine: "StorePreparedStatement", Where: "PL/pgSQL function f()"}, false, none},
		{"a function raises 42P05", &pgwire.Error{Code: "42P05", Routine: "exec_stmt_raise"}, false, none},
		{"a pooler in statement mode", &pgwire.Error{Code: "08P01", Message: "transaction blocks not allowed in statement pooling mode"}, false, oplog.FatalStatementPooler},
		{"another violation", &pgwire.Error{Code: "08P01"}, false, none},
		{"our SQL", query(pgwire.Error{Code: "42601"}), true, oplog.FatalBug},
		{"SQL of a function", &pgwire.Error{Code: "42601"}, false, none},
		{"a row that makes no sense", &catalog.Error{Query: "keys", Err: errors.New("NULL")}, true, oplog.FatalBug},
		{"no schema", query(pgwire.Error{Code: "3F000"}), true, none},
		{"connection lost", &catalog.Error{Query: "keys", Err: &pgwire.ConnError{Kind: pgwire.Lost}}, true, none},
	} {
		got, fatal := fatalReason(c.err, c.ours)
		if !fatal {
			got = none
		}
		if got != c.want {
			t.Errorf("%s: %d, want %d", c.name, got, c.want)
		}
	}
}
