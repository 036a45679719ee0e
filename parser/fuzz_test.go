package parser

import (
	"bytes"
	"errors"
	"math/big"
	"net/url"
	"strings"
	"testing"

	"github.com/fastgrest/fastgrest/parser/explain"
)

// seeds adds the queries of all recorded responses.
func seeds(f *testing.F, add func(query, mode string)) {
	type query struct{ Query, Mode string }
	for _, name := range []string{"accepted.json", "refused.json"} {
		for _, c := range readCases[query](f, name) {
			add(c.Query, c.Mode)
		}
	}
}

// FuzzParse checks that no query makes the parser panic, and that the parser and
// package explain refuse the same queries.
func FuzzParse(f *testing.F) {
	const all = 3 * uint8(ExtAggregates|ExtDistinct)
	seeds(f, func(query, mode string) {
		f.Add(query, uint8(modeNames[mode]))
		f.Add(query, uint8(modeNames[mode])+all)
	})
	for _, query := range []string{
		"select=a,n:b.countdistinct()::int&order=a,b.sum().desc,count().asc.nullslast", "select=b.countdistinct(),c!", "order=count(),b.avg()!",
		"distinct=true", "a.distinct=b,c->>d", "distinct=eq.1&distinct=a.b",
		"columns=a,b(c,d:e!f(g),h()),%22i(%22", "columns=a(b", "columns=a((((b))))&on_conflict=a(b)",
	} {
		f.Add(query, all)
		f.Add(query, uint8(0))
	}
	var q Query
	f.Fuzz(func(t *testing.T, query string, mode uint8) {
		q.Extensions = Extensions(mode / 3 & 3)
		err := q.Parse([]byte(query), Mode(mode%3))
		switch {
		case err == nil:
			check(t, &q)
		case errors.Is(err, ErrInvalidUTF8), err == error(errTooManyParams):
		case err == error(errUnexplained):
			t.Errorf("refused without a reason")
		}
		q.AppendCanonical(nil)
	})
}

// FuzzGrammar is FuzzParse for the value of one parameter.
func FuzzGrammar(f *testing.F) {
	keys := []string{"select", "order", "or", "columns", "on_conflict", "a", "a.b.order", "distinct"}
	seeds(f, func(query, _ string) {
		for _, part := range strings.FieldsFunc(query, func(r rune) bool { return r == '&' || r == ';' }) {
			key, value, _ := strings.Cut(part, "=")
			value, err := url.QueryUnescape(value)
			if err != nil {
				continue
			}
			which := len(keys) - 3
			for i, k := range keys {
				if k == key {
					which = i
				}
			}
			f.Add(value, uint8(which))
		}
	})
	var q Query
	f.Fuzz(func(t *testing.T, value string, which uint8) {
		q.Extensions = Extensions(int(which) / len(keys) & 3)
		query := keys[int(which)%len(keys)] + "=" + url.QueryEscape(value)
		err := q.Parse([]byte(query), ModeRelation)
		switch {
		case err == nil:
			check(t, &q)
		case errors.Is(err, ErrInvalidUTF8):
		case err == error(errUnexplained):
			t.Errorf("%s: refused without a reason", query)
		default:
			// Reading from the mark must not change what is found.
			if whole := explainAny(&q, &q.Params[0]); whole == nil || whole.Error() != err.Error() {
				t.Errorf("%s: got\n%v, from the beginning\n%v", query, err, whole)
			}
		}
	})
}

// FuzzKey is FuzzParse for keys.
func FuzzKey(f *testing.F) {
	for _, key := range []string{
		`a`, `a.b`, `a.b->c->>0`, `"a.b"."c\"d"`, `a - b.c`, `a:b.limit`, `a.not.or`, `not.and`, `.and`, `a->0.order`, `a..offset`,
	} {
		f.Add(key, "eq.1")
		f.Add(key, "(a.eq.1,b.is.null)")
	}
	var q Query
	f.Fuzz(func(t *testing.T, key, value string) {
		query := url.QueryEscape(key) + "=" + url.QueryEscape(value)
		err := q.Parse([]byte(query), ModeCallRead)
		switch {
		case err == nil:
			check(t, &q)
			last := strings.LastIndexByte(key, '.') + 1
			if last == 0 || !strings.Contains("limit offset", key[last:]) {
				break
			}
			_, refused := explain.Run(explain.TreePath, []byte(key), explain.Start{}, MaxDepth)
			if q.badRange >= 0 != refused {
				t.Errorf("%s: range refused is %v, want %v", query, q.badRange >= 0, refused)
			}
		case err == error(errUnexplained):
			t.Errorf("%s: refused without a reason", query)
		}
	})
}

// check tests an accepted query. Package explain must accept it. Its key must
// decode to the same tree, so that different trees have different keys and
// operands have the same slots.
func check(t *testing.T, q *Query) {
	t.Helper()
	for i := range q.Params {
		if err := explainAny(q, &q.Params[i]); err != nil {
			t.Errorf("accepted, but explained as %v", err)
		}
	}
	key := q.AppendShape(nil)
	back, err := readShape(key)
	if err != nil {
		t.Fatalf("key %q: %v", key, err)
	}
	if got := back.AppendShape(nil); !bytes.Equal(got, key) {
		t.Errorf("key %q reads back as %q", key, got)
	}
	if len(back.Values) != len(q.Values) {
		t.Errorf("key has %d slots, query %d", len(back.Values), len(q.Values))
	}
	if got, want := outline(back), outline(q); got != want {
		t.Errorf("key reads back as\n%s\nwant\n%s", got, want)
	}
	for slot := range q.Values {
		if n := slotUses(q, int32(slot)); n != 1 {
			t.Errorf("slot %d is used %d times", slot, n)
		}
	}
}

// explainAny runs package explain on a parameter, unless it is ignored.
func explainAny(q *Query, prm *Param) error {
	k, _ := kindOf(prm.Key)
	at := stop{extensions: q.Extensions}
	switch {
	case !prm.HasValue, k >= kindSelect && k <= kindOnConflict && q.first(string(prm.Key)) != prm:
		return nil
	case k == kindOrder:
		return explainOrder(prm, at)
	case k == kindLogic:
		return q.explainLogic(prm, at)
	case k == kindSelect:
		return explainSelect(prm, at)
	case k == kindOnConflict && q.OnConflictNamed:
		return nil // package explain does not know it
	case k == kindColumns, k == kindOnConflict:
		return explainColumns(string(prm.Key), prm, at)
	case k == kindFilter && isDistinct(q, prm):
		return nil // package explain does not know it
	case k == kindFilter:
		return q.explainFilter(prm)
	}
	return nil
}

func isDistinct(q *Query, prm *Param) bool {
	alone := Query{Extensions: q.Extensions, mode: q.mode}
	return alone.parseFilter(prm) && len(alone.Distincts) > 0
}

func slotUses(q *Query, slot int32) (n int) {
	for i := range q.Filters {
		if q.Filters[i].Slot == slot {
			n++
		}
	}
	return n
}

// FuzzShape checks that two queries with equal keys have equal trees.
func FuzzShape(f *testing.F) {
	last := "select=id"
	seeds(f, func(query, _ string) {
		f.Add(query, last)
		last = query
	})
	var a, b Query
	f.Fuzz(func(t *testing.T, first, second string) {
		if a.Parse([]byte(first), ModeCallRead) != nil || b.Parse([]byte(second), ModeCallRead) != nil {
			return
		}
		check(t, &a)
		sameKey := bytes.Equal(a.AppendShape(nil), b.AppendShape(nil))
		if sameTree := outline(&a) == outline(&b); sameKey != sameTree {
			t.Errorf("same key: %v, same tree: %v\n%s\n%s", sameKey, sameTree, outline(&a), outline(&b))
		}
	})
}

// FuzzRange compares ranges of limit=, offset= and a Range header with a model that
// has big numbers only.
func FuzzRange(f *testing.F) {
	for _, limit := range []string{"5", "0", "-1", "x", "", "0x10", "((3))", "- 2", "9223372036854775807", "99999999999999999999"} {
		for _, offset := range []string{"3", "0", "-4", "x", "9223372036854775807", "-9223372036854775808", "-99999999999999999999"} {
			f.Add(limit, true, offset, true, "0-9", int64(10))
			f.Add(limit, true, offset, false, "5-2", int64(1))
			f.Add(limit, false, offset, true, "7-", int64(0))
		}
	}
	var q Query
	f.Fuzz(func(t *testing.T, limit string, limited bool, offset string, moved bool, header string, maxRows int64) {
		var parts []string
		if limited {
			parts = append(parts, "limit="+url.QueryEscape(limit))
		}
		if moved {
			parts = append(parts, "offset="+url.QueryEscape(offset))
		}
		if q.Parse([]byte(strings.Join(parts, "&")), ModeRelation) != nil {
			return
		}
		limits := modelLimits(limit, limited, offset, moved)
		if len(q.Ranges) > 0 {
			compareRange(t, "limits", q.Ranges[0].Range, limits)
			compareRange(t, "restricted", q.Ranges[0].Range.Restrict(maxRows), limits.restrict(maxRows))
		}
		lower, upper, ok := strings.Cut(header, "-")
		r, numbers := ParseRange([]byte(lower), []byte(upper))
		if !ok || !numbers {
			r = AllRange
		}
		compareRange(t, "header", r, modelHeader(header))
		compareRange(t, "both", r.Intersect(q.RootRange()), modelHeader(header).intersect(limits))
	})
}

func compareRange(t *testing.T, what string, got Range, want modelRange) {
	t.Helper()
	if got.IsEmpty() != want.empty() || got.HasLimitZero() != want.limitZero() || got.Unbounded != (want.upper == nil) {
		t.Fatalf("%s: got %+v, want %v", what, got, want)
	}
	if want.nowhere {
		return
	}
	if s := string(got.AppendOffset(nil)); s != want.lower.String() {
		t.Fatalf("%s: got offset %s, want %s", what, s, want.lower)
	}
	limit := ""
	if want.upper != nil {
		limit = new(big.Int).Add(new(big.Int).Sub(want.upper, want.lower), big.NewInt(1)).String()
	}
	if s := string(got.AppendLimit(nil)); s != limit {
		t.Fatalf("%s: got limit %s, want %s", what, s, limit)
	}
	if n, ok := got.Limit(); ok && big.NewInt(n).String() != limit {
		t.Fatalf("%s: got %d rows, want %s", what, n, limit)
	}
	if all := !want.empty() && want.upper == nil && want.lower.Sign() == 0; got.IsAll() != all {
		t.Fatalf("%s: got %+v, want %v", what, got, want)
	}
}
