package config

import "slices"

// AppendDump appends the output of --dump-config: one sorted `key = value` line
// for every key, exactly as PostgREST prints it. Keys that PostgREST lacks follow
// after a comment, if all is set or one of them differs from its default. So with
// their defaults, the dump equals PostgREST's.
//
// As in PostgREST, only quotes are escaped. A value with a dollar sign, a
// backslash or a line end is therefore different when the dump is loaded, and so
// is a role path with a descendant segment, which PostgREST prints with an extra dot.
func (c *Config) AppendDump(dst []byte, all bool) []byte {
	lines := make([]string, 0, len(settings)+len(c.AppSettings))
	var own []string
	ownSet := all
	for i := range settings {
		s := &settings[i]
		line := string(s.append([]byte(s.key+" = "), c))
		if !s.ours {
			lines = append(lines, line)
			continue
		}
		own = append(own, line)
		ownSet = ownSet || string(s.append(nil, c)) != string(s.append(nil, defaults))
	}
	for _, a := range c.AppSettings {
		lines = append(lines, string(appendQuoted([]byte(a.Name+" = "), a.Value)))
	}
	dst = appendSorted(dst, lines)
	if ownSet {
		dst = append(dst, "# keys PostgREST does not have\n"...)
		dst = appendSorted(dst, own)
	}
	return dst
}

func appendSorted(dst []byte, lines []string) []byte {
	slices.Sort(lines)
	for _, line := range lines {
		dst = append(append(dst, line...), '\n')
	}
	return dst
}

// defaults is the configuration without any source.
var defaults = func() *Config {
	c := &Config{}
	for i := range settings {
		if err := settings[i].read(c, &sources{}, &settings[i]); err != nil {
			panic("config: the default of " + settings[i].key + ": " + err.Error())
		}
	}
	return c
}()

// String returns the name as spelled in the configuration file.
func (q QualifiedName) String() string {
	if q.Schema == "" {
		return q.Name
	}
	return q.Schema + "." + q.Name
}
