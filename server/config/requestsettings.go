package config

import (
	"slices"
	"strings"
)

// requestSettings is all, auto, none or a list of details of a request.
func requestSettings(at func(*Config) *RequestSettings) field {
	details := []string{"method", "path", "headers", "cookies"}
	all := RequestSettings{Method: true, Path: true, Headers: true, Cookies: true}
	places := func(r *RequestSettings) []*bool { return []*bool{&r.Method, &r.Path, &r.Headers, &r.Cookies} }
	return field{
		kind:    "list",
		choices: append([]string{"all", "auto", "none"}, details...),
		read: func(c *Config, in *sources, s *setting) error {
			r, text := RequestSettings{}, "all"
			if given, ok := in.text(s); ok {
				text = given
			}
			switch text {
			case "all", "auto":
				r = all
				r.Auto = text == "auto"
			case "none":
			default:
				for _, name := range listOf(text) {
					i := slices.Index(details, name)
					if i < 0 {
						return choiceError(s, "Invalid db-request-settings. Check your configuration.", text)
					}
					*places(&r)[i] = true
				}
			}
			*at(c) = r
			return nil
		},
		append: func(dst []byte, c *Config) []byte {
			r := *at(c)
			var names []string
			for i, on := range places(&r) {
				if *on {
					names = append(names, details[i])
				}
			}
			text := strings.Join(names, ",")
			switch {
			case r.Auto:
				text = "auto"
			case r == all:
				text = "all"
			case text == "":
				text = "none"
			}
			return appendQuoted(dst, text)
		},
	}
}
