package server

import (
	"errors"
	"strings"
	"unicode"

	"github.com/fastgrest/fastgrest/pgwire"
	"github.com/fastgrest/fastgrest/planner/sqlgen"
)

// bulkProblem returns the problem of a bulk update whose keys are not valid. It is nil
// for other errors.
func (rq *request) bulkProblem(err error) *problem {
	var e *pgwire.Error
	if rq.call.Plan == nil || !rq.call.Plan.Bulk || !errors.As(err, &e) || e.Code != pgwire.InvalidTextRepresentation {
		return nil
	}
	key := rq.call.Plan.BulkKey()
	if _, text, ok := strings.Cut(e.Message, sqlgen.KeyRepeated+"("); ok { // the text may have anything
		value := text[:max(0, strings.LastIndexByte(text, ')'))]
		return newProblem(409, "PGRSTX32", "Several objects of the bulk update have the same key").
			withDetails("Key (" + key + ")=" + value + " is in several objects.")
	}
	if strings.Contains(e.Message, sqlgen.KeyMissing) {
		return keyMissing(key)
	}
	return nil
}

func keyMissing(key string) *problem {
	return newProblem(400, "PGRSTX31", "Each object of a bulk update needs a value for its key").
		withDetails("The key is (" + key + ").")
}

// uniqueProblem is that of an on_conflict that leads to no index, or to several.
func uniqueProblem(message string, candidates []string) *problem {
	p := newProblem(400, "PGRSTX33", message)
	if len(candidates) == 0 {
		return p
	}
	hints := make([]string, len(candidates))
	for i, name := range candidates {
		hints[i] = "on_conflict=!" + inURL(name)
	}
	return p.withHint("Try one of the following: " + strings.Join(hints, ", "))
}

// inURL quotes a name that the grammar of the query string takes in quotes only.
func inURL(name string) string {
	special := func(c rune) bool { return c != '_' && c != '$' && !unicode.IsLetter(c) && (c < '0' || c > '9') }
	if !strings.ContainsFunc(name, special) {
		return name
	}
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(name) + `"`
}
