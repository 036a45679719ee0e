package main

import (
	"fmt"
	"io"
	"net"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/pascaldekloe/jwt"

	"github.com/fastgrest/fastgrest/pgwire/pgcluster"
	"github.com/fastgrest/fastgrest/server/config"
)

// example is a command line to paste. Headers may contain a token: {reader} or {editor}.
type example struct {
	what    string
	path    string
	headers []string
	method  string // empty: GET
	body    string
}

var examples = []example{
	{what: "The newest books, a column renamed", path: "/book?select=title,date:published,pages&order=published.desc&limit=3"},
	{what: "Filters: cheap pocket books still printed", path: "/edition?format=eq.pocket&price=lt.5&in_print=cs.[2026-01-01,2026-01-01]&limit=3"},
	{what: "A logic tree, a JSON path, an array", path: "/book?select=title,tags,width:details->size->width_mm&or=(pages.lt.60,pages.gt.840)&tags=cs.{signed}&limit=3"},
	{what: "Full text", path: "/book?select=title,blurb&search=wfts(english).lighthouse%20baker&limit=2"},
	{what: "A page and the total, as a range with a count", path: "/author?select=full_name,born&order=born",
		headers: []string{"Range: 0-4", "Prefer: count=exact"}},
	{what: "CSV from a materialized view", path: "/bestseller?select=place,title,copies&order=place&limit=5",
		headers: []string{"Accept: text/csv"}},
	{what: "Another schema's view (staff only)", path: "/monthly_sales?month=eq.2024-12-01",
		headers: []string{"Accept-Profile: reports", "Authorization: Bearer {editor}"}},
	{what: "Related rows in one response", path: "/book?select=title,author!author_id(full_name),edition(format,price),genre(name)&genre.limit=2&id=in.(1,2,3)"},
	{what: "A function, with a filter on its result", path: "/rpc/search_books?query=garden%20-winter&select=title,pages&pages=lt.200&limit=3"},
	{what: "Row security: customer 42 sees only their own purchases", path: "/purchase?select=placed,status&order=placed.desc",
		headers: []string{"Authorization: Bearer {reader}"}},
	{what: "Insert a row, and get it back (staff only)", method: "POST", path: "/author?select=id,full_name,country",
		headers: []string{"Authorization: Bearer {editor}", jsonBody, "Prefer: return=representation"},
		body:    `{"first_name": "Ada", "last_name": "O'Hara", "born": "1979-05-04", "country": "IE"}`},
	{what: "Update rows", method: "PATCH", path: "/edition?book_id=eq.1&select=book_id,number,price",
		headers: []string{"Authorization: Bearer {editor}", jsonBody, "Prefer: return=representation"},
		body:    `{"price": 9.99}`},
	{what: "Delete rows: customer 42 takes back their reviews (the second time nothing is left)", method: "DELETE", path: "/review?customer_id=eq.42&select=id,headline",
		headers: []string{"Authorization: Bearer {reader}", "Prefer: return=representation"}},
	{what: "Call a function that writes: customer 42 buys two copies", method: "POST", path: "/rpc/buy?select=id,placed,status",
		headers: []string{"Authorization: Bearer {reader}", jsonBody},
		body:    `{"book_id": 7, "copies": 2}`},
}

// jsonBody is needed because curl's default type is that of a form.
const jsonBody = "Content-Type: application/json"

func writeBanner(w io.Writer, c *config.Config, cluster *pgcluster.Cluster, took time.Duration) error {
	tokens, err := demoTokens(c.JWTSecret)
	if err != nil {
		return err
	}
	base := baseURL(c)
	var b strings.Builder
	fmt.Fprintf(&b, "\nLantern Books is open (after %.1f s). Paste one of these into another terminal:\n", took.Seconds())
	for _, e := range examples {
		fmt.Fprintf(&b, "\n# %s\n%s\n", e.what, tokens.Replace(e.curl(base, c.ServerUnixSocket)))
	}
	fmt.Fprintf(&b, "\nAPI      %s (the tokens above are good for a day)\n", base)
	b.WriteString(adminLines(c))
	fmt.Fprintf(&b, "SQL      psql '%s'\n", cluster.URI(demoDatabase, pgcluster.Superuser))
	fmt.Fprintf(&b, "Stop     Ctrl-C. Every start begins with fresh data.\n\n")
	_, err = io.WriteString(w, b.String())
	return err
}

// adminLines name the address of the admin server. For a unix socket, which browsers cannot open, they
// leave out the page.
func adminLines(c *config.Config) string {
	switch {
	case c.AdminServerUnixSocket != "":
		return "Admin    curl --unix-socket " + quote(c.AdminServerUnixSocket) + " http://localhost/ready (or /live, /metrics, /schema_cache)\n"
	case c.AdminServerPort != 0:
		return "Page     " + adminURL(c) + "/ui (requests, latency, pool and caches, for a browser)\n" +
			"Manual   " + adminURL(c) + "/manual\n" +
			"Admin    " + readyURL(c) + ", /live, /metrics, /schema_cache\n"
	}
	return ""
}

func (e example) curl(base, socket string) string {
	args := []string{"curl", "-g"}
	if socket != "" {
		args = append(args, "--unix-socket", quote(socket))
	}
	if e.method != "" {
		args = append(args, "-X", e.method)
	}
	for _, h := range e.headers {
		args = append(args, "-H", quote(h))
	}
	if slices.ContainsFunc(e.headers, func(h string) bool { return strings.HasPrefix(h, "Range:") }) {
		args = append(args, "-i")
	}
	if e.body != "" {
		args = append(args, "-d", quote(e.body))
	}
	return strings.Join(append(args, quote(base+e.path)), " ")
}

// quote quotes s for a shell.
func quote(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }

func baseURL(c *config.Config) string {
	host := reachable(c.ServerHost)
	if c.ServerUnixSocket != "" {
		return "http://" + host
	}
	return "http://" + net.JoinHostPort(host, strconv.Itoa(c.ServerPort))
}

// demoTokens signs a token for each role and returns a replacer that puts them into the examples.
func demoTokens(secret []byte) (*strings.Replacer, error) {
	var pairs []string
	for _, claims := range []map[string]any{
		{"role": "reader", "customer_id": 42},
		{"role": "editor"},
	} {
		c := jwt.Claims{Set: claims}
		c.Expires = jwt.NewNumericTime(time.Now().Add(24 * time.Hour).Round(time.Second))
		token, err := c.HMACSign(jwt.HS256, secret)
		if err != nil {
			return nil, err
		}
		pairs = append(pairs, "{"+claims["role"].(string)+"}", string(token))
	}
	return strings.NewReplacer(pairs...), nil
}
