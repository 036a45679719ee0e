package purity

import (
	_ "embed"
	"strings"
)

//go:embed harmless.txt
var harmlessText string

//go:embed harmful.txt
var harmfulText string

var harmless, harmful = nameList(harmlessText), nameList(harmfulText)

func nameList(text string) map[string]bool {
	set := map[string]bool{}
	for line := range strings.Lines(text) {
		if !strings.HasPrefix(line, "#") {
			for name := range strings.FieldsSeq(line) {
				set[name] = true
			}
		}
	}
	return set
}

// Builtin is the Trace of a function that PostgreSQL brings with it in
// pg_catalog. An immutable one depends on its arguments only, and changes
// nothing. The others are listed by name, those of all versions; one that is on
// no list leaves something.
func Builtin(name string, immutable bool) Trace {
	switch {
	case immutable || harmless[name]:
		return 0
	case name == "nextval" || name == "setval":
		return Sequence
	case name == "currval" || name == "lastval":
		return Session | Reads
	case strings.Contains(name, "_to_xml") || name == "ts_stat" || name == "ts_rewrite":
		return Session | Reads
	}
	return Session
}

// Listed reports on which lists a function of pg_catalog that is not immutable
// is.
func Listed(name string) (isHarmless, isHarmful bool) { return harmless[name], harmful[name] }

// modules are extensions whose functions in C keep nothing that a later request
// could see, by the name of their library, with the symbols of those that do.
// All but the last two are PostgreSQL's own.
var modules = map[string]map[string]bool{
	"$libdir/btree_gin":     nil,
	"$libdir/btree_gist":    nil,
	"$libdir/citext":        nil,
	"$libdir/cube":          nil,
	"$libdir/fuzzystrmatch": nil,
	"$libdir/hstore":        nil,
	"$libdir/_int":          nil,
	"$libdir/ltree":         nil,
	"$libdir/pg_trgm":       {"set_limit": true},
	"$libdir/pgcrypto":      nil,
	"$libdir/seg":           nil,
	"$libdir/unaccent":      nil,
	"$libdir/uuid-ossp":     nil,
	"$libdir/postgis-3":     nil,
	"$libdir/vector":        nil,
}

// Module is the Trace of a function in C, by its library and symbol.
func Module(library, symbol string) Trace {
	if except, known := modules[library]; known && !except[symbol] {
		return 0
	}
	return Unknown
}

// MentionsPrepare reports whether a source has the word "prepare", in code, in a
// constant or in a comment.
func MentionsPrepare(source []byte) bool {
	const prepare = "prepare"
	for i := 0; i+len(prepare) <= len(source); i++ {
		if source[i]|0x20 == 'p' && strings.EqualFold(string(source[i:i+len(prepare)]), prepare) &&
			(i == 0 || !isName(source[i-1])) && (i+len(prepare) == len(source) || !isName(source[i+len(prepare)])) {
			return true
		}
	}
	return false
}
