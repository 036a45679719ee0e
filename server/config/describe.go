package config

import (
	"slices"
	"strings"
)

// Description is what the documentation says about a setting.
type Description struct {
	Key      string
	Variable string   // of the environment
	Database string   // the name in the database; empty: it cannot be set there
	Aliases  []string // names of earlier versions of PostgREST
	Kind     string   // of the value: text, boolean, integer, choice, ...
	Unit     string   // of a number; what a text names; may be empty
	Choices  []string // the values, where there are few
	Default  string   // as it is written in a configuration file; "" in quotes: not set

	Reloadable bool // a reload applies a changed value
	Ours       bool // PostgREST has no such setting

	Help string // one sentence in Markdown
	More string // further sentences; may be empty
}

// Descriptions lists all settings in alphabetical order.
func Descriptions() []Description {
	list := make([]Description, 0, len(settings))
	for i := range settings {
		s := &settings[i]
		d := Description{
			Key: s.key, Variable: envName(s.key), Kind: s.kind, Unit: s.unit, Choices: s.choices,
			Default: string(s.append(nil, defaults)), Reloadable: s.reloadable, Ours: s.ours, Help: s.help, More: s.more,
		}
		if s.inDatabase {
			d.Database = databasePrefix + databaseName(s.key)
		}
		for _, name := range s.older {
			if byName(name) == s {
				d.Aliases = append(d.Aliases, name)
			}
		}
		list = append(list, d)
	}
	slices.SortFunc(list, func(a, b Description) int { return strings.Compare(a.Key, b.Key) })
	return list
}
