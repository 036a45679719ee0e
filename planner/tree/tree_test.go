package tree

import (
	"testing"

	"github.com/fastgrest/fastgrest/planner/catalog"
)

func TestNames(t *testing.T) {
	movie := catalog.QI{Schema: "api", Name: "movie"}
	computed := &catalog.Relationship{Cardinality: catalog.Computed, Function: catalog.QI{Schema: "api", Name: "best"}}
	for _, test := range []struct {
		n         Node
		ref       catalog.QI
		self      string
		onlyStar  bool
		described string
	}{
		{Node{From: movie, Name: "movie"}, movie, "movie", false, "from api.movie\n"},
		{
			Node{From: movie, Name: "movie", Alias: Some("movie_1"), RelAlias: Some("m"), Select: []SelectField{{Field: Field{Name: "*"}}}, Limit: Limit{Range: NoRange, Inline: -1}},
			catalog.QI{Name: "movie_1"}, "m", true, "from api.movie as movie_1\n  select *\n",
		},
		{
			Node{From: movie, Name: "best", Rel: computed, RelAlias: Some(""), Select: []SelectField{{Field: Field{Name: "id"}}}, Limit: Limit{Range: NoRange, HasLimit: true, Inline: 3}},
			catalog.QI{Name: "best"}, "", false, "from api.movie\n  by computed api.best\n  select id\n  limit max rows, rows 3\n",
		},
		{
			Node{From: movie, Select: []SelectField{{Field: Field{Name: "*"}}}, Children: []*Node{{}}, Limit: Limit{Range: 2, HasLimit: true, HasOffset: true, Inline: -1}},
			movie, "", false, "from api.movie\n  select *\n  limit range 2, rows ?, offset ?\n",
		},
	} {
		if test.n.Limit == (Limit{}) {
			test.n.Limit = Limit{Range: NoRange, Inline: -1}
		}
		if got := test.n.Ref(); got != test.ref {
			t.Errorf("%v is referred to as %v, want %v", test.n.From, got, test.ref)
		}
		if got := test.n.SelfName(); got != test.self {
			t.Errorf("%v: SelfName %q, want %q", test.n.From, got, test.self)
		}
		if got := test.n.HasOnlyStar(); got != test.onlyStar {
			t.Errorf("only star: %v\n%v", got, &test.n)
		}
		if got := test.n.String(); got != test.described {
			t.Errorf("%q, want %q", got, test.described)
		}
	}
	if Some("").Or("x") != "" || (Opt{}).Or("x") != "x" {
		t.Error("Or confuses the empty name with an absent one")
	}
}
