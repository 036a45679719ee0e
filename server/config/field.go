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
	read    func(c *Config, in *sources, s *setting) error
	append  func(dst []byte, c *Config) []byte
	kind    string   // for the help
	choices []string // the values, where there are few
}

// scalar is a single value. find returns the value of a source, and print appends it
// for the dump.
func scalar[T any](kind string, at func(*Config) *T, def T, find func(*sources, *setting) (T, bool), print func([]byte, T) []byte) field {
	return field{
		kind: kind,
		read: func(c *Config, in *sources, s *setting) error {
			v, ok := find(in, s)
			if !ok {
				v = def
			}
			*at(c) = v
			return nil
		},
		append: func(dst []byte, c *Config) []byte { return print(dst, *at(c)) },
	}
}

// checked is the field with a check of what was read. The check returns what is
// wrong, or "".
func (f field) checked(check func(c *Config, s *setting) string) field {
	read := f.read
	f.read = func(c *Config, in *sources, s *setting) error {
		if err := read(c, in, s); err != nil {
			return err
		}
		if complaint := check(c, s); complaint != "" {
			return valueError(s.key, complaint)
		}
		return nil
	}
	return f
}

func text(at func(*Config) *string, def string) field {
	return scalar("text", at, def, (*sources).text, appendQuoted)
}

// optional is a text that must be valid if it is set.
func optional(at func(*Config) *string, kind string, valid func(string) bool, complaint string) field {
	f := text(at, "")
	f.kind = kind
	return f.checked(func(c *Config, _ *setting) string {
		if v := *at(c); v == "" || valid(v) {
			return ""
		}
		return complaint
	})
}

func boolean(at func(*Config) *bool, def bool) field {
	f := scalar("boolean", at, def, (*sources).boolean, strconv.AppendBool)
	f.choices = []string{"true", "false"}
	return f
}

func integer(at func(*Config) *int, def int) field {
	find := func(in *sources, s *setting) (int, bool) {
		v, ok := in.number(s)
		return int(v), ok
	}
	return scalar("integer", at, def, find, appendInt)
}

func appendInt(dst []byte, n int) []byte { return strconv.AppendInt(dst, int64(n), 10) }

// atLeast is an integer of a key that PostgREST lacks. A value below the minimum
// is an error, since there is no compatibility to keep.
func atLeast(least int, at func(*Config) *int, def int) field {
	return integer(at, def).checked(func(c *Config, s *setting) string {
		if *at(c) >= least {
			return ""
		}
		return fmt.Sprintf("%s cannot be less than %d", s.key, least)
	})
}

// port is a TCP port. An invalid number is an error here, which names the setting;
// the operating system would refuse it only later.
func port(at func(*Config) *int, def int) field {
	return atLeast(0, at, def).checked(func(c *Config, s *setting) string {
		if *at(c) <= math.MaxUint16 {
			return ""
		}
		return fmt.Sprintf("%s cannot be more than %d", s.key, math.MaxUint16)
	})
}

// adminPort is absent by default. The dump shows that as an empty string.
func adminPort(at func(*Config) *int) field {
	f := port(at, 0)
	f.append = func(dst []byte, c *Config) []byte {
		if *at(c) == 0 {
			return append(dst, `""`...)
		}
		return appendInt(dst, *at(c))
	}
	return f
}

// maxRows is unlimited if absent or negative. The file's grammar has no negative
// numbers; other sources do.
func maxRows(at func(*Config) *int64) field {
	find := func(in *sources, s *setting) (int64, bool) {
		v, ok := in.number(s)
		return v, ok && v >= 0
	}
	return scalar("integer", at, -1, find, func(dst []byte, rows int64) []byte {
		if rows < 0 {
			return append(dst, `""`...)
		}
		return strconv.AppendInt(dst, rows, 10)
	})
}

func seconds(at func(*Config) *time.Duration, def int64) field {
	return duration(at, def, time.Second)
}

// duration is a whole number of units.
func duration(at func(*Config) *time.Duration, def int64, unit time.Duration) field {
	most := math.MaxInt64 / int64(unit)
	find := func(in *sources, s *setting) (time.Duration, bool) {
		v, ok := in.number(s)
		return time.Duration(min(max(v, -most), most)) * unit, ok
	}
	return scalar("integer", at, time.Duration(def)*unit, find, func(dst []byte, d time.Duration) []byte {
		return strconv.AppendInt(dst, int64(d/unit), 10)
	})
}

// notNegative is a duration of a key that PostgREST lacks. A negative value is an
// error, since there is no compatibility to keep.
func notNegative(f field, value func(*Config) time.Duration) field {
	return f.checked(func(c *Config, s *setting) string {
		if value(c) >= 0 {
			return ""
		}
		return s.key + " cannot be less than 0"
	})
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
	return list(at, "public", emptyMeansDefault).checked(func(c *Config, _ *setting) string {
		for _, kept := range []string{"pg_catalog", "information_schema"} {
			if slices.Contains(*at(c), kept) {
				return "db-schemas does not allow schema: '" + kept + "'"
			}
		}
		return ""
	})
}

// choice is a string out of a list. Its value is the index in the list.
func choice[T ~uint8](at func(*Config) *T, def T, complaint string, names ...string) field {
	return field{
		kind:    "choice",
		choices: slices.DeleteFunc(slices.Clone(names), func(name string) bool { return name == "" }), // none
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
	return valueError(s.key, fmt.Sprintf("%s %s is %s, and can be: %s", complaint, s.key, shorten(text), strings.Join(s.choices, ", ")))
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
		kind:    "choice",
		choices: txEnds,
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
	find := func(in *sources, s *setting) (QualifiedName, bool) {
		text, ok := in.text(s)
		return parseQualifiedName(text), ok
	}
	return scalar("name", at, QualifiedName{}, find, func(dst []byte, n QualifiedName) []byte { return appendQuoted(dst, n.String()) })
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
			digits := text[:len(text)-len(strings.TrimLeft(text, "01234567"))]
			if digits == "" {
				return valueError(s.key, "Invalid "+s.key+": not an octal")
			}
			mode, err := strconv.ParseUint(digits, 8, 32)
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

// stringsOrURIs is a list whose items are RFC 7519's StringOrURI: a text with a colon
// must be a URI. A text with commas may also be one URI, as in PostgREST.
func stringsOrURIs(at func(*Config) *string) field {
	valid := func(v string) bool { return !strings.Contains(v, ":") || isURI(v) }
	return optional(at, "list", func(v string) bool {
		return valid(v) || !slices.ContainsFunc(listOf(v), func(item string) bool { return !valid(item) })
	},
		"jwt-aud should be a string or a valid URI")
}

func proxyURI(at func(*Config) *string) field {
	return optional(at, "URI", isProxyURI,
		"Malformed proxy uri, a correct example: https://example.com:8443/basePath")
}

// rolePath keeps the string, which the authenticator compiles. The dump shows its
// canonical form, as PostgREST does.
func rolePath(at func(*Config) *string, def string) field {
	f := text(at, def)
	f.kind = "JSONPath"
	f.append = func(dst []byte, c *Config) []byte {
		path, err := auth.ParseRolePath(*at(c))
		if err != nil { // the Config is not from Load
			return appendQuoted(dst, *at(c))
		}
		return appendQuoted(dst, escapePath(path))
	}
	return f.checked(func(c *Config, _ *setting) string {
		if _, err := auth.ParseRolePath(*at(c)); err != nil {
			return err.Error()
		}
		return ""
	})
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
			if c.JWTSecretURL != "" {
				return appendQuoted(dst, c.JWTSecretURL)
			}
			if c.JWTSecretIsBase64 {
				return appendQuoted(dst, base64.StdEncoding.EncodeToString(*at(c)))
			}
			return appendQuoted(dst, validText(string(*at(c))))
		},
	}
}

// issuers stores the text; loadReferencedFiles parses it.
func issuers(at func(*Config) *string) field {
	f := text(at, "")
	f.kind = "JSON"
	return f
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
	return append(dst, `"`+strings.ReplaceAll(s, `"`, `\"`)+`"`...)
}
