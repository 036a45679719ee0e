package planner

import (
	"testing"

	"github.com/fastgrest/fastgrest/planner/catalog"
	"github.com/fastgrest/fastgrest/planner/festival"
)

// What a read may run besides PostgreSQL's own code: then it has to look for
// response.headers (user code), and may not share statements (per role).
func TestInspect(t *testing.T) {
	p := New(festival.Catalog(t), defaults)
	const none, code, both = "", "user code", "user code, per role"
	for _, test := range []struct{ target, accept, want string }{
		{"/genre", "", none},
		{"/movie?select=*,country(*),genre(name)&order=title&rating=gt.1&meta->>a=eq.1", "", none},
		{"/measurement?select=value.avg()", "", none},
		{"/movie?select=id::text,budget::numeric,released::date", "", none},
		// Computed fields, wherever they stand.
		{"/movie?select=label", "", both},
		{"/movie?label=eq.x", "", both},
		{"/movie?or=(id.eq.1,and(label.eq.x,id.eq.2))", "", both},
		{"/movie?order=label", "", both},
		{"/movie?select=label.max()", "", both},
		{"/country?select=code,movie(label)", "", both},
		{"/country?select=code,movie(title)&movie.label=eq.x", "", both},
		{"/country?select=code,movie(title)&movie.order=label", "", both},
		{"/movie?select=facts_doc->a", "", both},
		// Casts that are not PostgreSQL's.
		{"/movie?select=id::positive_int", "", both},
		{"/movie?select=id.sum()::positive_int", "", both},
		{"/movie?select=id::int4", "", none},
		{"/person?select=email::text", "", both}, // from a type that is not built in
		{"/customer?select=level::text", "", none},
		{"/sponsor?select=code::text", "", none}, // a domain casts like its base type
		// Operators of types that are not built in; enums and domains have
		// PostgreSQL's.
		{"/person?email=eq.x", "", code},
		{"/person?order=email", "", code},
		{"/customer?level=eq.guest&order=level", "", none},
		{"/sponsor?code=eq.ACME&order=code", "", none},
		{"/person?select=email.max()", "", both},
		{"/venue?address=eq.x", "", code},
		{"/venue?address->>city=eq.x", "", code}, // to_jsonb may run a cast
		// Conversions by PostgreSQL that may run a cast to json. (Of our own
		// rows Prepare knows.)
		{"/person?select=id,email", "", none},
		{"/movie?select=title,person!movie_director_fk(full_name)", "", none},
		{"/movie?select=title,person!movie_director_fk(email)", "", code},
		{"/movie?select=title,person!movie_director_fk(*)", "", code},
		{"/movie?select=title,...person!movie_director_fk(email)", "", code},
		{"/movie?select=title,person!movie_director_fk()", "", none},
		{"/person?select=email", "text/csv", code},
		{"/person", "text/csv", code},
		{"/person?select=full_name", "text/csv", none},
		{"/customer", "application/vnd.pgrst.array+json;nulls=stripped", none}, // an enum is
		// Representations.
		{"/palette?select=shade", "", both},
		{"/palette", "", both},
		{"/palette?select=id&shade=eq.x", "", both},
		{"/palette?select=id,ticket", "", none},
		// Views, policies, computed relationships, handlers.
		{"/uses_extras", "", both},
		{"/movie_card", "", none},
		{"/counter_view", "", none},
		{"/section?select=name,children(name)", "", both},
		{"/section?select=name,section(name)", "", none},
		{"/genre", "text/html", both},
		{"/award", "application/vnd.aurora.lines", both},
		{"/venue?select=name", "application/geo+json", both},
		{"/genre", "text/csv", none},
	} {
		var headers [][2]string
		if test.accept != "" {
			headers = append(headers, [2]string{"Accept", test.accept})
		}
		plan := mustPlan(t, p, test.target, headers...)
		got := none
		switch {
		case plan.UserCode && plan.PerRole:
			got = both
		case plan.UserCode:
			got = code
		case plan.PerRole:
			got = "per role"
		}
		if got != test.want {
			t.Errorf("%s (%s): %q, want %q", test.target, test.accept, got, test.want)
		}
	}
}

func TestInspectWrites(t *testing.T) {
	p := New(festival.Catalog(t), defaults)
	for _, test := range []struct {
		method, target, body string
		perRole              bool
	}{
		{"POST", "/genre", `{"id":1}`, false},
		{"POST", "/customer", `{"handle":"x"}`, false}, // gen_random_uuid is built in
		{"POST", "/task", `{"name":"x"}`, false},       // so is all of these defaults
		{"POST", "/secret_note", `{"id":1}`, true},
		{"PATCH", "/genre", `{"name":"x"}`, false},
		{"DELETE", "/secret_note", "", true},
		{"DELETE", "/genre?select=name,movie(title)", "", false},
		{"DELETE", "/genre?select=name,movie(label)", "", true},
	} {
		plan, err := newQuery(t, test.method, test.target, [][2]string{{"Prefer", "return=representation"}}, test.body).plan(p)
		if err != nil {
			t.Fatalf("%s: %v", test.target, err)
		}
		if !plan.UserCode || plan.PerRole != test.perRole {
			t.Errorf("%s %s: user code %v, per role %v", test.method, test.target, plan.UserCode, plan.PerRole)
		}
	}
}

func TestDefaultsCall(t *testing.T) {
	for expr, want := range map[string]bool{
		"":                                  false,
		"5":                                 false,
		"2.50":                              false,
		"'a.b'::text":                       false,
		"now()":                             false,
		"nextval('api.x_id_seq'::regclass)": false,
		"'it''s a.b'::text":                 false,
		"api.slug()":                        true,
		"upper(api.slug('x'::text))":        true,
		`"Odd Schema"."Odd Func"()`:         true,
		"'x'::api.mood":                     false, // a type
		"lower('X'::text)::api.mood":        false,
		"('x'::api.mood)::text":             false,
		`api."odd "" name"(1)`:              true,
	} {
		table := &catalog.Table{Columns: []*catalog.Column{{Name: "a"}, {Name: "b", Default: expr, HasDefault: expr != ""}}}
		if got := defaultsCall(table); got != want {
			t.Errorf("%s: %v", expr, got)
		}
	}
}
