package planner

import (
	"bytes"
	"context"
	"encoding/json"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/fastgrest/fastgrest/planner/festival"
)

// TestFormsAgree: a page has the same rows in both forms. In one, the server
// encodes the rows, with embeds in the select list where possible. In the
// other, PostgreSQL makes the body, with all embeds joined. The requests are
// all reads of the corpus that have embeds, and trees of embeds with repeated
// names, long names and all columns.
func TestFormsAgree(t *testing.T) {
	cat := festival.Catalog(t)
	conn := festival.Connect(t)
	p := New(cat, defaults)
	asked := 0
	all := requests(t)
	for _, target := range []string{
		"/country?select=code,movie(title,title,screening(id))",
		"/country?select=code,movie(a:title,a:id,screening(id,ticket(*)))",
		"/country?select=*,movie(*,id,screening(*,ticket(*)),genre(*))",
		"/movie?select=id,screening(xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx:id,ticket(id))&order=title&limit=3",
		"/movie?select=id,screening(movie_screening_1:id,ticket(id)),genre()&order=title.desc&offset=1",
		"/movie?select=id,screening(id.count(),ticket!inner(id)),...country(name,movie(id))",
		"/movie?select=id,a:screening(id),b:screening(id)&a=not.is.null&b.limit=1&b.order=id",
		"/section?select=*,section(*,section(*,parent(*)))",
	} {
		q := &query{}
		if err := q.read("GET", target, nil, ""); err != nil {
			t.Fatal(err)
		}
		all = append(all, q)
		if plan, err := q.plan(p); err != nil {
			t.Errorf("%s: %v", target, err)
		} else if _, err := conn.Prepare(context.Background(), "", plan.Main.SQL, nil); err != nil {
			t.Errorf("%s: %v", target, err)
		}
	}
	for _, q := range all {
		plan, err := q.plan(p)
		if err != nil || q.Action != Read || !plan.Rows || plan.Singular || len(plan.root.Embeds) == 0 {
			continue
		}
		if _, err := conn.Prepare(context.Background(), "", plan.Main.SQL, nil); err != nil {
			continue // the request has a mistake
		}
		rows, ok := compactBody(t, conn, p, plan, q, false)
		if !ok {
			continue // PostgreSQL finds a mistake when it runs the statement
		}
		if value, _ := compactBody(t, conn, p, plan, q, true); rows != value {
			t.Errorf("%s?%s:\n%s\n%s\n%s", q.Target, q.raw, rows, value, plan.Main.SQL)
		}
		asked++
	}
	if asked < 250 {
		t.Errorf("only %d requests were compared", asked)
	}
}

// compactBody runs the plan in one of its forms. It returns the response
// without white space. Repeated names and the order of members stay.
func compactBody(t *testing.T, conn *pgconn.PgConn, p *Planner, plan *Plan, q *query, aggregate bool) (string, bool) {
	t.Helper()
	form := Prepare(plan, p.Catalog(), festival.Fields(t, conn, plan.Main.SQL), aggregate)
	if result := conn.ExecParams(context.Background(), form.SQL, q.args(form.Args), nil, nil, form.Formats).Read(); result.Err != nil {
		return result.Err.Error(), false
	}
	text, _ := runForm(t, conn, plan, form, q)
	var out bytes.Buffer
	if err := json.Compact(&out, text); err != nil {
		t.Fatal(err)
	}
	return out.String(), true
}
