package tree

import (
	"testing"

	"github.com/fastgrest/fastgrest/planner/catalog"
)

func TestNames(t *testing.T) {
	movie := catalog.QI{Schema: "api", Name: "movie"}
	computed := &catalog.Relationship{Cardinality: catalog.Computed, Function: catalog.QI{Schema: "api", Name: "best"}}
	for _, test := range []struct {
		n        Node
		ref      catalog.QI
		self     string
		onlyStar bool
	}{
		{Node{From: movie, Name: "movie"}, movie, "movie", false},
		{
			Node{From: movie, Name: "movie", Alias: Some("movie_1"), RelAlias: Some("m"), Select: []SelectField{{Field: Field{Name: "*"}}}},
			catalog.QI{Name: "movie_1"}, "m", true,
		},
		{
			Node{From: movie, Name: "best", Rel: computed, RelAlias: Some(""), Select: []SelectField{{Field: Field{Name: "id"}}}},
			catalog.QI{Name: "best"}, "", false,
		},
		{
			Node{From: movie, Select: []SelectField{{Field: Field{Name: "*"}}}, Children: []*Node{{}}},
			movie, "", false,
		},
	} {
		if got := test.n.Ref(); got != test.ref {
			t.Errorf("%v is referred to as %v, want %v", test.n.From, got, test.ref)
		}
		if got := test.n.SelfName(); got != test.self {
			t.Errorf("%v: SelfName %q, want %q", test.n.From, got, test.self)
		}
		if got := test.n.HasOnlyStar(); got != test.onlyStar {
			t.Errorf("%v selects only the star: %v", test.n.From, got)
		}
	}
	if Some("").Or("x") != "" || (Opt{}).Or("x") != "x" {
		t.Error("Or confuses the empty name with an absent one")
	}
}
