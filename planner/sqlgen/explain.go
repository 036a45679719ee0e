package sqlgen

import "github.com/fastgrest/fastgrest/parser/header"

var planOptions = [...]struct {
	bit  header.PlanOptions
	name string
}{
	{header.PlanAnalyze, "ANALYZE"}, {header.PlanVerbose, "VERBOSE"}, {header.PlanSettings, "SETTINGS"},
	{header.PlanBuffers, "BUFFERS"}, {header.PlanWAL, "WAL"},
}

// ExecutionPlan returns the EXPLAIN of s in the format and with the options of
// m.
func ExecutionPlan(s Statement, m header.Media) Statement {
	w := Writer{args: s.Args, names: s.Names}
	if m.PlanJSON {
		w.S("EXPLAIN (FORMAT JSON")
	} else {
		w.S("EXPLAIN (FORMAT TEXT")
	}
	for _, o := range planOptions {
		if m.Options&o.bit != 0 {
			w.S(", ", o.name)
		}
	}
	w.S(") ", s.SQL)
	return w.Statement()
}
