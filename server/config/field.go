package config

import (
	"encoding/base64"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/fastgrest/fastgrest/server/auth"
)

// field parses a setting into its place in a Config and prints it.
type field struct {
	read   func(c *Config, in *sources, s *setting) error
	append func(dst []byte, c *Config) []byte
	kind   string // for the help
}

func text(at func(*Config) *string, def string) field {
	return field{
		kind: "text",
		read: func(c *Config, in *sources, s *setting) error {
			if v, ok := in.text(s); ok {
				*at(c) = v
			} else {
				*at(c) = def
			}
			return nil
		},
		append: func(dst []byte, c *Config) []byte { return appendQuoted(dst, *at(c)) },
	}
}

// checked is a string that must pass a check.
func checked(at func(*Config) *string, kind string, valid func(string) bool, complaint string) field {
	f := text(at, "")
	f.kind = kind
	read := f.read
	f.read = func(c *Config, in *sources, s *setting) error {
		if err := read(c, in, s); err != nil {
			return err
		}
		if v := *at(c); v != "" && !valid(v) {
			return valueError(s.key, complaint)
		}
		return nil
	}
	return f
}

func boolean(at func(*Config) *bool, def bool) field {
	return field{
		kind: "boolean",
		read: func(c *Config, in *sources, s *setting) error {
			if v, ok := in.boolean(s); ok {
				*at(c) = v
			} else {
				*at(c) = def
			}
			return nil
		},
		append: func(dst []byte, c *Config) []byte { return strconv.AppendBool(dst, *at(c)) },
	}
}

func integer(at func(*Config) *int, def int) field {
	return field{
		kind: "integer",
		read: func(c *Config, in *sources, s *setting) error {
			if v, ok := in.number(s); ok {
				*at(c) = int(v)
			} else {
				*at(c) = def
			}
			return nil
		},
		append: func(dst []byte, c *Config) []byte { return strconv.AppendInt(dst, int64(*at(c)), 10) },
	}
}

// atLeast is an integer of a key that PostgREST lacks. A value below the minimum
// is an error, since there is no compatibility to keep.
func atLeast(least int, at func(*Config) *int, def int) field {
	f := integer(at, def)
	read := f.read
	f.read = func(c *Config, in *sources, s *setting) error {
		if err := read(c, in, s); err != nil {
			return err
		}
		if *at(c) < least {
			return valueError(s.key, fmt.Sprintf("%s cannot be less than %d", s.key, least))
		}
		return nil
	}
	return f
}

// port is a TCP port. An invalid number is an error here, which names the setting;
// the operating system would refuse it only later.
func port(at func(*Config) *int, def int) field {
	f := atLeast(0, at, def)
	read := f.read
	f.read = func(c *Config, in *sources, s *setting) error {
		if err := read(c, in, s); err != nil {
			return err
		}
		if *at(c) > math.MaxUint16 {
			return valueError(s.key, fmt.Sprintf("%s cannot be more than %d", s.key, math.MaxUint16))
		}
		return nil
	}
	return f
}

// adminPort is absent by default. The dump shows that as an empty string.
func adminPort(at func(*Config) *int) field {
	f := port(at, 0)
	f.append = func(dst []byte, c *Config) []byte {
		if *at(c) == 0 {
			return append(dst, `""`...)
		}
		return strconv.AppendInt(dst, int64(*at(c)), 10)
	}
	return f
}

// maxRows is unlimited if absent or negative. The file's grammar has no negative
// numbers; other sources do.
func maxRows(at func(*Config) *int64) field {
	return field{
		kind: "integer",
		read: func(c *Config, in *sources, s *setting) error {
			v, ok := in.number(s)
			if !ok || v < 0 {
				v = -1
			}
			*at(c) = v
			return nil
		},
		append: func(dst []byte, c *Config) []byte {
			if *at(c) < 0 {
				return append(dst, `""`...)
			}
			return strconv.AppendInt(dst, *at(c), 10)
		},
	}
}

func seconds(at func(*Config) *time.Duration, def int64) field {
	return duration(at, def, time.Second)
}

// duration is a whole number of units.
func duration(at func(*Config) *time.Duration, def int64, unit time.Duration) field {
	most := math.MaxInt64 / int64(unit)
	return field{
		kind: "integer",
		read: func(c *Config, in *sources, s *setting) error {
			v, ok := in.number(s)
			if !ok {
				v = def
			}
			*at(c) = time.Duration(min(max(v, -most), most)) * unit
			return nil
		},
		append: func(dst []byte, c *Config) []byte {
			return strconv.AppendInt(dst, int64(*at(c)/unit), 10)
		},
	}
}

// notNegative is a duration of a key that PostgREST lacks. A negative value is an
// error, since there is no compatibility to keep.
func notNegative(f field, value func(*Config) time.Duration) field {
	read := f.read
	f.read = func(c *Config, in *sources, s *setting) error {
		if err := read(c, in, s); err != nil {
			return err
		}
		if value(c) < 0 {
			return valueError(s.key, s.key+" cannot be less than 0")
		}
		return nil
	}
	return f
}

type emptyList uint8

const (
	emptyMeansDefault emptyList = iota // an empty text counts as absent
	emptyMeansNone                     // an empty text is an empty list
)

func list(at func(*Config) *[]string, def string, empty emptyList) field {
	return field{
		kind: "list",
		read: func(c *Config, in *sources, s *setting) error {
			text, ok := in.text(s)
			if !ok {
				text = def
				if v, found := in.find(s, s.key); found && empty == emptyMeansNone && v.asText() == "" {
					text = ""
				}
			}
			if text == "" {
				*at(c) = nil
				return nil
			}
			*at(c) = listOf(text)
			return nil
		},
		append: func(dst []byte, c *Config) []byte { return appendQuoted(dst, strings.Join(*at(c), ",")) },
	}
}

// schemas is a list that must not expose PostgreSQL's system schemas.
func schemas(at func(*Config) *[]string) field {
	f := list(at, "public", emptyMeansDefault)
	read := f.read
	f.read = func(c *Config, in *sources, s *setting) error {
		if err := read(c, in, s); err != nil {
			return err
		}
		for _, kept := range []string{"pg_catalog", "information_schema"} {
			if slices.Contains(*at(c), kept) {
				return valueError(s.key, "db-schemas does not allow schema: '"+kept+"'")
			}
		}
		return nil
	}
	return f
}

// choice is a string out of a list. Its value is the index in the list.
func choice[T ~uint8](at func(*Config) *T, def T, complaint string, names ...string) field {
	return field{
		kind: strings.Join(names, ", "),
		read: func(c *Config, in *sources, s *setting) error {
			*at(c) = def
			text, ok := in.text(s)
			if !ok {
				return nil
			}
			i := slices.Index(names, text)
			if i < 0 {
				return choiceError(s, complaint, text)
			}
			*at(c) = T(i)
			return nil
		},
		append: func(dst []byte, c *Config) []byte { return appendQuoted(dst, names[*at(c)]) },
	}
}

// choiceError adds the invalid value and the valid ones to PostgREST's message.
func choiceError(s *setting, complaint, text string) error {
	return valueError(s.key, fmt.Sprintf("%s %s is %s, and can be: %s", complaint, s.key, shorten(text), s.kind))
}

var txEnds = []string{"commit", "commit-allow-override", "rollback", "rollback-allow-override"}

func txEnd(at func(*Config) *TxEnd) field {
	index := func(e TxEnd) int {
		i := 0
		if e.Rollback {
			i += 2
		}
		if e.AllowOverride {
			i++
		}
		return i
	}
	return field{
		kind: strings.Join(txEnds, ", "),
		read: func(c *Config, in *sources, s *setting) error {
			text, ok := in.text(s)
			if !ok {
				text = txEnds[0]
			}
			i := slices.Index(txEnds, text)
			if i < 0 {
				return choiceError(s, "Invalid transaction termination. Check your configuration.", text)
			}
			*at(c) = TxEnd{Rollback: i >= 2, AllowOverride: i%2 == 1}
			return nil
		},
		append: func(dst []byte, c *Config) []byte { return appendQuoted(dst, txEnds[index(*at(c))]) },
	}
}

func qualified(at func(*Config) *QualifiedName) field {
	return field{
		kind: "name",
		read: func(c *Config, in *sources, s *setting) error {
			text, ok := in.text(s)
			if !ok {
				*at(c) = QualifiedName{}
				return nil
			}
			*at(c) = parseQualifiedName(text)
			return nil
		},
		append: func(dst []byte, c *Config) []byte { return appendQuoted(dst, at(c).String()) },
	}
}

// fileMode parses the octal digits at the beginning and ignores the rest.
func fileMode(at func(*Config) *uint32) field {
	const least, most = 0o600, 0o777
	return field{
		kind: "octal",
		read: func(c *Config, in *sources, s *setting) error {
			text, ok := in.text(s)
			if !ok {
				text = "660"
			}
			end := 0
			for end < len(text) && text[end] >= '0' && text[end] <= '7' {
				end++
			}
			if end == 0 {
				return valueError(s.key, "Invalid "+s.key+": not an octal")
			}
			mode, err := strconv.ParseUint(text[:end], 8, 32)
			if err != nil || mode < least || mode > most {
				return valueError(s.key, "Invalid "+s.key+": needs to be between 600 and 777")
			}
			*at(c) = uint32(mode)
			return nil
		},
		append: func(dst []byte, c *Config) []byte {
			return appendQuoted(dst, strconv.FormatUint(uint64(*at(c)), 8))
		},
	}
}

func stringOrURI(at func(*Config) *string) field {
	return checked(at, "text or URI", func(v string) bool { return !strings.Contains(v, ":") || isURI(v) },
		"jwt-aud should be a string or a valid URI")
}

func proxyURI(at func(*Config) *string) field {
	return checked(at, "URI", isProxyURI,
		"Malformed proxy uri, a correct example: https://example.com:8443/basePath")
}

// rolePath keeps the string, which the authenticator compiles. The dump shows its
// canonical form, as PostgREST does.
func rolePath(at func(*Config) *string, def string) field {
	f := text(at, def)
	f.kind = "JSONPath"
	read := f.read
	f.read = func(c *Config, in *sources, s *setting) error {
		if err := read(c, in, s); err != nil {
			return err
		}
		if _, err := auth.ParseRolePath(*at(c)); err != nil {
			return valueError(s.key, err.Error())
		}
		return nil
	}
	f.append = func(dst []byte, c *Config) []byte {
		path, err := auth.ParseRolePath(*at(c))
		if err != nil { // the Config is not from Load
			return appendQuoted(dst, *at(c))
		}
		return appendQuoted(dst, escapePath(path))
	}
	return f
}

// escapePath escapes a path for the file. The older path syntax has neither
// dollars nor escapes.
func escapePath(path *auth.RolePath) string {
	if path.Deprecated() {
		return path.String()
	}
	return strings.ReplaceAll(path.String(), "$", "$$")
}

// secretBytes stores the text; loadReferencedFiles decodes it.
func secretBytes(at func(*Config) *[]byte) field {
	return field{
		kind: "text",
		read: func(c *Config, in *sources, s *setting) error {
			*at(c) = nil
			if text, ok := in.text(s); ok {
				*at(c) = []byte(text)
			}
			return nil
		},
		append: func(dst []byte, c *Config) []byte {
			if c.JWTSecretIsBase64 {
				return appendQuoted(dst, base64.StdEncoding.EncodeToString(*at(c)))
			}
			return appendQuoted(dst, validText(string(*at(c))))
		},
	}
}

func parseQualifiedName(s string) QualifiedName {
	schema, name, found := strings.Cut(s, ".")
	if !found {
		return QualifiedName{Name: s}
	}
	return QualifiedName{Schema: schema, Name: name}
}

// appendQuoted quotes a string as the dump does: only quotes are escaped.
func appendQuoted(dst []byte, s string) []byte {
	dst = append(dst, '"')
	for i := 0; i < len(s); i++ {
		if s[i] == '"' {
			dst = append(dst, '\\')
		}
		dst = append(dst, s[i])
	}
	return append(dst, '"')
}
