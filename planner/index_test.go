package planner

import (
	"context"
	"strings"
	"testing"
)

// TestIndexes: PostgreSQL uses an index for distinct columns and for the filters of
// groups where there is one.
func TestIndexes(t *testing.T) {
	cat, conn := groupDatabase(t, `create schema api; create schema extras;
		create table api.pay (id int primary key, city int, grade int, salary int);
		insert into api.pay select i, i % 500, i % 20, i * 7919 % 10000 from generate_series(1, 20000) i;
		create index pay_city_salary on api.pay (city, salary); create index pay_grade on api.pay (grade)`, "vacuum analyze api.pay")
	p := New(cat, defaults)
	f := func(query, index string) {
		t.Helper()
		q := newQuery(t, "GET", "/pay?"+query, nil, "")
		plan, err := q.plan(p)
		if err != nil {
			t.Fatal(err)
		}
		result := conn.ExecParams(context.Background(), "explain (costs off) "+plan.Main.SQL, q.args(plan.Main.Args), nil, nil, nil).Read()
		if result.Err != nil {
			t.Fatal(result.Err)
		}
		var lines []string
		for _, r := range result.Rows {
			lines = append(lines, string(r[0]))
		}
		if text := strings.Join(lines, "\n"); !strings.Contains(text, index) {
			t.Errorf("%s: no index\n%s", query, text)
		}
	}
	f("select=city,salary&distinct=city&order=city,salary&limit=10", "pay_city_salary")
	f("select=city,best:salary.max()&best=gt.9000&city=eq.7", "pay_city_salary")
	f("select=city,n:count()&n=gt.1&grade=eq.3&order=n.desc", "pay_grade")
	f("select=city,n:count(),low:count()&low.salary=lt.10&grade=eq.3", "pay_grade")
	f("select=city&distinct=true&city=eq.3", "pay_city_salary")
}
