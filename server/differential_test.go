package server

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/fastgrest/fastgrest/pgwire/pgtest"
)

var (
	differentialSeed     = flag.Uint64("differential.seed", 1, "seed of TestDifferential")
	differentialRequests = flag.Int("differential.requests", 200, "number of requests that TestDifferential makes")
)

const differentialSchema = `
	create schema api;
	grant usage on schema api to test_anon;
	alter default privileges in schema api grant all on tables to test_anon;
	create table api.dept (id int primary key, name text, city text);
	create table api.emp (id int primary key, dept_id int references api.dept, name text, grade int, pay numeric(8,2));
	insert into api.dept select i, 'd' || i, case when i % 3 > 0 then 'city ' || i % 3 end from generate_series(1, 6) i;
	insert into api.emp select i, case when i % 7 > 0 then 1 + i % 6 end, 'e' || i % 9, case when i % 5 > 0 then i % 4 end, i * 1.25 from generate_series(1, 40) i;`

// differential is a database that changes beside the requests of several clients.
type differential struct {
	*writer
	mu      sync.RWMutex // held for writing while columns change
	columns map[string][]string
	ended   atomic.Bool
	refused atomic.Int64 // requests that failed because their connection was ended

	restarts bool
	done     map[string]int // how often the database was disturbed
}

// TestDifferential compares the responses to random reads with those of straight SQL on one
// connection, without any cache. Several clients send them while columns come and go, the
// schema cache is reloaded and connections are ended. With 10,000 requests or more
// PostgreSQL is restarted, too.
func TestDifferential(t *testing.T) {
	flags := map[string]string{login: "test_login", direct: "yes", "db-pool": "3"}
	restarts := *differentialRequests >= 10_000
	if restarts {
		flags[own] = "yes"
	}
	d := &differential{
		writer: startWriter(t, differentialSchema, flags), restarts: restarts, done: map[string]int{},
		columns: map[string][]string{"dept": {"id", "name", "city"}, "emp": {"id", "dept_id", "name", "grade", "pay"}},
	}
	var disturb, clients sync.WaitGroup
	disturb.Go(func() { d.disturb(t) })
	const workers = 4
	for n := range workers {
		clients.Go(func() {
			var db *pgconn.PgConn
			defer func() {
				if db != nil {
					_ = db.Close(context.Background())
				}
			}()
			again := false
			for i := n; i < *differentialRequests && !t.Failed(); i += workers {
				r := rand.New(rand.NewPCG(*differentialSeed, uint64(i)))
				d.mu.RLock()
				target, sql := d.draw(r)
				got, want := d.ask("GET", target, ""), d.straight(&db, sql)
				d.mu.RUnlock()
				switch {
				case got.status == 503 || got.code == "57P01":
					if !again && int(d.refused.Add(1)) > *differentialRequests/4 {
						t.Error("too many requests are refused")
					}
					time.Sleep(20 * time.Millisecond)
					again = true
					i -= workers
					continue
				case got.status != 200 || normalJSON(got.body) != normalJSON(want):
					t.Errorf("request %d, %s: %v\nwant %s\n%s", i, target, got, want, sql)
				}
				again = false
			}
		})
	}
	clients.Wait()
	d.ended.Store(true)
	disturb.Wait()
	t.Logf("%d requests, %d more refused, %v", *differentialRequests, d.refused.Load(), d.done)
}

// straight runs SQL on a connection that it makes anew if it is lost.
func (d *differential) straight(db **pgconn.PgConn, sql string) (value string) {
	ctx := context.Background()
	var err error
	for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		if *db == nil || (*db).IsClosed() {
			if *db, err = pgconn.Connect(ctx, d.uri); err != nil {
				continue
			}
		}
		err = pgtest.Querier(*db)(ctx, sql, nil, func(row [][]byte) error { value = string(row[0]); return nil })
		if err == nil || !(*db).IsClosed() {
			break
		}
	}
	if err != nil {
		d.tb.Errorf("%s: %v", sql, err)
	}
	return value
}

// disturb changes columns, reloads the schema cache, ends connections and restarts the server
// process.
func (d *differential) disturb(t *testing.T) {
	r := rand.New(rand.NewPCG(*differentialSeed, 1<<60))
	db := d.connect()
	for n := 0; !d.ended.Load(); n++ {
		db.Value("select pg_sleep(0.03)")
		if d.restarts && r.IntN(10) == 0 {
			d.done["restarts"]++
			d.cluster.Halt(t, syscall.SIGINT)
			d.cluster.Resume(t)
			db = d.connect()
		}
		switch r.IntN(3) {
		case 0:
			d.done["changes of columns"]++
			table := []string{"dept", "emp"}[r.IntN(2)]
			d.mu.Lock()
			columns := d.columns[table]
			if last := columns[len(columns)-1]; strings.HasPrefix(last, "x") {
				db.Value("alter table api." + table + " drop column " + last)
				d.columns[table] = columns[:len(columns)-1]
			} else {
				name := fmt.Sprintf("x%d", n)
				db.Value("alter table api." + table + " add column " + name + " " + []string{"int default 7", "text default 'new'", "date default '2024-02-03'"}[r.IntN(3)])
				d.columns[table] = append(columns, name)
			}
			d.mu.Unlock()
			d.reload(t)
		case 1:
			d.done["reloads"]++
			d.reload(t)
		default:
			d.done["times that connections were ended"]++
			db.Value("select count(pg_terminate_backend(pid)) from pg_stat_activity where application_name like 'fastgrest%' and datname = current_database()")
		}
	}
}

// reload reads the schema cache. Requests go on meanwhile, with what the old one says.
func (d *differential) reload(t *testing.T) {
	for range 5 { // its connection may have been ended
		if d.loadCatalog(context.Background()) == nil {
			return
		}
	}
	t.Error("the schema cache cannot be reloaded")
}

// draw makes a request, and SQL for what it should return.
func (d *differential) draw(r *rand.Rand) (target, sql string) {
	table := []string{"dept", "emp"}[r.IntN(2)]
	var query, where, list []string
	shown := d.columns[table]
	if r.IntN(2) == 0 {
		shown = shown[:1+r.IntN(len(shown))]
		query = append(query, "select="+strings.Join(shown, ","))
	} else {
		query = append(query, "select=*")
	}
	for _, c := range shown {
		list = append(list, "t."+c)
	}
	if r.IntN(3) == 0 {
		if table == "emp" {
			query[0] += ",dept(id,name)"
			list = append(list, "(select row_to_json(e) from (select id, name from api.dept where id = t.dept_id) e) as dept")
		} else {
			query[0] += ",emp(id,name)"
			query = append(query, "emp.order=id")
			list = append(list, "(select coalesce(json_agg(e), '[]') from (select id, name from api.emp where dept_id = t.id order by id) e) as emp")
		}
	}
	for range r.IntN(3) {
		q, w := condition(r, table)
		query, where = append(query, q), append(where, w)
	}
	query = append(query, "order=id"+[]string{"", ".desc"}[r.IntN(2)])
	sql = "select " + strings.Join(list, ", ") + " from api." + table + " t"
	if len(where) > 0 {
		sql += " where " + strings.Join(where, " and ")
	}
	sql += " order by t.id"
	if strings.HasSuffix(query[len(query)-1], ".desc") {
		sql += " desc"
	}
	if r.IntN(3) == 0 {
		limit, offset := 1+r.IntN(8), r.IntN(8)
		query = append(query, fmt.Sprintf("limit=%d&offset=%d", limit, offset))
		sql += fmt.Sprintf(" limit %d offset %d", limit, offset)
	}
	return "/" + table + "?" + strings.Join(query, "&"), "select coalesce(json_agg(x), '[]') from (" + sql + ") x"
}

// condition makes a filter and its SQL.
func condition(r *rand.Rand, table string) (query, where string) {
	n := r.IntN(12)
	switch r.IntN(7) {
	case 0:
		return fmt.Sprintf("id=gt.%d", n), fmt.Sprintf("t.id > %d", n)
	case 1:
		return fmt.Sprintf("id=in.(%d,%d)", n, n+3), fmt.Sprintf("t.id in (%d, %d)", n, n+3)
	case 2:
		return fmt.Sprintf("name=like.*%d", n%9), fmt.Sprintf("t.name like '%%%d'", n%9)
	case 3:
		return fmt.Sprintf("or=(id.eq.%d,name.eq.e%d)", n, n%9), fmt.Sprintf("(t.id = %d or t.name = 'e%d')", n, n%9)
	case 4:
		return fmt.Sprintf("id=not.lt.%d", n), fmt.Sprintf("not t.id < %d", n)
	}
	if table == "dept" {
		return "city=eq." + url.QueryEscape(fmt.Sprintf("city %d", n%3)), fmt.Sprintf("t.city = 'city %d'", n%3)
	}
	return "grade=is.null", "t.grade is null"
}
