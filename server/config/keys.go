package config

import (
	"slices"
	"strings"
)

// names returns the spellings of a setting in the order in which they are tried.
func (s *setting) names() []string {
	if s.olderFirst {
		return append(slices.Clone(s.older), s.key)
	}
	return append([]string{s.key}, s.older...)
}

// byName finds the row of a key or of one of its older names.
func byName(name string) *setting {
	for i := range settings {
		if settings[i].key == name {
			return &settings[i]
		}
	}
	for i := range settings {
		if slices.Contains(settings[i].older, name) {
			return &settings[i]
		}
	}
	return nil
}

// isKey reports whether a name in a file is known. PostgREST has keys that begin
// with internal- for its own tests; they get no warning.
func isKey(name string) bool {
	return byName(name) != nil || strings.HasPrefix(name, "internal-")
}

// NeedsRestart lists the keys whose values differ between two configurations
// and take effect only at the next start.
func NeedsRestart(running, loaded *Config) []string {
	var keys []string
	for i := range settings {
		s := &settings[i]
		switch {
		case s.reloadable:
		case s.key == "db-uri": // Load keeps the one in force
			if running.GivenURI != loaded.GivenURI {
				keys = append(keys, s.key)
			}
		case string(s.append(nil, running)) != string(s.append(nil, loaded)):
			keys = append(keys, s.key)
		}
	}
	return keys
}
