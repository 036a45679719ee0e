package config

import (
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"
)

// ConnOptions are the parameters that a connection adds to db-uri.
type ConnOptions struct {
	ApplicationName string // the default where neither db-uri nor PGAPPNAME has one
	ReadWrite       bool   // use only a host that accepts writes, as LISTEN requires
}

// ConnString returns db-uri with the options added, for pgconn.ParseConfig. With
// the default "postgresql://", all parameters come from the PG* environment,
// which pgconn reads as libpq does.
//
// PostgREST passes fallback_application_name. pgconn would send that to the
// server as a setting, so ConnString sets application_name instead, unless a
// source with precedence has it. It replaces target_session_attrs in place,
// because of two values pgconn uses the first and libpq the last.
func (c *Config) ConnString(o ConnOptions) string {
	return connString(c.DBURI, o, append(variables("PGHOSTADDR", "hostaddr"), sessionVariables()...))
}

// sessionVariables are those variables of sessions that libpq reads and pgconn does not.
func sessionVariables() []connPair { return variables("PGDATESTYLE", "datestyle", "PGGEQO", "geqo") }

// variables returns the variables that are set. names has the name and the key of each.
func variables(names ...string) (pairs []connPair) {
	for i := 0; i < len(names); i += 2 {
		if text := os.Getenv(names[i]); text != "" {
			pairs = append(pairs, connPair{key: names[i+1], value: text})
		}
	}
	return pairs
}

// ReplicaStrings returns what ConnString returns for each read replica. PGHOSTADDR is
// the address of the primary.
func (c *Config) ReplicaStrings(o ConnOptions) (list []string) {
	for _, uri := range splitConnStrings(c.DBReadReplicas) {
		list = append(list, connString(uri, o, sessionVariables()))
	}
	return list
}

func connString(uri string, o ConnOptions, more []connPair) string {
	if isConnURI(uri) {
		return connURI(uri, o, more)
	}
	if !strings.Contains(uri, "=") {
		return uri // pgconn reports the error
	}
	return connPairs(uri, o, more)
}

// connStart is the beginning of a connection string: a scheme, or a key of a pair.
var connStart = regexp.MustCompile(`^\s*(?:postgres(?:ql)?://|[a-z_]+\s*=)`)

// splitConnStrings splits a list of connection strings at its commas. A comma inside of
// one, between hosts for example, is not followed by the beginning of another one. In a
// URI a comma may be followed by a parameter's value with an equals sign in it, so only a
// URI follows a URI.
func splitConnStrings(list string) (out []string) {
	start := 0
	end := func(i int) {
		if s := strings.TrimSpace(list[start:i]); s != "" {
			out = append(out, s)
		}
		start = i + 1
	}
	for i := range len(list) {
		if list[i] != ',' {
			continue
		}
		rest := strings.TrimSpace(list[i+1:])
		if !isConnURI(strings.TrimSpace(list[start:i])) && connStart.MatchString(rest) || isConnURI(rest) || rest == "" {
			end(i)
		}
	}
	end(len(list))
	return out
}

func isConnURI(s string) bool {
	return strings.HasPrefix(s, "postgresql://") || strings.HasPrefix(s, "postgres://")
}

const (
	appName      = "application_name"
	fallbackName = "fallback_application_name"
	sessionAttrs = "target_session_attrs"
	readWrite    = "read-write"
)

// connURI adds the options, and the pairs of more whose keys the URI lacks.
func connURI(uri string, o ConnOptions, more []connPair) string {
	// A password may contain question marks: parameters begin after the host.
	at := strings.LastIndexByte(uri, '@') + 1
	base, query := uri, ""
	if i := strings.IndexByte(uri[at:], '?'); i >= 0 {
		base, query = uri[:at+i], uri[at+i+1:]
	}
	var kept []string
	named := false
	fallback := url.QueryEscape(o.ApplicationName)
	for _, pair := range strings.Split(query, "&") {
		key, v, _ := strings.Cut(pair, "=")
		switch {
		case pair == "" || key == sessionAttrs && o.ReadWrite:
			continue
		case key == fallbackName:
			fallback = v
			continue
		case key == appName:
			named = true
		}
		kept = append(kept, pair)
		more = slices.DeleteFunc(more, func(p connPair) bool { return p.key == key })
	}
	for _, p := range more {
		kept = append(kept, uriParameter(p.key, url.QueryEscape(p.value)))
	}
	if !named && fallback != "" && os.Getenv("PGAPPNAME") == "" {
		kept = append(kept, uriParameter(appName, fallback))
	}
	if o.ReadWrite {
		kept = append(kept, sessionAttrs+"="+readWrite)
	}
	if len(kept) == 0 {
		return base
	}
	return base + "?" + strings.Join(kept, "&")
}

// uriParameter returns a parameter whose value is escaped already. libpq does not read a
// plus as a blank.
func uriParameter(key, escaped string) string {
	return key + "=" + strings.ReplaceAll(escaped, "+", "%20")
}

// connPairs is connURI for a string of key=value pairs. The last of repeated
// keys has precedence.
func connPairs(pairs string, o ConnOptions, more []connPair) string {
	named := false
	fallback := o.ApplicationName
	var b strings.Builder
	for _, p := range splitPairs(pairs) {
		if p.key == fallbackName {
			fallback = p.value
			continue
		}
		named = named || p.key == appName
		b.WriteString(p.text)
		b.WriteByte(' ')
		more = slices.DeleteFunc(more, func(m connPair) bool { return m.key == p.key })
	}
	for _, p := range more {
		b.WriteString(pairText(p.key, p.value))
	}
	if !named && fallback != "" && os.Getenv("PGAPPNAME") == "" {
		b.WriteString(pairText(appName, fallback))
	}
	if o.ReadWrite {
		b.WriteString(pairText(sessionAttrs, readWrite))
	}
	return strings.TrimSuffix(b.String(), " ")
}

func pairText(key, value string) string { return key + "='" + pairEscaper.Replace(value) + "' " }

var pairEscaper = strings.NewReplacer(`\`, `\\`, `'`, `\'`)

type connPair struct{ key, value, text string }

// splitPairs splits at the spaces between pairs. It respects quotes and
// backslashes, and keeps malformed text, for which pgconn reports the error.
func splitPairs(s string) []connPair {
	const space = " \t\n\r\f\v"
	var list []connPair
	for s = strings.TrimLeft(s, space); s != ""; s = strings.TrimLeft(s, space) {
		equal := strings.IndexByte(s, '=')
		if equal < 0 {
			return append(list, connPair{text: strings.TrimRight(s, space)})
		}
		i := equal + 1
		for i < len(s) && strings.IndexByte(space, s[i]) >= 0 {
			i++
		}
		quoted := i < len(s) && s[i] == '\''
		if quoted {
			i++
		}
		var v strings.Builder
		for ; i < len(s); i++ {
			c := s[i]
			if quoted && c == '\'' || !quoted && strings.IndexByte(space, c) >= 0 {
				break
			}
			if c == '\\' && i+1 < len(s) {
				i++
				c = s[i]
			}
			v.WriteByte(c)
		}
		if quoted && i < len(s) {
			i++
		}
		list = append(list, connPair{key: strings.TrimSpace(s[:equal]), value: v.String(), text: s[:i]})
		s = s[i:]
	}
	return list
}
