//go:build !race

package pgwire_test

import (
	"context"
	"testing"

	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/fastgrest/fastgrest/pgwire"
	"github.com/fastgrest/fastgrest/pgwire/pgtest"
)

// counter is a cheap Sink that reads every value.
type counter struct{ rows, bytes int }

func (c *counter) Fields([]pgproto3.FieldDescription) error { return nil }
func (c *counter) Complete([]byte)                          {}
func (c *counter) Row(values [][]byte) error {
	c.rows++
	for _, v := range values {
		c.bytes += len(v)
	}
	return nil
}

// request is a typical flight: settings, then rows.
type request struct {
	conn       *pgwire.Conn
	flight     pgwire.Flight
	set, get   *pgwire.Stmt
	none, rows counter
	args       [4][]byte
	formats    []int16
}

func newRequest(tb testing.TB, conn *pgwire.Conn, rows string) *request {
	exec(tb, conn, `drop table if exists bench; create table bench as
		select n as id, 'name ' || n as name, n * 1.5 as price, now() as at, n % 2 = 0 as even,
			md5(n::text) as a, md5((n + 1)::text) as b, n * 3 as c, n * 4::bigint as d, null::text as e
		from generate_series(1, 1000) n; alter table bench add primary key (id); analyze bench`)
	return &request{
		conn:    conn,
		set:     pgwire.NewStmt("select set_config('search_path', $1, true), set_config('role', $2, true), set_config('request.jwt.claims', $3, true), set_config('request.method', $4, true)"),
		get:     pgwire.NewStmt("select * from bench where id >= 1 limit " + rows),
		args:    [4][]byte{[]byte(`"public", "public"`), []byte("postgres"), []byte(`{"role":"postgres","exp":1234567890}`), []byte("GET")},
		formats: []int16{1},
	}
}

func (r *request) run(ctx context.Context) error {
	f := &r.flight
	f.Reset()
	f.Add(r.set, &r.none)
	for _, a := range r.args {
		f.Arg(a)
	}
	f.Add(r.get, &r.rows)
	f.ResultFormats(r.formats)
	return r.conn.Run(ctx, f)
}

func TestFlightAllocatesNothing(t *testing.T) {
	c := pgtest.Start(t)
	db := c.NewDB(t)
	for _, uri := range []string{c.URI(db, pgtest.Superuser), c.TCPURI(db, pgtest.Superuser)} {
		r := newRequest(t, dial(t, uri), "100")
		if n := testing.AllocsPerRun(200, func() {
			if err := r.run(bg); err != nil {
				t.Fatal(err)
			}
		}); n != 0 {
			t.Errorf("%s: %v allocations for a flight of two statements and 100 rows", uri, n)
		}
		if r.rows.rows != 201*100 {
			t.Errorf("%d rows", r.rows.rows)
		}
	}
}

// TestContextAllocations bounds the allocations for a context that can end.
func TestContextAllocations(t *testing.T) {
	r := newRequest(t, connect(t), "1")
	ctx, cancel := context.WithCancel(bg)
	defer cancel()
	if n := testing.AllocsPerRun(200, func() {
		if err := r.run(ctx); err != nil {
			t.Fatal(err)
		}
	}); n > 6 {
		t.Errorf("%v allocations", n)
	} else {
		t.Logf("%v allocations", n)
	}
}

func BenchmarkFlight(b *testing.B) {
	c := pgtest.Start(b)
	db := c.NewDB(b)
	for _, rows := range []string{"1", "100"} {
		for name, uri := range map[string]string{"unix": c.URI(db, pgtest.Superuser), "tcp": c.TCPURI(db, pgtest.Superuser)} {
			b.Run(rows+"rows/"+name, func(b *testing.B) {
				r := newRequest(b, dial(b, uri), rows)
				_ = r.run(bg)
				b.ReportAllocs()
				for b.Loop() {
					if err := r.run(bg); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
