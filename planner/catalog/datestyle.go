package catalog

import "strings"

// ISOStyle reports whether dates are printed in ISO style under a DateStyle. One
// that names only the order of day and month keeps the style that was in force.
func ISOStyle(style string) bool {
	style = strings.ToLower(style)
	for _, other := range [...]string{"sql", "postgres", "german"} {
		if strings.Contains(style, other) {
			return false
		}
	}
	return true
}

// KeepsISO reports whether dates in ISO style stay so under further settings.
func KeepsISO(settings []Setting) bool {
	for _, s := range settings {
		if strings.EqualFold(s.Name, "DateStyle") && !ISOStyle(s.Value) {
			return false
		}
	}
	return true
}
