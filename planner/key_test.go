package planner

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/fastgrest/fastgrest/parser"
	"github.com/fastgrest/fastgrest/parser/header"
	"github.com/fastgrest/fastgrest/planner/festival"
)

// outcomeOf describes the plan for the request, or the error.
func outcomeOf(p *Planner, q *query) string {
	plan, err := q.plan(p)
	if err != nil {
		return describeError(err)
	}
	return plan.Action.name() + " " + plan.Schema + "\n" + describePlan(plan)
}

func (a Action) name() string {
	return [...]string{"read", "head", "insert", "update", "upsert", "delete", "call get", "call head", "call post"}[a]
}

// requests returns all requests of the conformance corpus that can be parsed
// and have a target.
func requests(tb testing.TB) (all []*query) {
	tb.Helper()
	files, err := filepath.Glob("../server/spectest/testdata/corpus/cases/*/*.json")
	if err != nil || len(files) == 0 {
		tb.Fatal("no corpus", err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			tb.Fatal(err)
		}
		var cases []struct {
			Request struct {
				Method, Path, Body string
				Headers            [][2]string
			}
		}
		if err := json.Unmarshal(text, &cases); err != nil {
			tb.Fatal(file, err)
		}
		for _, c := range cases {
			r := c.Request
			path, _, _ := strings.Cut(r.Path, "?")
			known := actions
			if strings.HasPrefix(path, "/rpc/") {
				known = callActions
			}
			q := &query{}
			if _, ok := known[r.Method]; !ok || path == "/" || path == "" {
				continue
			}
			if q.read(r.Method, r.Path, r.Headers, r.Body) == nil {
				q.prefer.Invalid = nil // not part of a plan; see checkPreferences
				all = append(all, q)
			}
		}
	}
	if len(all) < 2500 {
		tb.Fatalf("only %d requests", len(all))
	}
	return all
}

// TestKeysOfCorpus: requests with the same key have the same plan or the same
// error.
func TestKeysOfCorpus(t *testing.T) {
	cat := festival.Catalog(t)
	o := defaults
	o.CacheMaxEntries = 0
	outcomes, first := map[string]string{}, map[string]*query{}
	shared := 0
	for _, q := range requests(t) {
		p := New(cat, o) // a new one, because limits are counted
		outcome := outcomeOf(p, q)
		key := string(q.key)
		have, ok := outcomes[key]
		if !ok {
			outcomes[key], first[key] = outcome, q
			continue
		}
		shared++
		if have != outcome {
			t.Errorf("%s?%s and %s?%s have one key, but\n%s\n%s", first[key].Target, first[key].raw, q.Target, q.raw, have, outcome)
		}
	}
	if shared < 100 {
		t.Errorf("only %d requests had the key of another", shared)
	}
}

// changes each alter one thing that a plan may depend on.
var changes = map[string]func(*query){
	"action":         func(q *query) { q.Action = (q.Action + 1) % 9 },
	"schema":         func(q *query) { q.Schema = "api_v2" },
	"target":         func(q *query) { q.Target = []byte("genre") },
	"top limited":    func(q *query) { q.Top = parser.Range{Lower: 0, Upper: 4} },
	"top moved":      func(q *query) { q.Top = parser.Range{Lower: 2, Unbounded: true} },
	"top empty":      func(q *query) { q.Top = parser.Range{Lower: 0, Upper: -1} },
	"count":          func(q *query) { q.prefer.Count = (q.prefer.Count + 1) % 4 },
	"planned":        func(q *query) { q.prefer.Count = header.CountPlanned },
	"resolution":     func(q *query) { q.prefer.Resolution = (q.prefer.Resolution + 1) % 3 },
	"representation": func(q *query) { q.prefer.Representation = (q.prefer.Representation + 1) % 4 },
	"headers":        func(q *query) { q.prefer.Representation = header.ReturnHeaders },
	"missing":        func(q *query) { q.prefer.Missing = (q.prefer.Missing + 1) % 3 },
	"tx":             func(q *query) { q.prefer.Tx = header.TxRollback },
	"handling":       func(q *query) { q.prefer.Handling = header.HandlingStrict },
	"max affected":   func(q *query) { q.prefer.HasMaxAffected, q.prefer.Handling = true, header.HandlingStrict },
	"max affected 2": func(q *query) { q.prefer.HasMaxAffected, q.prefer.MaxAffected = true, 7 },
	"timezone":       func(q *query) { q.prefer.HasTimezone, q.prefer.Timezone = true, []byte("UTC") },
	"no accept":      func(q *query) { q.HasAccept, q.Accept = false, nil },
	"csv":            func(q *query) { q.HasAccept, q.Accept = true, []byte("text/csv") },
	"object":         func(q *query) { q.HasAccept, q.Accept = true, []byte("application/vnd.pgrst.object+json") },
	"no columns":     func(q *query) { q.Columns = nil },
	"a column":       func(q *query) { q.Columns = [][]byte{[]byte("id")} },
	"object payload": func(q *query) { q.PayloadObject = !q.PayloadObject },
	"text payload":   func(q *query) { q.ContentType = header.Media{Kind: header.Plain} },
	"form payload":   func(q *query) { q.ContentType = header.Media{Kind: header.Form} },
	"other payload":  func(q *query) { q.ContentType = header.Media{Text: "x/y"} },
	"filter keys":    func(q *query) { q.parsed.FilterKeys = [][]byte{[]byte("id")} },
	"args": func(q *query) {
		q.parsed.Args = append(q.parsed.Args, parser.Param{Key: []byte("a"), Value: []byte("1"), HasValue: true})
	},
}

// TestKeysSeeEveryField changes one field of a request at a time. If the plan
// changes, the key must change.
func TestKeysSeeEveryField(t *testing.T) {
	cat := festival.Catalog(t)
	matters := map[string]int{}
	for _, maxRows := range []int64{-1, 3} {
		o := defaults
		o.MaxRows, o.CacheMaxEntries = maxRows, 0
		all := requests(t)
		for i := 0; i < len(all); i += 9 {
			q := all[i]
			before := outcomeOf(New(cat, o), q)
			for name, change := range changes {
				saved, savedParsed, savedPrefer := q.Request, q.parsed, q.prefer
				key := string(q.key)
				change(q)
				after := outcomeOf(New(cat, o), q)
				if after != before {
					matters[name]++
					if key == string(q.key) {
						t.Errorf("%s?%s: %s changes the plan but not its key\n%s\n%s", q.Target, q.raw, name, before, after)
					}
				}
				q.Request, q.parsed, q.prefer = saved, savedParsed, savedPrefer
				q.key = append(q.key[:0], key...)
			}
		}
	}
	for name := range changes {
		switch name {
		case "tx", "timezone":
			if matters[name] > 0 {
				t.Errorf("%s changes a plan", name)
			}
		default:
			if matters[name] == 0 {
				t.Errorf("%s changes no plan", name)
			}
		}
	}
}

// FuzzKeys: two requests with the same key have the same plan.
func FuzzKeys(f *testing.F) {
	cat := festival.Catalog(f)
	for _, pair := range [][2]string{
		{"/genre?id=eq.1", "/genre?id=eq.2"},
		{"/genre?select=id,name", "/genre?select=id%2Cname"},
		{"/movie?select=a:id,b:country(name)&b.name=eq.x", "/movie?select=a:id,b:country(name)&b.name=eq.y"},
		{"/movie?select=screening(id)&screening.limit=1", "/movie?select=screening(id)&screening.limit=2"},
		{"/movie?limit=1", "/movie?limit=1&offset=0"},
		{"/rpc/add_two?a=1&b=2", "/rpc/add_two?a=2&b=3"},
		{"/movie?or=(id.eq.1,and(id.eq.2,id.eq.3))", "/movie?or=(id.eq.1,and(id.eq.2),id.eq.3)"},
		{"/genre?%22id%22=eq.1", "/genre?id=eq.1"},
	} {
		for method := range uint8(9) {
			f.Add(pair[0], pair[1], method)
		}
	}
	o := defaults
	o.CacheMaxEntries = 0
	methods := [...]string{"GET", "HEAD", "POST", "PATCH", "PUT", "DELETE"}
	f.Fuzz(func(t *testing.T, first, second string, method uint8) {
		a, b := &query{}, &query{}
		m := methods[int(method)%len(methods)]
		if a.read(m, first, nil, `{"id":1}`) != nil || b.read(m, second, nil, `{"id":2}`) != nil {
			return
		}
		x, y := outcomeOf(New(cat, o), a), outcomeOf(New(cat, o), b)
		if string(a.key) == string(b.key) && x != y {
			t.Errorf("%s and %s have one key, but\n%s\n%s", first, second, x, y)
		}
	})
}

// FuzzPairs: two requests share a plan, and so its prepared statement, only if they have the
// same SQL, with arguments from the same places, and the same facts.
func FuzzPairs(f *testing.F) {
	cat := festival.Catalog(f)
	for _, pair := range [][2]string{
		{"/genre?id=eq.1", "/genre?id=eq.2"},
		{"/genre?id=eq.1", "/genre?id=neq.1"},
		{"/genre?select=id,name", "/genre?select=name,id"},
		{"/genre?select=id,name", "/genre?select=id%2Cname"},
		{"/movie?select=screening(id)&screening.limit=1", "/movie?select=screening(id)&screening.limit=2"},
		{"/movie?limit=1", "/movie?limit=1&offset=0"},
		{"/rpc/add_two?a=1&b=2", "/rpc/add_two?b=3&a=2"},
		{"/genre?%22id%22=eq.1", "/genre?id=eq.1"},
	} {
		for method := range uint8(6) {
			f.Add(pair[0], pair[1], method)
		}
	}
	methods := [...]string{"GET", "HEAD", "POST", "PATCH", "PUT", "DELETE"}
	f.Fuzz(func(t *testing.T, first, second string, method uint8) {
		p := New(cat, defaults)
		var kept [2]*Kept
		for i, target := range []string{first, second} {
			q := &query{}
			if q.read(methods[int(method)%len(methods)], target, nil, `{"id":1}`) != nil {
				return
			}
			var err error
			if kept[i], _, err = p.Find(&q.Request); err != nil {
				return
			}
		}
		_, one, _ := strings.Cut(describePlan(kept[0].Plan), goldenSection+"plan\n") // trees may be written in several ways
		_, other, _ := strings.Cut(describePlan(kept[1].Plan), goldenSection+"plan\n")
		if kept[0] == kept[1] && one != other {
			t.Errorf("%s and %s have one plan, but\n%s\n%s", first, second, one, other)
		}
	})
}

// TestPlansBorrowNothing: a plan is shared, so it must not borrow from the
// request it was made for.
func TestPlansBorrowNothing(t *testing.T) {
	cat := festival.Catalog(t)
	all := requests(t)
	for i := 0; i < len(all); i += 5 {
		q := all[i]
		p := New(cat, defaults)
		plan, err := q.plan(p)
		if err != nil {
			continue
		}
		before := describePlan(plan)
		name := string(q.Target) + "?" + string(q.raw)
		q.scribble()
		if after := describePlan(plan); after != before {
			t.Errorf("%s: the plan changes with its request:\n%s\n%s", name, before, after)
		}
	}
}
