package config

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// LoadOptions has the sources of values. Every source may be empty.
type LoadOptions struct {
	File     string            // path of the configuration file; may be empty
	Env      []string          // KEY=VALUE, as os.Environ gives it
	Flags    map[string]string // by key, as FlagValues gives it
	Database map[string]string // by name without prefix, as ReadDatabase gives it

	// PreviousURI is the connection string of the running configuration. A reload
	// keeps it: the connection that delivers reloads must not depend on their result.
	PreviousURI string

	// RoleSettings and RoleIsolation come from ReadRoles and are passed on.
	RoleSettings  map[string][]Setting
	RoleIsolation map[string]Isolation
}

// Load reads all sources and returns the resulting configuration.
func Load(o LoadOptions) (*Config, error) {
	in := sources{
		database: o.Database,
		flags:    o.Flags,
		env:      environment(o.Env),
	}
	if o.File != "" {
		file, err := readFile(o.File, in.getenv)
		if err != nil {
			return nil, err
		}
		in.file = file
	}

	if err := in.checkFlags(); err != nil {
		return nil, err
	}
	c := &Config{RoleSettings: o.RoleSettings, RoleIsolation: o.RoleIsolation}
	for i := range settings {
		if err := settings[i].read(c, &in, &settings[i]); err != nil {
			return nil, err
		}
	}
	if c.AdminServerPort != 0 && c.AdminServerPort == c.ServerPort {
		return nil, valueError("admin-server-port", "admin-server-port cannot be the same as server-port")
	}
	c.AppSettings = in.appSettings()
	c.Warnings = append(in.warnings, in.unknown()...)

	c.GivenURI = c.DBURI
	if err := c.loadReferencedFiles(o.PreviousURI); err != nil {
		return nil, err
	}
	return c, nil
}

// sources are the values of one load, each with its own spelling of the keys.
type sources struct {
	database map[string]string
	flags    map[string]string
	env      map[string]string
	file     map[string]value
	warnings []string
}

// find returns the value of highest precedence for one spelling of a key. Older
// spellings do not exist in the database.
func (in *sources) find(s *setting, name string) (value, bool) {
	v, _, ok := in.locate(s, name)
	return v, ok
}

// locate is find and also returns the key as its source spells it.
func (in *sources) locate(s *setting, name string) (v value, called string, ok bool) {
	if s.inDatabase && name == s.key {
		if text, ok := in.database[databaseName(name)]; ok {
			return textOf(text), databasePrefix + databaseName(name) + " (in the database)", true
		}
	}
	if text, ok := in.flags[name]; ok {
		return textOf(text), "--" + name, true
	}
	if text, ok := in.env[envName(name)]; ok {
		return textOf(text), envName(name), true
	}
	v, ok = in.file[name]
	return v, name, ok
}

// text, number and boolean try the names of a setting in order and return the
// first usable value. An empty string counts as absent.
func (in *sources) text(s *setting) (string, bool) {
	for _, name := range s.names() {
		if v, ok := in.find(s, name); ok {
			if text := v.asText(); text != "" {
				return text, true
			}
		}
	}
	return "", false
}

func (in *sources) number(s *setting) (n int64, ok bool) {
	in.usable(s, func(v value) bool { n, ok = v.asInt(); return ok })
	return n, ok
}

func (in *sources) boolean(s *setting) (on, ok bool) {
	in.usable(s, func(v value) bool { on, ok = v.asBool(); return ok })
	return on, ok
}

// usable passes the values of a setting to read until it accepts one. The values
// before that count as absent, as in PostgREST, and get a warning.
func (in *sources) usable(s *setting, read func(value) bool) {
	for _, name := range s.names() {
		v, called, ok := in.locate(s, name)
		switch {
		case !ok:
		case read(v):
			return
		case v.asText() != "":
			in.warnings = append(in.warnings, fmt.Sprintf("%s is %s, which is not %s, so it has no effect", called, shorten(v.asText()), s.wanted()))
		}
	}
}

// checkFlags refuses flags whose number or boolean does not parse.
func (in *sources) checkFlags() error {
	for i := range settings {
		s := &settings[i]
		for _, name := range s.names() {
			text, ok := in.flags[name]
			if !ok || text == "" || byName(name) != s {
				continue
			}
			if s.kind == "boolean" {
				_, ok = textOf(text).asBool()
			} else if s.kind == "integer" {
				_, ok = textOf(text).asInt()
			}
			if !ok {
				return valueError(s.key, fmt.Sprintf("--%s is %s, which is not %s", name, shorten(text), s.wanted()))
			}
		}
	}
	return nil
}

// wanted describes the values of a number or boolean.
func (s *setting) wanted() string {
	if s.kind == "boolean" {
		return "true or false"
	}
	return "an integer"
}

// shorten quotes a value for a message.
func shorten(text string) string {
	const most = 60
	if len(text) > most {
		text = strings.ToValidUTF8(text[:most], "") + "..."
	}
	return strconv.Quote(text)
}

// listOf splits at commas and trims the elements.
func listOf(text string) []string {
	items := strings.Split(text, ",")
	for i := range items {
		items[i] = strings.TrimFunc(items[i], unicode.IsSpace)
	}
	return items
}

// appSettings collects app.settings.* one level deep. The environment has
// precedence over the file for the same name. Names that differ only in case stay
// separate and are set in sorted order.
func (in *sources) appSettings() []Setting {
	found := map[string]string{}
	for key, v := range in.file {
		if rest, ok := strings.CutPrefix(key, appSettingsPrefix); ok && !strings.Contains(rest, ".") {
			found[key] = v.asText()
		}
	}
	for name, text := range in.env {
		if rest, ok := strings.CutPrefix(name, "PGRST_APP_SETTINGS_"); ok {
			found[appSettingsPrefix+rest] = text
		}
	}
	for key, text := range in.flags {
		if strings.HasPrefix(key, appSettingsPrefix) {
			found[key] = text
		}
	}
	list := make([]Setting, 0, len(found))
	for name, text := range found {
		list = append(list, Setting{Name: name, Value: text})
	}
	slices.SortFunc(list, func(a, b Setting) int { return strings.Compare(a.Name, b.Name) })
	return list
}

const appSettingsPrefix = "app.settings."

// dropped are settings of earlier PostgREST versions that are still common in
// configuration files. They have no effect and get no warning.
var dropped = []string{"db-use-legacy-gucs"}

// unknown warns of unknown keys and variables, which Load ignores as PostgREST
// does.
func (in *sources) unknown() []string {
	var list []string
	for key := range in.file {
		if !strings.HasPrefix(key, appSettingsPrefix) && !isKey(key) && !slices.Contains(dropped, key) {
			list = append(list, unknownText(key, Nearest(strings.ToLower(key), keys())))
		}
	}
	for name := range in.env {
		rest, ours := strings.CutPrefix(name, "PGRST_")
		key := strings.ToLower(strings.ReplaceAll(rest, "_", "-"))
		if !ours || strings.HasPrefix(rest, "APP_SETTINGS_") || (isKey(key) || slices.Contains(dropped, key)) && envName(key) == name {
			continue
		}
		near := Nearest(key, keys())
		if near != "" {
			near = envName(near)
		}
		list = append(list, unknownText(name, near))
	}
	slices.Sort(list)
	return list
}

func unknownText(name, near string) string {
	text := shorten(name) + " is not the name of a setting, so it has no effect"
	if near != "" {
		text += "; did you mean " + near + "?"
	}
	return text
}

// environment turns KEY=VALUE lines into a map. The last of repeated names has
// precedence.
func environment(lines []string) map[string]string {
	env := make(map[string]string, len(lines))
	for _, line := range lines {
		if name, text, ok := strings.Cut(line, "="); ok {
			env[name] = validText(text)
		}
	}
	return env
}

// validText replaces invalid UTF-8, because values are copied to JSON, SQL and
// the dump.
func validText(s string) string {
	if utf8.ValidString(s) {
		return s
	}
	return strings.ToValidUTF8(s, "\uFFFD")
}

func (in *sources) getenv(name string) (string, bool) {
	s, ok := in.env[name]
	return s, ok
}

// envName returns the environment variable of a key.
func envName(key string) string {
	return "PGRST_" + strings.ToUpper(databaseName(key))
}

// databaseName returns the name of a key in the database, without prefix.
func databaseName(key string) string {
	return strings.ReplaceAll(key, "-", "_")
}
