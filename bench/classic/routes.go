package classic

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/valyala/fasthttp"
)

// route is one kind of request: its exact parameters, and its SQL.
type route struct {
	method string
	path   string
	params []param
	sql    string
	args   func([]any, *fasthttp.RequestCtx) ([]any, error) // reads the arguments of a body; nil if all arguments are parameters
}

// param is name=prefix, followed by a number that becomes an argument, or by nothing.
type param struct {
	name, prefix string
	number       bool
}

// list returns SQL that makes one body and its number of rows, as PostgREST
// does.
func list(rows string) string {
	return "select count(*), coalesce(json_agg(_), '[]') from (" + rows + ") _"
}

var routes = []route{
	{method: "GET", path: "/item", params: []param{{"id", "eq.", true}},
		sql: list("select * from item where id = $1")},
	{method: "GET", path: "/item", params: []param{{"id", "gte.", true}, {"limit", "", true}, {"order", "id", false}},
		sql: list("select * from item where id >= $1 order by id limit $2")},
	{method: "GET", path: "/customer", params: []param{{"id", "gte.", true}, {"limit", "", true}, {"order", "id", false}, {"select", "*,purchase(*)", false}},
		sql: list("select c.*, p.list as purchase from customer c" +
			" left join lateral (select coalesce(json_agg(_), '[]') as list from (select * from purchase where customer_id = c.id) _) p on true" +
			" where c.id >= $1 order by c.id limit $2")},
	{method: "POST", path: "/reading", args: newReading,
		sql: "insert into reading (device, taken, celsius, note) values ($1, $2, $3, $4)"},
}

// find returns the route of a request and the arguments from its parameters, or nil.
func find(ctx *fasthttp.RequestCtx, args []any) (*route, []any) {
	query := ctx.QueryArgs()
	for i := range routes {
		r := &routes[i]
		if string(ctx.Method()) != r.method || string(ctx.Path()) != r.path || query.Len() != len(r.params) {
			continue
		}
		if args, ok := r.match(query, args); ok {
			return r, args
		}
	}
	return nil, nil
}

func (r *route) match(query *fasthttp.Args, args []any) ([]any, bool) {
	for _, p := range r.params {
		rest, ok := strings.CutPrefix(string(query.Peek(p.name)), p.prefix)
		if !ok || !p.number && rest != "" {
			return nil, false
		}
		if p.number {
			n, err := strconv.ParseInt(rest, 10, 32)
			if err != nil {
				return nil, false
			}
			args = append(args, n)
		}
	}
	return args, true
}

// reading is a body. celsius stays text, because a float would lose digits of a
// numeric.
type reading struct {
	Device  int32       `json:"device"`
	Taken   time.Time   `json:"taken"`
	Celsius json.Number `json:"celsius"`
	Note    *string     `json:"note"`
}

func newReading(args []any, ctx *fasthttp.RequestCtx) ([]any, error) {
	var v reading
	if err := json.Unmarshal(ctx.PostBody(), &v); err != nil {
		return nil, fmt.Errorf("the body is not one reading: %w", err)
	}
	return append(args, v.Device, v.Taken, string(v.Celsius), v.Note), nil
}
