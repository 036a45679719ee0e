package catalog

import (
	"strconv"
	"strings"

	"github.com/fastgrest/fastgrest/planner/catalog/purity"
)

// FirstOwnOID is the first OID that PostgreSQL does not use for itself.
const FirstOwnOID = purity.FirstOwn

// Leftovers is the kind of state that user code may leave in a session.
type Leftovers uint8

const (
	NoLeftovers        Leftovers = iota // proven
	SessionLeftovers                    // settings, locks, temporary tables, ...
	StatementLeftovers                  // these and prepared statements
)

// leftovers find out what running code of the database may leave in a session.
type leftovers struct {
	graph *purity.Graph
	// sequences: something that requests can run may read what a sequence last
	// gave, so that taking a value leaves something.
	sequences bool
}

// Sizes of all sources together that are read, and of one.
const (
	maxSources = 64 << 20
	maxSource  = purity.MaxSource
)

// source is a function whose source is still to be read.
type source struct {
	node           purity.Node
	language, text string
}

func (l *loader) loadLeftovers() error {
	l.left.graph = purity.NewGraph()
	harmful, err := l.loadBuiltinFunctions()
	if err != nil {
		return err
	}
	if err := l.loadNamed(); err != nil {
		return err
	}
	sources, err := l.loadSources()
	if err != nil {
		return err
	}
	uses := func(r row) { l.left.graph.Uses(useNode(r, 0), useNode(r, 2)) }
	if err := l.each("uses", nil, uses); err != nil {
		return err
	}
	err = l.each("trees", []string{harmful}, func(r row) {
		if r.oid(2) == 0 {
			// A view over pg_settings can be written to, and that changes settings.
			n := useNode(r, 0)
			l.left.graph.Leaves(n, purity.Observes)
			if n.Kind == purity.Read {
				n.Kind = purity.Write
			}
			l.left.graph.Leaves(n, purity.Unknown)
			return
		}
		l.left.graph.Uses(useNode(r, 0), purity.Node{Kind: purity.Function, OID: r.oid(2)})
	})
	if err != nil {
		return err
	}
	conforming := false
	if err := l.each("conforming", nil, func(r row) { conforming = r.bool(0) }); err != nil {
		return err
	}
	for _, s := range sources {
		conforming = conforming && !strings.Contains(strings.ToLower(s.text), "standard_conforming_strings")
	}
	for _, s := range sources {
		read := purity.ReadSQL
		if s.language == "plpgsql" {
			read = purity.ReadPLpgSQL
		}
		l.left.graph.Source(s.node, read(s.text, !conforming))
	}
	l.left.graph.Spread()
	l.assignLeftovers()
	return nil
}

// assignLeftovers gives everything that a request may use what it may leave.
func (l *loader) assignLeftovers() {
	g, cat := l.left.graph, l.cat
	for _, rel := range l.relations {
		if rel.table != nil {
			l.left.offer(g.Trace(purity.Node{Kind: purity.Write, OID: rel.oid}))
		}
	}
	for qi := range cat.Routines {
		l.left.offer(g.Called(qi.Schema, qi.Name))
	}
	for _, h := range cat.Handlers {
		l.left.offer(g.Called(h.Function.Schema, h.Function.Name))
	}
	types := g.All(purity.Type)
	l.left.offer(types | g.Fields())

	cat.Ambient = l.left.level(g.Trace(purity.Ambient) | g.Called("", "to_tsvector"))
	cat.AmbientRuns = g.Trace(purity.Ambient)&purity.Runs != 0
	cat.Types = l.left.level(types)
	cat.TypesRun = types&(purity.Runs|purity.Observes) != 0
	cat.Observes = (g.Trace(purity.Ambient)|g.Called("", "to_tsvector"))&purity.Observes != 0
	cat.calls = map[string]call{}
	g.EachCalled(func(name string, t purity.Trace) {
		cat.calls[name] = call{l.left.level(t), t&purity.Observes != 0, t&purity.Runs != 0}
	})
	for qi, overloads := range cat.Routines {
		level := l.left.level(g.Called(qi.Schema, qi.Name))
		for _, routine := range overloads {
			routine.Leftovers = level
		}
	}
	for _, rel := range l.relations {
		if rel.table != nil {
			writing := g.Trace(purity.Node{Kind: purity.Write, OID: rel.oid}) | g.Trace(purity.Ambient)
			rel.table.PlainWrite = writing&(purity.Runs|purity.Session) == 0 // a call of set_config leaves something
			for _, c := range rel.table.Columns {
				c.TypeRuns = g.Trace(purity.Node{Kind: purity.Type, OID: c.OID})&purity.Runs != 0
			}
			rel.table.Observes = g.Trace(purity.Node{Kind: purity.Read, OID: rel.oid})&purity.Observes != 0
			rel.table.ReadLeftovers = l.left.level(g.Trace(purity.Node{Kind: purity.Read, OID: rel.oid}))
			rel.table.WriteLeftovers = l.left.level(g.Trace(purity.Node{Kind: purity.Write, OID: rel.oid}))
		}
	}
}

// offer notes what some request can run.
func (l *leftovers) offer(t purity.Trace) { l.sequences = l.sequences || t&purity.Reads != 0 }

func (l *leftovers) level(t purity.Trace) Leftovers {
	switch {
	case t&purity.Session != 0 && t&purity.Prepare != 0:
		return StatementLeftovers
	case t&purity.Session != 0, t&purity.Sequence != 0 && l.sequences:
		return SessionLeftovers
	}
	return NoLeftovers
}

// FunctionLeftovers is what calling a function of the name may leave, in
// whatever schema it is.
func (c *Catalog) FunctionLeftovers(name string) Leftovers {
	if call, known := c.calls[strings.ToLower(name)]; known {
		return call.leaves
	}
	return SessionLeftovers // a function that has been created since
}

// FunctionObserves reports whether calling a function of the name may read
// settings of the request, in whatever schema it is.
func (c *Catalog) FunctionObserves(name string) bool {
	call, known := c.calls[strings.ToLower(name)]
	return !known || call.observes
}

// FunctionRuns reports whether calling a function of the name may run code of the
// database's owners, in whatever schema it is.
func (c *Catalog) FunctionRuns(name string) bool {
	call, known := c.calls[strings.ToLower(name)]
	return !known || call.runs
}

// call is what calling the functions of a name may do.
type call struct {
	leaves   Leftovers
	observes bool
	runs     bool // code of the database's owners
}

// loadBuiltinFunctions returns the oids of those that are not harmless, as the
// literal of a text[].
func (l *loader) loadBuiltinFunctions() (string, error) {
	var oids []string
	err := l.each("builtin_functions", nil, func(r row) {
		name, list := r.text(0), r.list(1)
		trace := purity.Builtin(name, len(list) == 0)
		l.left.graph.NameBuiltin(name, trace)
		if trace == 0 {
			return
		}
		for _, text := range list {
			oid, err := strconv.ParseUint(text, 10, 32)
			if err != nil {
				r.fail(1, err.Error())
			}
			l.left.graph.Leaves(purity.Node{Kind: purity.Function, OID: uint32(oid)}, trace)
			oids = append(oids, text)
		}
	})
	return textArray(oids), err
}

func (l *loader) loadNamed() error {
	g := l.left.graph
	return l.each("named", nil, func(r row) {
		oid, name := r.oid(1), r.text(2)
		if r.char(0) == 't' {
			g.NameType(name, oid)
			return
		}
		g.NameRelation(name, oid)
		read, write := purity.Node{Kind: purity.Read, OID: oid}, purity.Node{Kind: purity.Write, OID: oid}
		g.Uses(write, read)
		g.Uses(read, purity.Node{Kind: purity.Columns, OID: oid})
		// The planner computes functions of constants in index predicates and
		// constraints.
		planned := purity.Node{Kind: purity.Planned, OID: oid}
		g.Uses(write, planned)
		g.Sees(read, planned)
		if r.bool(4) {
			g.Leaves(read, purity.Observes) // whatever its policies are today
		}
		if r.bool(3) {
			g.Leaves(read, purity.Unknown) // a foreign table, whose wrapper does what it likes
		}
		if oid < FirstOwnOID {
			g.Leaves(write, purity.Session) // pg_settings
			g.Leaves(read, purity.Observes)
		}
	})
}

// loadSources names the functions that the database has, and returns those whose
// source is to be read.
func (l *loader) loadSources() (list []source, err error) {
	g, total := l.left.graph, 0
	err = l.each("sources", []string{strconv.Itoa(maxSource)}, func(r row) {
		n := purity.Node{Kind: purity.Function, OID: r.oid(0)}
		g.NameFunction(r.text(1), r.text(2), n.OID, r.bool(6))
		text := r.column(4)
		if r.bool(7) || purity.MentionsPrepare(text) {
			g.Leaves(n, purity.Prepare)
		}
		total += len(text)
		switch language := r.text(3); {
		case r.null(4), total > maxSources:
			g.Leaves(n, purity.Unknown)
		case language == "internal":
			g.Uses(n, purity.Node{Kind: purity.Function, OID: r.oid(4)})
		case language == "sql", language == "plpgsql":
			g.Leaves(n, purity.Runs)
			list = append(list, source{n, language, string(text)})
		case language == "c":
			if trace := purity.Module(r.text(5), string(text)); trace != 0 {
				g.Leaves(n, trace|purity.Runs)
			}
		case language != "aggregate":
			g.Leaves(n, purity.Unknown)
		}
	})
	return list, err
}

// useNode reads a kind and an oid as uses.sql has them.
func useNode(r row, i int) purity.Node {
	kinds := map[byte]purity.Kind{
		'f': purity.Function, 'o': purity.Operator, 'c': purity.Columns, 'r': purity.Read, 'p': purity.Planned, 'w': purity.Write, 't': purity.Type,
	}
	kind, ok := kinds[r.char(i)]
	if !ok {
		r.fail(i, "no kind of node")
	}
	return purity.Node{Kind: kind, OID: r.oid(i + 1)}
}
