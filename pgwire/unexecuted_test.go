package pgwire_test

import (
	"strings"
	"testing"

	"github.com/fastgrest/fastgrest/pgwire"
	"github.com/fastgrest/fastgrest/pgwire/pgtest"
)

// TestUnexecuted: a flight tells whether its failed step was executed.
func TestUnexecuted(t *testing.T) {
	refused := refusal("ERROR", "42703", "")
	for _, test := range []struct {
		name     string
		response say
		want     bool
	}{
		{"refused when parsed", say{refused, idle}, true},
		{"refused when bound", say{parsed, refused, idle}, true},
		{"refused when executed", say{parsed, bound, oneField, refused, idle}, false},
		{"refused after rows", say{parsed, bound, oneField, oneRow, refused, idle}, false},
		{"refused at the end", say{parsed, bound, oneField, oneRow, selected, refused, idle}, false},
		{"not refused", say{parsed, bound, oneField, oneRow, selected, idle}, false},
	} {
		c := connectTo(t, pgtest.NewScript(t, responses(nil, test.response)))
		f, err := run(c, new(log), pgwire.NewStmt("a"))
		if f.Unexecuted() != test.want || (err != nil) != strings.HasPrefix(test.name, "refused") {
			t.Errorf("%s: %v, unexecuted %v", test.name, err, f.Unexecuted())
		}
	}
	if new(pgwire.Flight).Unexecuted() {
		t.Error("what was not run is refused")
	}
}
