package server

import (
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"testing"

	"github.com/fastgrest/fastgrest/parser"
	"github.com/fastgrest/fastgrest/parser/header"
)

var rangeProblems = map[error]string{
	nil: "", errNegativeLimit: "negative limit", errLowerAboveUpper: "lower > upper", errPutRange: "put",
}

func TestTopRange(t *testing.T) {
	var q parser.Query
	f := func(method, query, value, want string) {
		t.Helper()
		if err := q.Parse([]byte(query), parser.ModeRelation); err != nil {
			t.Fatal(err)
		}
		r, err := topRange([]byte(method), q.RootRange(), header.ParseRange([]byte(value)))
		got := rangeProblems[err]
		switch {
		case err != nil:
		case r.IsAll():
			got = "all"
		case r.Unbounded:
			got = "offset " + string(r.AppendOffset(nil))
		default:
			got = "limit " + string(r.AppendLimit(nil)) + " offset " + string(r.AppendOffset(nil))
		}
		if got != want {
			t.Errorf("%s, %s: got %s, want %s", query, value, got, want)
		}
	}
	f("GET", "", "", "all")
	f("GET", "a.limit=3", "", "all")
	f("GET", "limit=5", "", "limit 5 offset 0")
	f("GET", "", "5-9", "limit 5 offset 5")
	f("HEAD", "", "5-9", "all")
	f("GET", "limit=20", "5-9", "limit 5 offset 5")
	f("GET", "offset=7", "5-9", "limit 3 offset 7")
	f("GET", "offset=10", "5-9", "negative limit")
	f("GET", "offset=-3", "", "all")
	f("GET", "limit=5&offset=-2", "", "limit 3 offset 0")
	f("GET", "limit=5&offset=-5", "", "limit 0 offset 0")
	f("GET", "limit=-1", "", "negative limit")
	f("GET", "limit=0", "", "limit 0 offset 0")
	f("GET", "limit=0", "9-5", "limit 0 offset 0")
	f("GET", "limit=0&offset=3", "", "negative limit")
	f("GET", "limit=x&offset=0", "", "limit 0 offset 0")
	f("GET", "", "9-5", "lower > upper")
	f("GET", "limit=-1", "9-5", "lower > upper")
	f("HEAD", "limit=5", "9-5", "limit 5 offset 0")
	f("PUT", "", "0-5", "all")
	f("PUT", "limit=x", "", "all")
	f("PUT", "offset=0", "", "all")
	f("PUT", "limit=5", "", "put")
	f("PUT", "offset=1", "", "put")
	f("PUT", "limit=-5", "", "negative limit")
}

// TestRecordedRanges compares errors, offsets and numbers of rows with responses
// of PostgREST.
func TestRecordedRanges(t *testing.T) {
	type recorded struct {
		Method, Query, Range, Problem string
		ContentRange                  string `json:"content_range"`
	}
	var q parser.Query
	text, err := os.ReadFile("testdata/ranges.json")
	if err != nil {
		t.Fatal(err)
	}
	var cases []recorded
	if err := json.Unmarshal(text, &cases); err != nil || len(cases) < 100 {
		t.Fatalf("%d cases, %v", len(cases), err)
	}
	for _, c := range cases {
		if err := q.Parse([]byte(c.Query), parser.ModeRelation); err != nil {
			t.Errorf("%s: %v", c.Query, err)
			continue
		}
		r, err := topRange([]byte(c.Method), q.RootRange(), header.ParseRange([]byte(c.Range)))
		if rangeProblems[err] != c.Problem {
			t.Errorf("%s %s, %s: got %q, want %q", c.Method, c.Query, c.Range, rangeProblems[err], c.Problem)
		}
		var lower, upper, total int64
		var all string
		if n, _ := fmt.Sscanf(c.ContentRange, "%d-%d/%s", &lower, &upper, &all); n < 3 || c.Method != "GET" {
			continue
		}
		if limit, ok := r.Limit(); lower != r.Lower || ok && upper-lower >= limit {
			t.Errorf("%s, %s: got %+v, want %s", c.Query, c.Range, r, c.ContentRange)
		}
		total, err = strconv.ParseInt(all, 10, 64)
		if got := string(appendContentRange(nil, lower, upper, total, err == nil)); got != c.ContentRange {
			t.Errorf("got %s, want %s", got, c.ContentRange)
		}
	}
}

func TestContentRange(t *testing.T) {
	f := func(lower, upper, total int64, want string, status int) {
		t.Helper()
		if got := string(appendContentRange(nil, lower, upper, max(total, 0), total >= 0)); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
		if got := rangeStatus(lower, upper, max(total, 0), total >= 0); got != status {
			t.Errorf("%s: got %d, want %d", want, got, status)
		}
	}
	f(0, 9, -1, "0-9/*", 200)
	f(0, -1, -1, "*/*", 200)
	f(0, 9, 10, "0-9/10", 200)
	f(0, 4, 10, "0-4/10", 206)
	f(10, 9, 10, "*/10", 206)
	f(11, 10, 10, "*/10", 416)
	f(0, -1, 0, "*/0", 200)
	f(0, 0, 0, "*/0", 200)
}
