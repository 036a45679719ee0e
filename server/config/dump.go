package config

import "slices"

// AppendDump appends what --dump-config prints: one sorted `key = value` line
// for every key, exactly as PostgREST prints them. Our own keys follow after a
// comment, all of them if one is not at its default or if all is set: by default
// the dump of a configuration PostgREST could have is the dump PostgREST gives.
//
// As in PostgREST only quotes are escaped: a value with a dollar sign, a
// backslash or a line end does not survive being read again. So does a role
// path with a descendant segment, which PostgREST prints with a dot too many.
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

// defaults is the configuration of no sources at all.
var defaults = func() *Config {
	c := &Config{}
	for i := range settings {
		if err := settings[i].read(c, &sources{}, &settings[i]); err != nil {
			panic("config: the default of " + settings[i].key + ": " + err.Error())
		}
	}
	return c
}()

// String gives the name as the file spells it.
func (q QualifiedName) String() string {
	if q.Schema == "" {
		return q.Name
	}
	return q.Schema + "." + q.Name
}
