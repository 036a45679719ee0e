package main

import (
	"bytes"
	"strings"
	"testing"

	"github.com/fastgrest/fastgrest/pgwire/pgtest"
)

// TestCheckDemo: the database of the demo has no errors.
func TestCheckDemo(t *testing.T) {
	c := pgtest.StartOwn(t)
	db := c.NewDB(t)
	scripts, _, err := demoScripts()
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range scripts {
		c.Exec(t, db, s.sql)
	}
	var out, errs bytes.Buffer
	args := []string{"check", "--db-uri", c.URI(db, "authenticator"), "--db-schemas", "bookshop,reports", "--db-anon-role", "anon", "--jwt-secret", "f1ZcQ0d8S2mVtYxW7KpR5sRj2hLd7gAe9u"}
	if code := run(t.Context(), args, nil, &out, &errs); code != 0 || errs.String() != "" || !strings.Contains(out.String(), "\n0 errors, ") {
		t.Errorf("exit code %d, %s%s", code, out.String(), errs.String())
	}
}

// TestCheckFails: the report says how many errors there are, once.
func TestCheckFails(t *testing.T) {
	var out, errs bytes.Buffer
	code := run(t.Context(), []string{"check", "--db-uri", "postgresql://127.0.0.1:1/x", "--db-anon-role", "anon"}, nil, &out, &errs)
	if code != 1 || errs.String() != "" || strings.Count(out.String(), "1 error, ") != 1 {
		t.Errorf("exit code %d, output\n%s\nerrors\n%s", code, out.String(), errs.String())
	}
}
