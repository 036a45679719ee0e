//go:build !race

package server

import (
	"encoding/json"
	"flag"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/fastgrest/fastgrest/server/faulttest"
)

const injectionSchema = `
create schema api;
create table api.maker (id int primary key, name text);
create table api.item (id int primary key, name text, doc jsonb, tags text[], words tsvector, maker_id int references api.maker, plain text);
create table api."odd ""name'; --" (id int, "o'd""d" text);
create function api.echo(a text default '', plain text default '') returns text language sql volatile as 'select a';
create function api.vary(variadic a text[]) returns int language sql as 'select array_length(a, 1)';
create function api.whole(json) returns json language sql as 'select $1';
create table api.victim (id int);
insert into api.victim values (1);
grant usage on schema api to test_anon;
grant all on all tables in schema api to test_anon;
`

// mark is in all hostile text, at both ends, so that it is found again
// whatever becomes of the text.
const mark = "zq7x"

var injectAll = flag.Bool("injection-all", false, "have TestInjection try all texts in all positions, not one in six")

var hostileTexts = []string{
	`'; drop table api.victim; --`, `"; drop table api.victim; --`, `' or '1'='1`, `" or "1"="1`, `') ; delete from api.victim; --`, `")); delete from api.victim; --`,
	`\'; delete from api.victim; --`, `\"; delete from api.victim; --`, `\\' or 1=1 --`, `''`, `""`, `'`, `"`, `\`, `\\`, `'"'"`, `$1`, `$$; drop table api.victim; $$`, `$zq$`, `$1$2`,
	`; select 1`, `/* */`, `*/ drop /*`, `--`, "\n-- \n drop", "a\x00b'; drop", "\x00", `ʼ; drop table api.victim; --`, "\u02bc or \u02bc1\u02bc=\u02bc1", "\uff07; drop", "\u2019; drop", "\uff02; drop", "\u201c or",
	`%27; drop`, `%22; drop`, `%00'; drop`, `{"a":"b'"}`, `{a,"b'"}`, `{"}`, `}`, `[1,2]`, `(1,2)`, `)`, `(`, `a,b`, `a.b'c`, `a->'b`, `a->>"b`, `::text; drop`, `E'\''`, `U&"d\0061t"`, `x'41'`, `b'1'`,
	`a:b`, `*`, `,id`, `&select=id`, `\u0027; drop`, `\27`, "\xbf'; drop", "\xc0\xa7; drop", "\xed\xa0\x80'", strings.Repeat("'", 100), strings.Repeat(`"`, 101), strings.Repeat(`\`, 99) + `'`,
	"pg_sleep(1)", "a b c", "select", "1e400", "NaN", "null", "' || pg_sleep(1) || '",
}

// position is a request with a place, §, for text.
type position struct {
	method, target, body string
	head                 []string
}

func injectionPositions() []position {
	var all []position
	add := func(method, target, body string, head ...string) {
		all = append(all, position{method, target, body, head})
	}
	for _, t := range []string{
		"/§", "/rpc/§", "/§/§", "/item?§", "/item?§=eq.1", "/item?id=§", "/item?name=eq.§", "/item?name=§.1", "/item?name=not.§.1", "/item?name=like.§", "/item?name=match.§",
		"/item?id=in.(§)", `/item?name=in.("§")`, `/item?name=in.(1,"§",2)`, "/item?name=is.§", "/item?name=isdistinct.§", "/item?name=like(any).{§}", "/item?name=eq(§).1", "/item?words=fts(§).cat",
		"/item?words=plfts(english).§", "/item?words=wfts.§", "/item?name=fts(§).§", "/item?tags=cs.{§}", "/item?tags=ov.§", "/item?doc=cs.§", "/item?doc->>§=eq.1", "/item?doc->§->>a=eq.1", "/item?doc->0->>§=eq.§", `/item?"§"=eq.1`,
		"/item?or=(§)", "/item?or=(id.eq.1,name.eq.§)", `/item?or=(id.eq.1,name.eq."§")`, "/item?and=(id.eq.1,§.eq.1)", "/item?not.or=(id.§.1)", "/item?or=(and(name.in.(§),id.eq.1),id.eq.2)", "/item?§.or=(id.eq.1)",
		"/item?select=§", "/item?select=id,§", `/item?select="§"`, "/item?select=§:id", `/item?select="§":id`, "/item?select=id::§", "/item?select=a:id::§", "/item?select=doc->§", "/item?select=doc->>§", `/item?select=doc->"§"->>a`, "/item?select=§:doc->a->§",
		"/item?select=maker(§)", "/item?select=maker!§(id)", "/item?select=§!maker_id(id)", "/item?select=§:maker(id)", `/item?select="§":maker("§":id)`, "/item?select=maker(id)&maker.§=eq.1", "/item?select=maker(id)&maker.name=eq.§", "/item?select=maker(id)&§.name=eq.1",
		"/item?select=...maker(§:id)", "/item?select=id.§()", "/item?select=§:id.sum()", "/item?select=id.sum()::§", "/item?select=id::§.sum()", "/item?select=maker(id)&maker.order=§", "/item?order=§", "/item?order=§.desc", "/item?order=id.§", "/item?order=id.desc.§", "/item?order=doc->§.asc",
		"/item?order=maker(§)&select=maker(id)", "/item?order=§(id)&select=maker(id)", `/item?order="§"`, "/item?limit=§", "/item?offset=§", "/item?maker.limit=§&select=maker(id)", "/item?columns=§", "/rpc/echo?a=§", "/rpc/echo?§=a", "/rpc/echo?a=a&plain=§", "/rpc/vary?a=§&a=§", "/rpc/echo?select=§",
	} {
		add("GET", t, "")
	}
	for _, h := range []string{
		"Accept-Profile: §", "Range: §", "Range: 0-§", "Range-Unit: §", "Accept: §", "Accept: text/§", `Accept: application/vnd.pgrst.plan+json; for="§"`, "Accept: application/vnd.pgrst.plan; options=§", "Prefer: §", "Prefer: count=§", "Prefer: timezone=§",
		"Prefer: tx=§", "Prefer: handling=§", "Prefer: max-affected=§", "X-§: a", "X-A: §", "Cookie: §=§", "Authorization: §", "Authorization: Bearer §", "User-Agent: §", "Content-Type: §",
	} {
		add("GET", "/item", "", h)
	}
	for _, b := range []string{`{"§":"a"}`, `{"plain":"§"}`, `{"id":1,"plain":"§","doc":{"§":"§"}}`, `[{"plain":"a"},{"§":"b"}]`, `[{"tags":["§"]}]`, `§`, `"§"`, `{"plain":§}`} {
		for _, prefer := range []string{"Prefer: return=minimal", full, "Prefer: return=headers-only", "Prefer: resolution=merge-duplicates, missing=default, " + full[8:]} {
			add("POST", "/item", b, prefer)
		}
		add("PATCH", "/item?id=eq.1", b, full)
		add("PUT", "/item?id=eq.1", b)
		add("POST", "/rpc/echo", b)
		add("POST", "/rpc/whole", b)
	}
	for _, t := range []string{"/item?on_conflict=§", `/item?on_conflict="§"`, "/item?columns=§", `/item?columns="§"`, "/item?columns=plain,§", "/item?select=§", "/item?select=§:plain", "/§"} {
		add("POST", t, `{"plain":"a"}`, "Prefer: resolution=merge-duplicates, return=representation")
		add("POST", t, `{"plain":"a","§":"§"}`, "Prefer: resolution=ignore-duplicates, missing=default")
	}
	for _, csv := range []string{"§\na", "plain,§\na,b", "plain\n§", "\"§\"\n\"§\"", "plain\n\"§\"\nNULL"} {
		add("POST", "/item", csv, "Content-Type: text/csv", full)
		add("PATCH", "/item?name=eq.§", csv, "Content-Type: text/csv")
	}
	for _, form := range []string{"§=a", "plain=§", "§", "a=§&plain=§"} {
		add("POST", "/item", form, "Content-Type: application/x-www-form-urlencoded")
		add("POST", "/rpc/echo", form, "Content-Type: application/x-www-form-urlencoded")
	}
	add("POST", "/item", `{"plain":"a"}`, "Content-Profile: §")
	add("DELETE", "/item?name=eq.§", "", full)
	add("DELETE", "/item?§=eq.1&limit=§&order=§", "")
	add("PATCH", "/item?§=eq.§", `{"plain":"a"}`)
	add("PUT", "/item?§=eq.1", `{"id":1}`)
	add("GET", "/item", "", "token §")
	add("§", "/item", "")
	return all
}

// fill puts text into a request, encoded as each place requires. Raw places get
// the text without the characters that would need encoding.
func (p *position) fill(text string, w *writer) (method, target, body string, head []string) {
	oneLine := func(s string) string {
		return strings.NewReplacer("\r", " ", "\n", " ", "\x00", " ").Replace(s)
	}
	escape := func(s string) string {
		var b strings.Builder
		for i := range len(s) {
			if c := s[i]; c >= '0' && c <= '9' || c >= 'a' && c <= 'z' {
				b.WriteByte(c)
			} else {
				fmt.Fprintf(&b, "%%%02X", c)
			}
		}
		return b.String()
	}
	inBody := text
	if strings.HasPrefix(p.body, "{") || strings.HasPrefix(p.body, "[") {
		quoted, _ := json.Marshal(text)
		inBody = strings.Trim(string(quoted), `"`)
	} else if slices.Contains(p.head, "Content-Type: application/x-www-form-urlencoded") {
		inBody = escape(text)
	} else if strings.Contains(p.body, `"§"`) {
		inBody = strings.ReplaceAll(text, `"`, `""`)
	}
	for _, h := range p.head {
		if strings.HasPrefix(h, "token ") {
			claims, _ := json.Marshal(map[string]any{"role": text, "sub": text, text: text})
			h = "Authorization: Bearer " + w.token(string(claims))
		} else if name, value, _ := strings.Cut(h, ": "); strings.Contains(name, "§") {
			h = "X-A: " + value
		}
		head = append(head, strings.ReplaceAll(h, "§", oneLine(text)))
	}
	method = p.method
	if method == "§" {
		method = "GET"
		head = append(head, "X-Method: "+oneLine(text))
	}
	replacer := strings.NewReplacer("§", escape(text), `"`, "%22", ">", "%3E", " ", "%20", "{", "%7B", "}", "%7D")
	return method, replacer.Replace(p.target), strings.ReplaceAll(p.body, "§", inBody), head
}

// TestInjection puts hostile text into every place of every kind of request and
// looks at the statements on the wire. It does so one after the other, for
// minutes under the race detector, which would have nothing to see. The rule:
//
//   - a statement consists of words, quoted names, quoted constants, numbers,
//     parameters and operators; no comment, no semicolon, no dollar quote, and
//     each quote is closed;
//   - client text is in quoted names and quoted constants only, or in the name
//     of a type to cast to, which has letters, digits, _, $ and spaces only;
//   - every other word also occurs in the statements of harmless requests.
func TestInjection(t *testing.T) {
	w := startWriter(t, injectionSchema, map[string]string{
		login: "test_login", "db-anon-role": "test_anon", "db-prepared-statements": "false", "db-plan-enabled": "true", "db-aggregates-enabled": "true", "db-tx-end": "commit-allow-override",
		"db-session-reset": "never", // the commands of a reset are fixed, and have semicolons
	})
	run := func(p *position, text string) []string {
		w.proxy.Record()
		method, target, body, head := p.fill(text, w)
		w.ask(method, target, body, head...)
		return sentSQL(w.proxy.Recorded())
	}
	positions := injectionPositions()
	words := map[string]bool{}
	for i := range positions {
		for _, harmless := range []string{"plain", "id", "name", "maker", "eq", "1", "desc", "nullsfirst", "text", "english", "null", "true", "any", "exact", "echo", "sum", "not.null", "text/csv", "max", "count", "planned", "estimated", "name->a", "name->>1", "plain,id", "*", "a:id", "id::text"} {
			for _, s := range run(&positions[i], harmless) {
				tokens, fault := lexSQL(s)
				if fault != "" {
					t.Fatalf("a harmless statement: %s: %s", fault, s)
				}
				for _, tok := range tokens {
					if tok.kind == 'w' {
						words[tok.text] = true
					}
				}
			}
		}
	}
	if len(words) < 40 || words["drop"] {
		t.Fatalf("%d words in harmless statements", len(words))
	}
	ran, tried, found := 0, 0, map[byte]int{}
	for i := range positions {
		for k, text := range hostileTexts {
			if !*injectAll && (k+i)%6 != 0 {
				continue
			}
			text = mark + text + mark
			tried++
			for _, s := range run(&positions[i], text) {
				ran++
				tokens, fault := lexSQL(s)
				for _, tok := range tokens {
					switch has := strings.Contains(tok.text, mark); {
					case has:
						found[tok.kind]++
						if tok.kind == 'w' {
							fault = "client text outside of quotes"
						}
					case tok.kind == 'w' && !words[tok.text]:
						fault = "an unheard-of word: " + tok.text
					}
				}
				if fault != "" {
					t.Errorf("%+v with %q: %s: %s", positions[i], text, fault, s)
				}
			}
		}
	}
	if n := w.count("api.victim"); n != 1 {
		t.Errorf("%d victims left", n)
	}
	if found['n'] == 0 || found['s'] == 0 || *injectAll && found['t'] == 0 {
		t.Errorf("hostile text has not reached statements as names (%d) and constants (%d): the test looks in the wrong place", found['n'], found['s'])
	}
	t.Logf("%d texts in %d positions: %d requests, %d statements; hostile text in %d names, %d constants and %d names of types",
		len(hostileTexts), len(positions), tried, ran, found['n'], found['s'], found['t'])
}

// sentSQL is all SQL that was sent: to be parsed, whether or not it was then
// executed, or by the simple protocol.
func sentSQL(e faulttest.Exchange) (all []string) {
	for _, m := range e[faulttest.ToServer] {
		switch m.Kind {
		case 'P':
			_, rest, _ := strings.Cut(string(m.Body), "\x00") // the statement's name
			sql, _, _ := strings.Cut(rest, "\x00")
			all = append(all, sql)
		case 'Q':
			all = append(all, strings.TrimSuffix(string(m.Body), "\x00"))
		}
	}
	return all
}

type sqlToken struct {
	kind byte // w word, n quoted name, s constant, d number, p parameter, o operator, t name of a type to cast to
	text string
}

var (
	wordSQL     = regexp.MustCompile(`^[A-Za-z_\x80-\xff][A-Za-z0-9_$\x80-\xff]*`)
	numberSQL   = regexp.MustCompile(`^[0-9]+(\.[0-9]+)?`)
	paramSQL    = regexp.MustCompile(`^\$[0-9]+`)
	operatorSQL = regexp.MustCompile(`^[-+*/<>=~!@#%^&|?:.,()\[\]]`)
	castSQL     = regexp.MustCompile(`^AS ([A-Za-z0-9_$ \x80-\xff]+)\)`)
)

// lexSQL cuts a statement into tokens (PostgreSQL documentation, 4.1), or says
// what does not belong there.
func lexSQL(s string) (tokens []sqlToken, fault string) {
	quoted := func(s string, quote byte, escapes bool) int { // its length, -1 if it does not end
		for i := 1; i < len(s); i++ {
			switch {
			case escapes && s[i] == '\\':
				i++
			case s[i] == quote && i+1 < len(s) && s[i+1] == quote:
				i++
			case s[i] == quote:
				return i + 1
			}
		}
		return -1
	}
	for len(s) > 0 {
		kind, n := byte(0), 0
		switch c := s[0]; {
		case c == ' ' || c == '\n' || c == '\t':
			s = s[1:]
			continue
		case c == 0:
			return tokens, "a NUL"
		case strings.HasPrefix(s, "--") || strings.HasPrefix(s, "/*"):
			return tokens, "a comment"
		case c == ';':
			return tokens, "a semicolon"
		case c == '"':
			kind, n = 'n', quoted(s, '"', false)
		case c == '\'':
			kind, n = 's', quoted(s, '\'', false)
			if n > 0 && strings.Contains(s[:n], `\`) {
				return tokens, "a backslash in a constant without E"
			}
		case strings.HasPrefix(s, "E'"):
			if kind, n = 's', quoted(s[1:], '\'', true); n > 0 {
				n++
			}
		case castSQL.MatchString(s):
			m := castSQL.FindStringSubmatch(s)
			tokens = append(tokens, sqlToken{'t', m[1]})
			s = s[len(m[0])-1:]
			continue
		case paramSQL.MatchString(s):
			kind, n = 'p', len(paramSQL.FindString(s))
		case numberSQL.MatchString(s):
			kind, n = 'd', len(numberSQL.FindString(s))
		case wordSQL.MatchString(s):
			kind, n = 'w', len(wordSQL.FindString(s))
		case operatorSQL.MatchString(s):
			kind, n = 'o', 1
		}
		if n <= 0 {
			return tokens, fmt.Sprintf("unreadable from %.40q on", s)
		}
		tokens = append(tokens, sqlToken{kind, s[:n]})
		s = s[n:]
	}
	return tokens, ""
}
