package parser

import "testing"

// extended returns accepts and refuses for queries with all extensions.
func extended(t *testing.T, mode Mode) (accepted func(query, want string), refused func(query, message, details string)) {
	q := Query{Extensions: ExtAggregates | ExtDistinct}
	return acceptedBy(t, &q, mode), refusedBy(t, &q, mode)
}

func TestDistinct(t *testing.T) {
	f, refused := extended(t, ModeRelation)
	f("select=&distinct=true", "distinct ")
	f("select=&distinct=a,+b,%22c.d%22,e-%3E%3Ef", `distinct a, b, "c.d", e->>f`)
	f("select=&x.y.distinct=a", "distinct x: y: a")
	f("select=&distinct=%22true%22", "distinct true")
	f("select=&distinct=eq.true", `filter distinct eq $0 "true"`)
	f("select=&distinct=eq", "distinct eq")
	refused("distinct=", `"failed to parse filter ()" (line 1, column 1)`, `unexpected end of input expecting "not" or operator (eq, gt, ...)`)
	refused("distinct=a,", `"failed to parse filter (a,)" (line 1, column 1)`, `unexpected "a" expecting "not" or operator (eq, gt, ...)`)
	refused("distinct=a.b", `"failed to parse filter (a.b)" (line 1, column 1)`, `unexpected "a" expecting "not" or operator (eq, gt, ...)`)
	refused("distinct-%3Ea=true", `"failed to parse filter (true)" (line 1, column 1)`, `unexpected "t" expecting "not" or operator (eq, gt, ...)`)

	// An argument of a function stays one.
	f, _ = extended(t, ModeCallRead)
	f("select=&distinct=true", `arg distinct "true"`)
}

func TestOrderByAggregate(t *testing.T) {
	f, refused := extended(t, ModeRelation)
	f("select=&order=a.sum().desc,b-%3E%3Ec.max(),count().asc.nullslast,d.countdistinct()", "order a.sum() desc, b->>c.max(), *.count() asc nullslast, d.countdistinct()")
	f("select=&order=count,sum.desc", "order count, sum desc")
	f("select=n:a.countdistinct()::int", "select n:a.countdistinct()::int")
	refused("order=a.sum()!", `"failed to parse order (a.sum()!)" (line 1, column 8)`, `unexpected '!' expecting delimiter (.), "," or end of input`)
	refused("select=a.countdistinct(),b!", `"failed to parse select parameter (a.countdistinct(),b!)" (line 1, column 20)`, `unexpected '!' expecting letter, digit, "-", "->>", "->", "::", ".", ")", "," or end of input`)
}

// TestWithoutExtensions: the texts are PostgREST's.
func TestWithoutExtensions(t *testing.T) {
	f := refuses(t, ModeRelation)
	f("distinct=true", `"failed to parse filter (true)" (line 1, column 1)`, `unexpected "t" expecting "not" or operator (eq, gt, ...)`)
	f("select=a.countdistinct()", `"failed to parse select parameter (a.countdistinct())" (line 1, column 8)`, `unexpected "d" expecting "()"`)
	f("order=a.sum()", `"failed to parse order (a.sum())" (line 1, column 3)`, `unexpected "s" expecting "asc", "desc", "nullsfirst" or "nullslast"`)
	f("order=count()", `"failed to parse order (count())" (line 1, column 6)`, `unexpected '(' expecting letter, digit, "-", "->>", "->", delimiter (.), "," or end of input`)
}
