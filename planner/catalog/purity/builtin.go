package purity

import (
	_ "embed"
	"strings"
)

//go:embed harmless.txt
var harmlessText string

// harmless has the functions of harmless.txt. testdata/harmful.txt has the others.
// A test fails if a version of PostgreSQL has a function that neither file has.
var harmless = readNames(harmlessText)

// readNames reads names between white space. A line that begins with # is a
// comment.
func readNames(text string) map[string]bool {
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
	case observing[name]:
		return Observes
	case immutable || harmless[name]:
		return 0
	case name == "nextval" || name == "setval":
		return Sequence
	case name == "currval" || name == "lastval":
		return Session | Reads
	case strings.Contains(name, "_to_xml") || name == "ts_stat" || name == "ts_rewrite":
		return Unknown
	}
	return Session | Observes
}

// observing are the harmless functions that can show a setting whose name begins
// with "request.". Others read settings, too, such as search_path and timezone,
// which are the same for all requests or always set. Functions that are not
// harmless count as observing in any case.
var observing = readNames("current_setting pg_settings_get_flags pg_show_all_settings")

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
	postgis:                 nil,
	"$libdir/vector":        nil,
}

// PostGIS reads relations whose names are arguments, which may be views.
const postgis = "$libdir/postgis-3"

// Module is the Trace of a function in C, by its library and symbol.
func Module(library, symbol string) Trace {
	switch except, known := modules[library]; {
	case !known || except[symbol]:
		return Unknown
	case library == postgis:
		return Observes
	}
	return 0
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
