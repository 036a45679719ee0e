package catalog

import (
	"cmp"
	"slices"
	"strings"
)

func (l *loader) loadRoutines() error {
	args := []string{l.exposed, textArray(l.options.HoistedTxSettings)}
	err := l.each("routines", args, func(r row) {
		if routine := l.routine(r); routine != nil {
			l.cat.Routines[routine.QI] = append(l.cat.Routines[routine.QI], routine)
		}
	})
	for qi, overloads := range l.cat.Routines {
		slices.SortFunc(overloads, (*Routine).Compare)
		l.cat.Routines[qi] = slices.Clip(overloads)
	}
	return err
}

// routine returns nil for a function that cannot be called by HTTP.
func (l *loader) routine(r row) *Routine {
	names, modes, types := r.list(3), r.list(4), r.list(5)
	result, isDomain := typeRef{r.oid(8), r.char(9), "", r.qi(10)}, false
	if base, ok := l.domains[result.oid]; ok {
		result, isDomain = base, true
	}
	if result.QI == (QI{"pg_catalog", "trigger"}) || !callable(names, types) {
		return nil
	}
	for _, schema := range r.list(6) {
		l.mention(schema)
	}
	if result.kind == 'c' && !r.null(17) {
		l.cat.RowTypes[result.QI] = r.oid(17)
	}
	return &Routine{
		QI:             r.qi(0),
		Description:    r.text(2),
		HasDescription: !r.null(2),
		Params:         Params(names, modes, types, r.int(7)),
		SetOf:          r.bool(12),
		Composite:      result.kind == 'c' || slices.ContainsFunc(modes, isOutput),
		CompositeAlias: isDomain,
		Return:         result.QI,
		Volatility:     ParseVolatility(r.text(13)),
		Variadic:       r.bool(14),
		Isolation:      isolation(r.list(15)),
		Settings:       settings(r.list(16)),
	}
}

// callable: arguments are passed by name, or a single unnamed argument takes the
// whole request body. A function counts as named if it has any argument names,
// even if some are empty.
func callable(names, types []string) bool {
	if len(names) > 0 || len(types) == 0 {
		return true
	}
	return len(types) == 1 && slices.Contains([]string{"bytea", "json", "jsonb", "text", "xml"}, types[0])
}

func isOutput(mode string) bool { return mode == "o" || mode == "b" || mode == "t" }
func isInput(mode string) bool  { return mode == "i" || mode == "b" || mode == "v" }

// Params pairs the names of all arguments with the types of the input arguments.
// The last ones, as many as defaults, are optional. PostgREST pairs them by
// position, so an input argument after an output argument gets a wrong name and
// cannot be passed. We skip output arguments.
func Params(names, modes, types []string, defaults int) []Param {
	if len(types) == 0 {
		return nil
	}
	list := make([]Param, len(types))
	arg := 0 // among all arguments
	for i, typ := range types {
		for arg < len(modes) && !isInput(modes[arg]) {
			arg++
		}
		p := Param{Type: typ, MaxType: typ, Required: i < len(types)-defaults}
		if arg < len(names) {
			p.Name = names[arg]
		}
		if arg < len(modes) {
			p.Variadic = modes[arg] == "v"
		}
		if unlimited, ok := unlimitedTypes[typ]; ok {
			p.MaxType = unlimited
		}
		list[i] = p
		arg++
	}
	return list
}

// unlimitedTypes stand in for types that, without a length, mean length one.
var unlimitedTypes = map[string]string{
	"bit":         "bit varying",
	"bit[]":       "bit varying[]",
	"character":   "character varying",
	"character[]": "character varying[]",
}

// ParseVolatility reads a provolatile.
func ParseVolatility(text string) Volatility {
	switch text {
	case "i":
		return Immutable
	case "s":
		return Stable
	}
	return Volatile
}

// isolation finds the isolation level among a function's settings.
func isolation(config []string) string {
	for _, setting := range config {
		level, ok := strings.CutPrefix(setting, "default_transaction_isolation=")
		if !ok {
			continue
		}
		switch level = strings.ToLower(level); level {
		case "repeatable read", "serializable":
			return level
		}
		return "read committed"
	}
	return ""
}

func settings(config []string) []Setting {
	var list []Setting
	for _, setting := range config {
		name, value, _ := strings.Cut(setting, "=")
		list = append(list, Setting{name, value})
	}
	return list
}

// Compare sorts overloads by number of parameters, and then field by field in
// PostgREST's declaration order, in which it lists candidates.
func (r *Routine) Compare(o *Routine) int {
	return cmp.Or(
		cmp.Compare(len(r.Params), len(o.Params)),
		compareBool(r.HasDescription, o.HasDescription),
		cmp.Compare(r.Description, o.Description),
		slices.CompareFunc(r.Params, o.Params, Param.compare),
		compareBool(r.SetOf, o.SetOf),
		compareBool(r.Composite, o.Composite),
		r.Return.compare(o.Return),
		compareBool(r.CompositeAlias, o.CompositeAlias),
		cmp.Compare(r.Volatility, o.Volatility),
		compareBool(r.Variadic, o.Variadic),
		cmp.Compare(r.Isolation, o.Isolation))
}

func (p Param) compare(o Param) int {
	return cmp.Or(
		cmp.Compare(p.Name, o.Name),
		cmp.Compare(p.Type, o.Type),
		cmp.Compare(p.MaxType, o.MaxType),
		compareBool(p.Required, o.Required),
		compareBool(p.Variadic, o.Variadic))
}
