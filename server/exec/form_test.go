package exec

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/fastgrest/fastgrest/pgwire"
	"github.com/fastgrest/fastgrest/pgwire/rowjson"
	"github.com/fastgrest/fastgrest/planner"
	"github.com/fastgrest/fastgrest/planner/festival"
)

// prepared plans GET of target and prepares it from the server's description.
func prepared(t *testing.T, o planner.Options, target string) (*Runnable, *Form) {
	t.Helper()
	plan := mustPlan(t, planner.New(festival.Catalog(t), o), target)
	return plan, plan.Prepare(festival.Catalog(t), fieldsOf(t, festival.Connect(t), plan.Main.SQL), false)
}

func TestPrepareRows(t *testing.T) {
	notISO := defaults
	notISO.NotISO = true
	for _, test := range []struct {
		target   string
		o        planner.Options
		rows     bool
		userCode bool
		converts string // columns PostgreSQL converts
	}{
		{"/genre", defaults, true, false, ""},
		{"/type_zoo?select=id,c_numeric,c_double,c_timestamptz,c_jsonb,c_ts_arr,c_int_arr2,c_tstzrange", defaults, true, false, ""},
		{"/type_zoo?select=c_citext,c_enum,c_enum_arr", defaults, true, false, ""}, // known to be their text
		{"/type_zoo?select=c_dom_int,c_dom_text", defaults, true, false, ""},       // described as their base types
		{"/type_zoo?select=id,c_composite", defaults, true, true, "c_composite"},
		{"/type_zoo?select=c_composite_arr,id,c_nested", defaults, true, true, "c_composite_arr c_nested"},
		{"/type_zoo?select=id,x:c_composite", defaults, true, true, "x"},
		{"/type_zoo?select=x:c_composite,x:c_nested", defaults, false, true, ""},
		{"/type_zoo?select=x:c_int,x:c_text", defaults, true, false, ""},
		{"/type_zoo?select=id,c_timestamptz,c_timestamp,c_ts_arr", notISO, true, false, "c_timestamptz c_ts_arr"},
		{"/screening?select=starts_at,starts_at", notISO, false, false, ""},
		{"/screening?select=id,movie(released)", notISO, true, false, ""},
		{"/rpc/ret_timestamptz?t=2024-01-01", notISO, true, true, "pgrst_scalar"},
		{"/rpc/ret_composite", defaults, true, true, ""},
		{"/rpc/take_movie?m=(1)", defaults, true, true, ""},
	} {
		plan, pre := prepared(t, test.o, test.target)
		if pre.Rows != test.rows || pre.userCode != test.userCode {
			t.Errorf("%s: rows %v, user code %v", test.target, pre.Rows, pre.userCode)
		}
		var converts []string
		for _, rest := range strings.Split(pre.statements.main.Main.SQL(), "to_json(_postgrest_t.\"")[1:] {
			name, _, _ := strings.Cut(rest, "\") AS ")
			converts = append(converts, name)
		}
		if got := strings.Join(converts, " "); got != test.converts {
			t.Errorf("%s: converts %q, want %q", test.target, got, test.converts)
		}
		if !pre.Rows {
			if !slices.Equal(pre.Formats, valueFormats) || pre.Columns != nil || pre.Prefix != 0 {
				t.Errorf("%s: the form of a value has %d columns and formats %v", test.target, len(pre.Columns), pre.Formats)
			}
			continue
		}
		if len(pre.Formats) != plan.Prefix()+len(pre.Columns) {
			t.Errorf("%s: %d formats for %d columns behind %d", test.target, len(pre.Formats), len(pre.Columns), plan.Prefix())
		}
		// What the statement really returns is what the columns were made for.
		fields := fieldsOf(t, festival.Connect(t), pre.statements.main.Main.SQL())
		if !pre.fits(len(fields), func(i int) ([]byte, uint32) { return []byte(fields[i].Name), fields[i].Type }) {
			t.Errorf("%s: prepared for other columns than %v", test.target, fields)
		}
	}
}

func TestFits(t *testing.T) {
	pre := &Form{Prefix: 2, fields: []pgwire.Field{{Name: "id", Type: 23}, {Name: "name", Type: 25}}}
	for _, test := range []struct {
		columns string
		types   []uint32
		fits    bool
	}{
		{"total present id name", []uint32{20, 16, 23, 25}, true},
		{"x y id name", []uint32{1, 1, 23, 25}, true}, // ours are always the same
		{"total present id name", []uint32{20, 16, 25, 23}, false},
		{"total present name id", []uint32{20, 16, 23, 25}, false},
		{"total present id nam", []uint32{20, 16, 23, 25}, false},
		{"total present id", []uint32{20, 16, 23}, false},
		{"total present id name more", []uint32{20, 16, 23, 25, 25}, false},
		{"", nil, false},
	} {
		names := strings.Fields(test.columns)
		if got := pre.fits(len(names), func(i int) ([]byte, uint32) { return []byte(names[i]), test.types[i] }); got != test.fits {
			t.Errorf("%s %v: %v", test.columns, test.types, got)
		}
	}
}

// A short description, from a server that has lost its mind, must not hurt.
func TestPrepareShortDescription(t *testing.T) {
	plan := mustPlan(t, planner.New(festival.Catalog(t), defaults), "/genre?limit=1", "count=exact")
	if plan.Prefix() == 0 {
		t.Fatal("the plan has no prefix")
	}
	pre := plan.Prepare(festival.Catalog(t), nil, false)
	if len(pre.Columns) != 0 {
		t.Error("columns out of nothing")
	}
}

func TestPrepareAggregate(t *testing.T) {
	plan := mustPlan(t, planner.New(festival.Catalog(t), defaults), "/genre")
	pre := plan.Prepare(festival.Catalog(t), nil, true)
	if pre.Rows || !slices.Equal(pre.Formats, valueFormats) || !strings.Contains(pre.statements.main.Main.SQL(), "json_agg") {
		t.Errorf("not in the form of a value: %s", pre.statements.main.Main.SQL())
	}
	if plan.Form() != pre {
		t.Error("not kept")
	}
	plan.forget(&Form{})
	if plan.Form() != pre {
		t.Error("forgotten in place of another")
	}
	plan.forget(nil)
	if plan.Form() != pre {
		t.Error("forgotten without being named")
	}
	plan.forget(pre)
	if plan.Form() != nil {
		t.Error("not forgotten")
	}
}

// The statement that was described is the one that runs, unless it had to be
// changed; and after Forget it is a new one.
func TestDescribedIsTakenOver(t *testing.T) {
	cat, conn := festival.Catalog(t), festival.Connect(t)
	p := planner.New(cat, defaults)
	plan := mustPlan(t, p, "/genre")
	described := plan.toDescribe()
	if plan.toDescribe() != described {
		t.Error("described twice under two names")
	}
	fields := fieldsOf(t, conn, plan.Main.SQL)
	pre := plan.Prepare(cat, fields, false)
	if pre.For([]byte("a"), true).Main != described {
		t.Error("parsed once more")
	}
	if pre.For([]byte("b"), false).Main == described {
		t.Error("a role without USAGE may run what another role has had parsed")
	}
	plan.forget(pre)
	if plan.toDescribe() == described {
		t.Error("what went stale is described again")
	}

	plan = mustPlan(t, p, "/venue?select=address")
	described = plan.toDescribe()
	if pre := plan.Prepare(cat, fieldsOf(t, conn, plan.Main.SQL), false); pre.For([]byte("a"), true).Main == described {
		t.Error("the statement without conversion runs")
	}
}

func TestStatementsPerRole(t *testing.T) {
	cat, conn := festival.Catalog(t), festival.Connect(t)
	p := planner.New(cat, defaults)
	plan := mustPlan(t, p, "/secret_note", "count=planned")
	if !plan.PerRole {
		t.Fatal("row level security goes unnoticed")
	}
	described := plan.toDescribe()
	pre := plan.Prepare(cat, fieldsOf(t, conn, plan.Main.SQL), false)
	orphan := pre.For([]byte("orphan"), false)
	a, b := pre.For([]byte("a"), true), pre.For([]byte("b"), true)
	if orphan.Main == described || a.Main != described || b.Main == described || a == b || a == orphan || b == orphan {
		t.Error("roles share statements, or the described one is not taken over by the first role that may")
	}
	for role, want := range map[string]*Statements{"orphan": orphan, "a": a, "b": b} {
		if pre.For([]byte(role), true) != want {
			t.Errorf("%s has two statements", role)
		}
		if want.Main.SQL() != plan.Main.SQL || want.Estimate == nil || want.Estimate.SQL() != plan.Estimate.SQL {
			t.Errorf("%s runs something else", role)
		}
	}
	for i := range 3 * maxRolesPerPlan {
		pre.For(fmt.Append(nil, "role ", i), true)
		if len(pre.statements.roles) > maxRolesPerPlan {
			t.Fatalf("statements for %d roles", len(pre.statements.roles))
		}
	}
}

// Two requests may find the plan unprepared at the same time.
func TestPrepareTogether(t *testing.T) {
	cat := festival.Catalog(t)
	p := planner.New(cat, defaults)
	fields := fieldsOf(t, festival.Connect(t), mustPlan(t, p, "/secret_note").Main.SQL)
	for range 50 {
		plan := mustPlan(t, planner.New(cat, defaults), "/secret_note")
		var wg sync.WaitGroup
		used := make([]*pgwire.Stmt, 4)
		for i := range used {
			wg.Go(func() {
				plan.toDescribe()
				used[i] = plan.Prepare(cat, fields, false).For(fmt.Append(nil, "role ", i), true).Main
			})
		}
		wg.Wait()
		slices.SortFunc(used, func(a, b *pgwire.Stmt) int { return strings.Compare(fmt.Sprintf("%p", a), fmt.Sprintf("%p", b)) })
		if len(slices.Compact(used)) != 4 {
			t.Fatal("two roles have one statement")
		}
	}
}

func TestColumnCodec(t *testing.T) {
	types := textTypes{50000: 0, 50001: ','}
	for _, test := range []struct {
		oid   uint32
		known bool
		src   string
		want  string
	}{
		{23, true, "\x00\x00\x00\x07", "7"},
		{50000, true, `a"b`, `"a\"b"`},
		{50001, true, `{a,NULL}`, `["a",null]`},
		{50002, false, "", ""},
	} {
		c, known := columnCodec(types, pgwire.Field{Name: "x", Type: test.oid})
		if known != test.known {
			t.Errorf("%d: known %v", test.oid, known)
			continue
		}
		if !known {
			continue
		}
		got, ok := rowjson.AppendObject(nil, []rowjson.Column{c}, [][]byte{[]byte(test.src)})
		if want := `{"x":` + test.want + `}`; !ok || string(got) != want {
			t.Errorf("%d: got %s, want %s", test.oid, got, want)
		}
	}
}

type textTypes map[uint32]byte

func (t textTypes) TextType(oid uint32) (delim byte, ok bool) {
	delim, ok = t[oid]
	return delim, ok
}
