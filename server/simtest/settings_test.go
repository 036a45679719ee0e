package simtest

import (
	"errors"
	"strconv"
	"strings"
	"sync"
)

// setting is one set_config of a statement.
type setting struct {
	name, value string
	param       int // 0: value
}

// settingsStatement reads "SELECT pg_catalog.num_nonnulls(pg_catalog.set_config(...), ...)".
func settingsStatement(sql string) ([]setting, error) {
	rest, ok := strings.CutPrefix(sql, settingsPrefix)
	if !ok {
		return nil, errors.New("not a statement that makes settings")
	}
	var list []setting
	for {
		if rest, ok = strings.CutPrefix(rest, "pg_catalog.set_config("); !ok {
			return nil, errors.New("no set_config at " + rest)
		}
		var s setting
		if s.name, rest, ok = literal(rest); !ok {
			return nil, errors.New("no name at " + rest)
		}
		rest = strings.TrimPrefix(rest, ", ")
		if number, found := strings.CutPrefix(rest, "$"); found {
			end := strings.IndexByte(number, ',')
			n, err := strconv.Atoi(number[:max(end, 0)])
			if err != nil {
				return nil, err
			}
			s.param, rest = n, number[end:]
		} else if s.value, rest, ok = literal(rest); !ok {
			return nil, errors.New("no value at " + rest)
		}
		if rest, ok = strings.CutPrefix(rest, ", true)"); !ok {
			return nil, errors.New("the setting is not local: " + rest)
		}
		list = append(list, s)
		if rest == ")" {
			return list, nil
		}
		if rest, ok = strings.CutPrefix(rest, ", "); !ok {
			return nil, errors.New("no comma at " + rest)
		}
	}
}

const settingsPrefix = "SELECT pg_catalog.num_nonnulls("

// literal reads a constant in quotes.
func literal(s string) (value, rest string, ok bool) {
	if !strings.HasPrefix(s, "'") {
		return "", s, false
	}
	var b strings.Builder
	for i := 1; i < len(s); i++ {
		switch {
		case s[i] != '\'':
			b.WriteByte(s[i])
		case strings.HasPrefix(s[i:], "''"):
			b.WriteByte('\'')
			i++
		default:
			return b.String(), s[i+1:], true
		}
	}
	return "", s, false
}

var settingsCache sync.Map // SQL to []setting

func knownSettings(sql string) ([]setting, error) {
	if list, ok := settingsCache.Load(sql); ok {
		return list.([]setting), nil
	}
	list, err := settingsStatement(sql)
	if err == nil {
		settingsCache.Store(sql, list)
	}
	return list, err
}
