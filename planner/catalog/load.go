package catalog

import (
	"context"
	"embed"
	"fmt"
	"slices"
	"time"
)

//go:embed queries/*.sql
var queries embed.FS

// Options are the parts of the configuration a catalog depends on.
type Options struct {
	Schemas           []string // exposed; at least one
	ExtraSearchPath   []string
	HoistedTxSettings []string // regular expressions; one that matches "name=value" of a function's setting hoists it
}

// Timing is the duration of one part of loading: "tables", "keydeps", "rels",
// "funcs", "comprels", "dreps", "mhandlers" (PostgREST's names for its seven
// queries), and "access" for the queries that PostgREST lacks.
type Timing struct {
	Name string
	Took time.Duration
}

// timings are the parts in the order in which PostgREST logs them.
var timings = [...]string{"tables", "keydeps", "rels", "funcs", "comprels", "dreps", "mhandlers", "access"}

// Error says which query failed or returned unexpected data.
type Error struct {
	Query string // file name without ".sql"
	Err   error  // the Querier's, if it failed
}

func (e *Error) Error() string { return fmt.Sprintf("schema cache query %q: %v", e.Query, e.Err) }
func (e *Error) Unwrap() error { return e.Err }

// Load reads the system catalogs. q must run all statements in one transaction,
// which may be read-only. Load changes its search_path, so the caller must end
// the transaction afterwards.
func Load(ctx context.Context, q Querier, o Options) (*Catalog, error) {
	l := &loader{
		ctx:     ctx,
		query:   q,
		options: o,
		exposed: textArray(o.Schemas),
		names:   interner{},
		cat: &Catalog{
			Schemas:         slices.Clone(o.Schemas),
			Tables:          map[QI]*Table{},
			Relationships:   map[RelKey][]*Relationship{},
			Routines:        map[QI][]*Routine{},
			RowTypes:        map[QI]uint32{},
			Representations: map[RepKey]*Representation{},
			Handlers:        map[HandlerKey]*Handler{},
			UsageRoles:      map[string]struct{}{},
		},
		relations: map[uint32]*relation{},
		domains:   map[uint32]typeRef{},
		schemas:   map[string]struct{}{},
	}
	for _, name := range timings {
		l.cat.Timings = append(l.cat.Timings, Timing{Name: name})
	}
	steps := []struct {
		timing string
		run    func() error
	}{
		{"", l.loadSession},
		{"tables", l.loadTables},
		{"rels", l.loadKeys},
		{"access", l.loadUniques},
		{"access", l.loadReads},
		{"keydeps", l.loadViews},
		{"funcs", l.loadRoutines},
		{"comprels", l.loadComputed},
		{"comprels", l.loadComputedFields},
		{"dreps", l.loadRepresentations},
		{"mhandlers", l.loadHandlers},
		{"access", l.loadAccess},
		{"access", l.loadTextTypes},
		{"access", l.loadLeftovers},
		{"rels", l.relate},
	}
	for _, step := range steps {
		start := time.Now()
		if err := step.run(); err != nil {
			return nil, err
		}
		l.took(step.timing, time.Since(start))
	}
	l.cat.index()
	return l.cat, nil
}

// loader holds the state of a load.
type loader struct {
	ctx     context.Context
	query   Querier
	options Options
	exposed string // the exposed schemas, as a text[] literal
	names   interner
	cat     *Catalog

	relations map[uint32]*relation
	domains   map[uint32]typeRef // by the domain's oid: the type it finally stands for
	enums     map[uint32][]string
	keys      []*key
	views     []*relation // whose keys are wanted: those in exposed schemas and the extra search path
	computed  []*Relationship
	schemas   map[string]struct{} // that planned statements may name
	left      leftovers
}

// each runs queries/name.sql.
func (l *loader) each(name string, args []string, fn func(row)) error {
	text, err := queries.ReadFile("queries/" + name + ".sql")
	if err != nil {
		return &Error{name, err}
	}
	var bad error
	start := time.Now()
	defer func() { l.cat.Queried += time.Since(start) }()
	err = l.query(l.ctx, string(text), args, func(columns [][]byte) error {
		fn(row{columns, &bad, l.names})
		return bad
	})
	if err != nil {
		return &Error{name, err}
	}
	return nil
}

func (l *loader) took(name string, d time.Duration) {
	for i := range l.cat.Timings {
		if l.cat.Timings[i].Name == name {
			l.cat.Timings[i].Took += d
		}
	}
}

func (l *loader) isExposed(schema string) bool { return slices.Contains(l.options.Schemas, schema) }

// names records a schema that statements will name.
func (l *loader) mention(schema string) {
	if schema != "pg_catalog" {
		l.schemas[schema] = struct{}{}
	}
}

func (l *loader) loadSession() error {
	if err := l.each("session", nil, func(row) {}); err != nil {
		return err
	}
	if err := l.each("version", nil, func(r row) {
		l.cat.Version = Version{r.int(0), r.text(1), r.text(2)}
	}); err != nil {
		return err
	}
	named := slices.Concat(l.options.Schemas, l.options.ExtraSearchPath)
	for _, schema := range named {
		l.mention(schema)
	}
	return l.each("schemas", []string{textArray(named)}, func(row) {})
}

func (l *loader) loadRepresentations() error {
	return l.each("representations", nil, func(r row) {
		key := RepKey{r.name(0), r.name(1)}
		l.cat.Representations[key] = &Representation{key, r.name(2)}
		l.mention(r.name(3))
	})
}

func (l *loader) loadHandlers() error {
	return l.each("handlers", []string{l.exposed}, func(r row) {
		h := &Handler{Function: r.qi(0), Target: r.qi(2), MediaType: contentType(r.text(4))}
		if h.Target == (QI{"pg_catalog", "anyelement"}) {
			h.Target = QI{}
		}
		l.cat.Handlers[HandlerKey{h.Target, handlerMediaType(r.text(4))}] = h
		l.mention(h.Function.Schema)
	})
}
