package planner

import (
	"bytes"
	"net/url"
	"strings"
	"testing"

	"github.com/fastgrest/fastgrest/parser"
	"github.com/fastgrest/fastgrest/parser/body"
	"github.com/fastgrest/fastgrest/parser/header"
	"github.com/fastgrest/fastgrest/pgwire/pgtest"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

// defaults are a server's default settings, with aggregates enabled.
var defaults = Options{MaxRows: -1, Aggregates: true, LegacyTargetNames: true, ExecutionPlans: true, CacheMaxEntries: 1000}

// query is a Request with the memory that the Request borrows.
type query struct {
	Request
	parsed  parser.Query
	prefer  header.Prefer
	payload body.Payload

	raw, content []byte
}

// newQuery reads a request the way the server does.
func newQuery(tb testing.TB, method, target string, headers [][2]string, content string) *query {
	tb.Helper()
	q := &query{}
	if err := q.read(method, target, headers, content); err != nil {
		tb.Fatalf("%s %s: %v", method, target, err)
	}
	return q
}

var actions = map[string]Action{"GET": Read, "HEAD": ReadHead, "POST": Insert, "PATCH": Update, "PUT": Upsert, "DELETE": Delete}
var callActions = map[string]Action{"GET": CallGet, "HEAD": CallHead, "POST": CallPost}

func (q *query) read(method, target string, headers [][2]string, content string) error {
	path, raw, _ := strings.Cut(target, "?")
	name, call := strings.CutPrefix(path, "/rpc/")
	mode := parser.ModeRelation
	q.Action = actions[method]
	if call {
		q.Action = callActions[method]
		mode = parser.ModeCallRead
		if method == "POST" {
			mode = parser.ModeCall
		}
	}
	name, err := url.PathUnescape(strings.TrimPrefix(name, "/"))
	if err != nil {
		return err
	}
	q.Schema, q.Target = "api", []byte(name)
	q.Query, q.Prefer = &q.parsed, &q.prefer
	q.prefer.Reset()
	q.ContentType = header.Media{Kind: header.JSON}
	inHeader := parser.AllRange
	for _, h := range headers {
		switch value := []byte(h[1]); h[0] {
		case "Prefer":
			q.prefer.Add(value, true)
		case "Accept":
			q.Accept, q.HasAccept = value, true
		case "Content-Type":
			q.ContentType = header.ParseContentType(value)
		case "Range":
			inHeader = header.ParseRange(value)
		}
	}
	q.raw, q.content = []byte(raw), []byte(content)
	q.parsed.Extensions = parser.ExtAggregates | parser.ExtDistinct
	if err := q.parsed.Parse(q.raw, mode); err != nil {
		return err
	}
	if method != "GET" {
		inHeader = parser.AllRange
	}
	limits := q.parsed.RootRange()
	q.Top = limits.LimitZero(inHeader.Intersect(limits))
	return q.readPayload(q.content, call)
}

func (q *query) readPayload(content []byte, call bool) error {
	if q.Action <= ReadHead || q.Action == Delete || q.Action == CallGet || q.Action == CallHead {
		return nil
	}
	var err error
	switch kind := q.ContentType.Kind; {
	case kind == header.JSON && q.parsed.HasColumns:
		q.payload.SetRaw(content)
	case kind == header.JSON:
		err = q.payload.ParseJSON(content, call)
	case kind == header.CSV:
		_, err = q.payload.ParseCSV(nil, content, 1<<20)
	case kind == header.Form && call:
		err = q.payload.ParseArgs(content)
	case kind == header.Form:
		_, err = q.payload.ParseForm(nil, content)
	default:
		return nil
	}
	if q.ContentType.Kind == header.JSON {
		q.Payload = &q.payload
	}
	q.PayloadObject, q.Columns = q.payload.IsObject, q.payload.Keys
	if q.parsed.HasColumns {
		q.Columns = q.parsed.Columns
	}
	return err
}

// plan returns the plan for the request, from the cache if it has one.
func (q *query) plan(p *Planner) (*Plan, error) {
	kept, _, err := p.Find(&q.Request)
	if err != nil {
		return nil, err
	}
	return kept.Plan, nil
}

// mustPlan returns the plan for GET of target.
func mustPlan(tb testing.TB, p *Planner, target string, headers ...[2]string) *Plan {
	tb.Helper()
	plan, err := newQuery(tb, "GET", target, headers, "").plan(p)
	if err != nil {
		tb.Fatalf("%s: %v", target, err)
	}
	return plan
}

// scribble overwrites the memory the request was read from, so that a plan
// which has borrowed from it changes.
func (q *query) scribble() {
	for _, b := range [][]byte{q.Target, q.Accept, q.key, q.raw, q.content} {
		copy(b, bytes.Repeat([]byte("#"), len(b)))
	}
}
