package pgwire_test

import (
	"testing"

	"github.com/fastgrest/fastgrest/pgwire"
)

func TestFlight(t *testing.T) {
	c := connect(t)
	exec(t, c, "create role someone; create table t(a int, b text); grant all on t to someone; insert into t values (1, 'x'), (2, null)")
	set := pgwire.NewStmt("select set_config('role', $1, true), set_config('app.x', $2, true)")
	get := pgwire.NewStmt("select a, b, current_user, current_setting('app.x') from t where a >= $1::int order by a")
	var f pgwire.Flight
	var s, g log
	run := func() error {
		f.Reset()
		f.Add(set, &s)
		f.Arg([]byte("someone"))
		f.Arg([]byte("é"))
		f.Add(get, &g)
		f.Arg([]byte("1"))
		f.ResultFormats([]int16{1, 0, 0, 0})
		return c.Run(bg, &f)
	}
	for i := range 3 {
		if err := run(); err != nil {
			t.Fatal(err)
		}
		wantS, wantG := "row \"someone\" \"é\"\ncomplete SELECT 1", "row \"\\x00\\x00\\x00\\x01\" \"x\" \"someone\" \"é\"\nrow \"\\x00\\x00\\x00\\x02\" NULL \"someone\" \"é\"\ncomplete SELECT 2"
		if i == 0 {
			wantS = "fields set_config:25/0 set_config:25/0\n" + wantS
			wantG = "fields a:23/1 b:25/0 current_user:19/0 current_setting:25/0\n" + wantG
		}
		if got := s.take(); got != wantS {
			t.Errorf("run %d, settings:\n%s\nwant\n%s", i, got, wantS)
		}
		if got := g.take(); got != wantG {
			t.Errorf("run %d, rows:\n%s\nwant\n%s", i, got, wantG)
		}
	}
	// The settings have ended with the transaction.
	var l log
	f.Reset()
	f.Add(pgwire.NewStmt("select current_user, current_setting('app.x', true)"), &l)
	if err := c.Run(bg, &f); err != nil {
		t.Fatal(err)
	}
	if got, want := l.take(), "fields current_user:19/0 current_setting:25/0\nrow \"postgres\" \"\"\ncomplete SELECT 1"; got != want {
		t.Errorf("after: %s", got)
	}
}

func TestQuery(t *testing.T) {
	c := connect(t)
	var got []string
	err := c.Query(bg, "select n, $1::text from generate_series(1, 3) n", []string{"a'b"}, func(cols [][]byte) error {
		got = append(got, string(cols[0])+string(cols[1]))
		return nil
	})
	if err != nil || len(got) != 3 || got[2] != "3a'b" {
		t.Errorf("%v %v", got, err)
	}
}
