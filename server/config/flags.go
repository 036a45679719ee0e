package config

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/pflag"

	"github.com/fastgrest/fastgrest/planner/fuzzy"
)

// appSettingFlag sets app.settings.*, which have arbitrary names.
const appSettingFlag = "app-setting"

// Annotations of the flags that RegisterFlags adds, for completion and documentation.
const (
	// SettingAnnotation is there if RegisterFlags has added the flag.
	SettingAnnotation = "setting"
	// ChoicesAnnotation has the values of a flag, where there are few.
	ChoicesAnnotation = "choices"
	// OptionalAnnotation is there if JoinBooleans completes a flag without a value.
	OptionalAnnotation = "optional"
)

// RegisterFlags adds a flag for every key, `--db-pool 20`. Older names are
// accepted and hidden. Booleans need JoinBooleans.
func RegisterFlags(fs *pflag.FlagSet) {
	for i := range settings {
		s := &settings[i]
		add(fs, s.key, s.flagUsage())
		s.annotate(fs.Lookup(s.key))
		for _, name := range s.older {
			if byName(name).key != name { // not one that is a key itself
				add(fs, name, "An older name of --"+s.key+".")
				fs.Lookup(name).Hidden = true
			}
		}
	}
	fs.StringArray(appSettingFlag, nil, "Sets app.settings.`NAME=value`, which SQL reads with current_setting(). The flag may be repeated.")
	fs.Lookup(appSettingFlag).Annotations = map[string][]string{SettingAnnotation: nil}
}

// JoinBooleans makes `--log-query` and `--log-query true` both `--log-query=true`,
// for the booleans that RegisterFlags has added to fs. The next argument is the
// value only if it is true, false, 1 or 0 in any case, because it could also be
// the name of the file.
func JoinBooleans(fs *pflag.FlagSet, args []string) []string {
	joined := make([]string, 0, len(args))
	for i := 0; i < len(args); i++ {
		arg := args[i]
		if arg == "--" {
			return append(joined, args[i:]...)
		}
		joined = append(joined, arg)
		name, long := strings.CutPrefix(arg, "--")
		flag := fs.Lookup(name) // nil for --name=value
		if !long || flag == nil || flag.NoOptDefVal != "" {
			continue
		}
		next := i + 1
		if s := byName(name); s == nil || s.kind != "boolean" {
			if next < len(args) { // the next argument is the value
				joined = append(joined, args[next])
				i = next
			}
			continue
		}
		value := "true"
		if next < len(args) && isBoolean(args[next]) {
			value = args[next]
			i = next
		}
		joined[len(joined)-1] = arg + "=" + value
	}
	return joined
}

func isBoolean(text string) bool {
	return text == "1" || text == "0" || strings.EqualFold(text, "true") || strings.EqualFold(text, "false")
}

// add skips flags that the caller has defined.
func add(fs *pflag.FlagSet, name, usage string) {
	if fs.Lookup(name) == nil {
		fs.String(name, "", usage)
		fs.Lookup(name).Annotations = map[string][]string{SettingAnnotation: nil}
	}
}

func (s *setting) annotate(f *pflag.Flag) {
	if _, ours := f.Annotations[SettingAnnotation]; !ours || len(s.choices) == 0 {
		return
	}
	f.Annotations[ChoicesAnnotation] = s.choices
	if s.kind == "boolean" {
		f.Annotations[OptionalAnnotation] = nil
	}
}

func (s *setting) flagUsage() string {
	unit := s.unit
	if unit == "" {
		unit = s.kind
	}
	usage := "`" + strings.ReplaceAll(unit, " ", "-") + "`: " + strings.ReplaceAll(s.help, "`", "")
	if def := strings.Trim(string(s.append(nil, defaults)), `"`); def != "" {
		if strings.Contains(def, "$") { // the file escapes it as $$, and a shell expands it
			def = "'" + strings.ReplaceAll(def, "$$", "$") + "'"
		}
		usage += " (default " + def + ")"
	}
	return usage
}

// FlagValues returns the values of the flags that were set, by key, for
// LoadOptions.
func FlagValues(fs *pflag.FlagSet) map[string]string {
	values := map[string]string{}
	fs.Visit(func(f *pflag.Flag) {
		if f.Name == appSettingFlag {
			list, _ := fs.GetStringArray(appSettingFlag)
			for _, item := range list {
				name, v, _ := strings.Cut(item, "=")
				values[appSettingsPrefix+name] = validText(v)
			}
			return
		}
		if byName(f.Name) != nil {
			values[f.Name] = validText(f.Value.String())
		}
	})
	return values
}

// ExplainFlagError adds the most similar flag to the error of an unknown flag.
func ExplainFlagError(fs *pflag.FlagSet, err error) error {
	var missing *pflag.NotExistError
	if !errors.As(err, &missing) {
		return err
	}
	var names []string
	fs.VisitAll(func(f *pflag.Flag) {
		if !f.Hidden {
			names = append(names, f.Name)
		}
	})
	if near := Nearest(missing.GetSpecifiedName(), names); near != "" {
		return fmt.Errorf("%w; did you mean --%s?", err, near)
	}
	return err
}

// keys lists the names of all settings.
func keys() []string {
	names := make([]string, len(settings))
	for i := range settings {
		names[i] = settings[i].key
	}
	return names
}

// Nearest returns the name with the smallest edit distance to what was written,
// or "" if that is large for its length.
func Nearest(written string, names []string) string {
	best, bestEdits := "", len(written)/3+1
	for _, name := range names {
		if n := fuzzy.Distance([]rune(written), []rune(name)); n < bestEdits {
			best, bestEdits = name, n
		}
	}
	return best
}
