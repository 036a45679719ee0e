package catalog

import "strings"

// ISOStyle reports whether a DateStyle prints dates in ISO style. A DateStyle with
// only the order of day and month keeps the previous style.
func ISOStyle(style string) bool {
	style = strings.ToLower(style)
	for _, other := range [...]string{"sql", "postgres", "german"} {
		if strings.Contains(style, other) {
			return false
		}
	}
	return true
}

// KeepsISO reports whether ISO style remains in force under further settings.
func KeepsISO(settings []Setting) bool {
	for _, s := range settings {
		if strings.EqualFold(s.Name, "DateStyle") && !ISOStyle(s.Value) {
			return false
		}
	}
	return true
}
