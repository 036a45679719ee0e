package simtest

import (
	"encoding/json"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/fastgrest/fastgrest/planner"
	"github.com/fastgrest/fastgrest/planner/catalog"
	"github.com/fastgrest/fastgrest/planner/sqlgen"
	"github.com/fastgrest/fastgrest/server/exec"
)

// The schema has three tables and three functions:
//
//	reg    registers without row security; carol may not read them
//	slow   the same, and an operator locks it from time to time
//	own    rows with an owner; a policy shows each role its own
//	leave  leaves a setting, a lock and a temporary table in the session
//	strew  the same, and deallocates the prepared statements
//	look   returns what is visible of the session
//
// dave has no USAGE on the schema.

func newCatalog() *catalog.Catalog {
	c := &catalog.Catalog{
		Schemas: []string{"api"}, Tables: map[catalog.QI]*catalog.Table{}, Routines: map[catalog.QI][]*catalog.Routine{},
		UsageRoles: map[string]struct{}{"alice": {}, "bob": {}, "carol": {}},
	}
	for _, name := range []string{"reg", "slow", "own"} {
		t := &catalog.Table{QI: catalog.QI{Schema: "api", Name: name}, Insertable: true, Updatable: true, Deletable: true, PrimaryKey: []string{"id"}}
		t.RowSecurity, t.Observes, t.PlainWrite = name == "own", name == "own", name == "reg"
		t.Columns = append(t.Columns, &catalog.Column{Name: "id", Type: "bigint", NominalType: "bigint", OID: 20}, &catalog.Column{Name: "val", Type: "text", NominalType: "text", OID: 25})
		if name == "own" {
			t.Columns = append(t.Columns, &catalog.Column{Name: "owner", Type: "text", NominalType: "text", OID: 25})
		}
		c.Tables[t.QI] = t
	}
	for name, leaves := range map[string]catalog.Leftovers{"leave": catalog.SessionLeftovers, "strew": catalog.StatementLeftovers, "look": catalog.NoLeftovers} {
		q := catalog.QI{Schema: "api", Name: name}
		r := &catalog.Routine{QI: q, Params: []catalog.Param{{Name: "a", Type: "text", MaxType: "text", Required: true}}, Return: catalog.QI{Schema: "pg_catalog", Name: "text"}, Leftovers: leaves}
		if name == "look" {
			r.Volatility = catalog.Stable
		}
		c.Routines[q] = []*catalog.Routine{r}
	}
	return c
}

// operation is a kind of request.
type operation uint8

const (
	readReg operation = iota
	readSlow
	readOwn
	readOwnOne
	insert
	insertReturning
	update
	updateReturning
	updateOne // of one object: the commit is held until the row has been seen
	upsert
	remove
	leave
	strew
	look
	batch // several requests in one transaction
	operations
)

func (o operation) String() string {
	return [...]string{"read reg", "read slow", "read own", "read own row", "insert", "insert, returning", "update", "update, returning",
		"update one", "upsert", "delete", "leave", "strew", "look", "batch"}[o]
}

func (o operation) writes() bool { return o >= insert && o <= strew || o == batch }

// layout is how the rows of a statement come.
type layout uint8

const (
	asRows   layout = iota
	asTag           // no rows
	asValue         // one row with the body
	asMerged        // rows with the number of a request
)

// def is a statement of a request.
type def struct {
	op     operation
	layout layout
	params []uint32
	fields []field
	value  int // parameter of the filter, from 1; 0: none
	body   int // parameter of the payload
	arg    int // parameter of the argument

	tally bool // the number of rows is also in a setting
}

// registry has the statements of all requests by their SQL. The planner of the product prints
// them; what they mean is written here.
var registry = sync.OnceValue(func() map[string]*def {
	all := map[string]*def{}
	p := newPlanner()
	for op := range batch {
		kept, err := plan(p, &request{op: op, id: 1, value: "v"}, nil)
		if err != nil {
			panic(err)
		}
		l := asValue
		switch {
		case kept.Rows:
			l = asRows
		case kept.Tagged:
			l = asTag
		}
		define(all, op, &kept.Main, l)
		define(all, op, kept.Aggregated(), asValue)
		tallied := kept.Tallied()
		define(all, op, tallied, asValue)
		all[tallied.SQL].tally = true
		if m := kept.Merged(nil, nil, []string{"pg_catalog.int8"}); m != nil {
			define(all, op, m, asMerged)
		}
	}
	return all
})

func define(all map[string]*def, op operation, s *sqlgen.Statement, l layout) {
	d := &def{op: op, layout: l}
	for i, a := range s.Args {
		oid := uint32(25)
		switch a.Kind {
		case sqlgen.ArgValue:
			d.value, oid = i+1, 20
			if l == asMerged {
				oid = 1016
			}
		case sqlgen.ArgBody:
			d.body, oid = i+1, 114
		case sqlgen.ArgCall:
			d.arg = i + 1
		}
		d.params = append(d.params, oid)
	}
	columns := []field{{"id", 20, 1}, {"val", 25, 1}}
	switch {
	case op >= leave:
		columns = []field{{name: "pgrst_scalar", oid: 25}}
	case op == readOwn || op == readOwnOne || op == insertReturning:
		columns = append(columns, field{"owner", 25, 1})
	}
	switch l {
	case asRows:
		d.fields = columns
	case asMerged:
		d.fields = append([]field{{name: "number", oid: 20}}, columns...)
	case asValue:
		d.fields = []field{{name: "total", oid: 20}, {name: "page", oid: 20}, {name: "headers", oid: 25}, {name: "status", oid: 25}, {name: "body", oid: 114}}
	}
	all[s.SQL] = d
}

func newPlanner() *planner.Planner {
	return planner.New(newCatalog(), planner.Options{
		MaxRows: -1, Aggregates: true, LegacyTargetNames: true, CacheMaxEntries: 1000,
		NewState: func(p *planner.Plan) any { return exec.NewRunnable(p) },
	})
}

// mayUse checks what PostgreSQL checks when it parses a statement.
func (b *backend) mayUse(*def) error {
	if b.setting("role") == "dave" {
		return refused{code: "42501", text: "permission denied for schema api"}
	}
	return nil
}

// call runs the statement of a request. It returns the command tag.
func (b *backend) call(p *portal) (tag string, err error) {
	d, t := p.def, b.transaction()
	b.save()
	role := b.setting("role")
	b.checkSession(d.op, role)
	if d.op.writes() && b.readOnly() {
		return "", refused{code: "25006", text: "cannot execute in a read-only transaction"}
	}
	if (d.op == readReg || d.op == readSlow) && role == "carol" {
		return "", refused{code: "42501", text: "permission denied for table reg"}
	}
	if d.layout == asMerged {
		return b.merged(p, t)
	}
	var payload struct {
		ID  int64
		Val string
		A   string
	}
	if d.body > 0 {
		if err := json.Unmarshal([]byte(p.args[d.body-1]), &payload); err != nil {
			return "", refused{code: "22P02", text: err.Error()}
		}
	}
	var id int64
	if d.value > 0 {
		if id, err = strconv.ParseInt(p.args[d.value-1], 10, 64); err != nil {
			return "", refused{code: "22P02", text: err.Error()}
		}
	}
	var rows []*row
	visible := func(r *row) bool { return r != nil && r.owner == role }
	switch d.op {
	case readReg, readSlow:
		rows, err = b.readOne(t, p, key{tableOf(d.op), id})
	case readOwn:
		for _, r := range t.scan("own") {
			if visible(r) {
				rows = append(rows, r)
			}
		}
	case readOwnOne:
		if r := t.get(key{"own", id}); visible(r) {
			rows = append(rows, r)
		}
	case insert, insertReturning:
		rows, err = b.insertRow(t, &row{payload.ID, payload.Val, role})
	case upsert:
		k := key{"own", payload.ID}
		if err = b.lock(t, k); err != nil {
			break
		}
		r := t.get(k)
		if r != nil && !visible(r) {
			return "", refused{code: "42501", text: "new row violates row-level security policy"}
		}
		b.local["pgrst.inserted"] = map[bool]string{true: "1", false: "0"}[r == nil]
		r = &row{payload.ID, payload.Val, role}
		t.put(k, r)
		rows = append(rows, r)
	case update, updateReturning, updateOne:
		k := key{"reg", id}
		if err = b.lock(t, k); err != nil {
			break
		}
		if r := t.get(k); r != nil {
			r = &row{id, payload.Val, r.owner}
			t.put(k, r)
			rows = append(rows, r)
		}
	case remove:
		k := key{"own", id}
		if err = b.lock(t, k); err != nil {
			break
		}
		if r := t.get(k); visible(r) {
			t.put(k, nil)
			rows = append(rows, r)
		}
	default:
		return b.function(p, t, payload.A)
	}
	if err != nil {
		return "", err
	}
	return b.answer(p, rows), nil
}

func tableOf(o operation) string {
	if o == readSlow {
		return "slow"
	}
	return "reg"
}

// readOne reads a row of a table that may be locked.
func (b *backend) readOne(t *txn, p *portal, k key) ([]*row, error) {
	for began := time.Now(); ; {
		other := t.tableBlocker(k.table)
		if other == nil {
			break
		}
		if err := b.waitFor(other, began); err != nil {
			return nil, err
		}
	}
	if r := t.get(k); r != nil {
		return []*row{r}, nil
	}
	return nil, nil
}

// lock takes the lock on a row.
func (b *backend) lock(t *txn, k key) error {
	for began := time.Now(); ; {
		other, deadlock := t.blocker(k)
		switch {
		case deadlock:
			return refused{code: "40P01", text: "deadlock detected"}
		case other == nil:
			return nil
		}
		if err := b.waitFor(other, began); err != nil {
			return err
		}
	}
}

func (b *backend) insertRow(t *txn, r *row) ([]*row, error) {
	k := key{"own", r.id}
	if err := b.lock(t, k); err != nil {
		return nil, err
	}
	if t.get(k) != nil {
		return nil, refused{code: "23505", text: "duplicate key value violates unique constraint"}
	}
	t.put(k, r)
	return []*row{r}, nil
}

// function runs a function.
func (b *backend) function(p *portal, t *txn, a string) (tag string, err error) {
	if p.def.arg > 0 {
		a = p.args[p.def.arg-1]
	}
	result := a
	switch p.def.op {
	case leave, strew:
		b.settings["app.left"] = a
		b.locks = append(b.locks, a)
		b.temps = append(b.temps, a)
		t.put(key{"called", b.node.w.calls.Add(1)}, &row{val: a})
		if p.def.op == strew {
			clear(b.prepared)
		}
	case look:
		result = b.setting("role") + " " + b.subject() + " " + a
	}
	if p.def.layout == asValue {
		text, _ := json.Marshal(result)
		b.tally(p, "1")
		b.row(p, []any{nil, "1", nil, nil, string(text)})
	} else {
		b.row(p, []any{result})
	}
	return "SELECT 1", nil
}

// answer sends the rows in the layout of the statement.
func (b *backend) answer(p *portal, rows []*row) (tag string) {
	d := p.def
	count := strconv.Itoa(len(rows))
	switch d.layout {
	case asTag:
		switch d.op {
		case insert, upsert:
			return "INSERT 0 " + count
		case remove:
			return "DELETE " + count
		}
		return "UPDATE " + count
	case asValue:
		b.tally(p, count)
		b.row(p, []any{nil, count, nil, nil, jsonRows(d, rows)})
		return "SELECT 1"
	}
	for _, r := range rows {
		b.row(p, r.values(d))
	}
	return "SELECT " + count
}

func (b *backend) tally(p *portal, rows string) {
	if p.def.tally {
		b.local["pgrst.rows"] = rows
	}
}

func (r *row) values(d *def) []any {
	v := []any{r.id, r.val}
	if d.fields[len(d.fields)-1].name == "owner" {
		v = append(v, r.owner)
	}
	return v
}

func jsonRows(d *def, rows []*row) string {
	list := []map[string]any{}
	for _, r := range rows {
		m := map[string]any{"id": r.id, "val": r.val}
		if d.op == readOwn || d.op == readOwnOne || d.op == insertReturning {
			m["owner"] = r.owner
		}
		list = append(list, m)
	}
	text, _ := json.Marshal(list)
	return string(text)
}

// merged runs a statement for several requests.
func (b *backend) merged(p *portal, t *txn) (tag string, err error) {
	n := 0
	for i, text := range strings.Split(strings.Trim(p.args[p.def.value-1], "{}"), ",") {
		id, err := strconv.ParseInt(strings.Trim(text, `"`), 10, 64)
		if err != nil {
			return "", refused{code: "22P02", text: err.Error()}
		}
		rows, err := b.readOne(t, p, key{tableOf(p.def.op), id})
		if err != nil {
			return "", err
		}
		for _, r := range rows {
			b.row(p, append([]any{int64(i + 1)}, r.values(p.def)...))
			n++
		}
	}
	b.node.w.count("merged statement", 1)
	return "SELECT " + strconv.Itoa(n), nil
}
