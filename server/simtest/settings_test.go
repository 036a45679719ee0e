package simtest

import (
	"errors"
	"strconv"
	"strings"
	"sync"

	"github.com/fastgrest/fastgrest/planner/sqlgen"
)

// setting is one set_config of a statement.
type setting struct {
	name, value string
	param       int // 0: value
}

// settingsOf are the settings that a statement makes. take is what it does before about the
// part of a batch before it.
type settingsOf struct {
	take sqlgen.Take
	list []setting
}

// beginnings of the statements that make settings, by what they take.
var beginnings = func() (list [sqlgen.Takes]string) {
	for take := range sqlgen.Takes {
		list[take] = strings.TrimSuffix(sqlgen.TakeStatements[take], "NULL) IS NOT NULL")
	}
	list[sqlgen.NoTake] = "SELECT pg_catalog.num_nonnulls("
	return list
}()

// makesSettings reports whether it is such a statement, and not one that only takes.
func makesSettings(sql string) bool {
	_, _, ok := cutBeginning(sql)
	return ok && !fixedStatement(sql)
}

func cutBeginning(sql string) (take sqlgen.Take, rest string, ok bool) {
	for take := range sqlgen.Takes {
		if rest, ok := strings.CutPrefix(sql, beginnings[take]); ok {
			return take, rest, true
		}
	}
	return 0, "", false
}

// settingsStatement reads "...num_nonnulls(..., pg_catalog.set_config(...), ...)".
func settingsStatement(sql string) (*settingsOf, error) {
	take, rest, ok := cutBeginning(sql)
	if !ok {
		return nil, errors.New("not a statement that makes settings")
	}
	end := ")"
	if take != sqlgen.NoTake {
		end = ") IS NOT NULL"
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
		if rest == end {
			return &settingsOf{take, list}, nil
		}
		if rest, ok = strings.CutPrefix(rest, ", "); !ok {
			return nil, errors.New("no comma at " + rest)
		}
	}
}

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

var settingsCache sync.Map // SQL to *settingsOf

func knownSettings(sql string) (*settingsOf, error) {
	if list, ok := settingsCache.Load(sql); ok {
		return list.(*settingsOf), nil
	}
	list, err := settingsStatement(sql)
	if err == nil {
		settingsCache.Store(sql, list)
	}
	return list, err
}
