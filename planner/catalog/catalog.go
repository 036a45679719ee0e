package catalog

import (
	"context"
	"time"
)

// Querier runs one statement and calls each for every row. Columns are in
// PostgreSQL's text format, nil for NULL, and borrowed: valid only during the
// call of each. args are text parameters; their types are inferred.
type Querier func(ctx context.Context, sql string, args []string, each func(columns [][]byte) error) error

// QI is a qualified identifier. An empty Schema means "found by search_path".
type QI struct{ Schema, Name string }

// Catalog is what the planner knows about a database. It is immutable after Load,
// and all requests of a snapshot share it.
type Catalog struct {
	Version         Version
	Schemas         []string // exposed schemas, as configured
	Tables          map[QI]*Table
	Relationships   map[RelKey][]*Relationship
	Routines        map[QI][]*Routine // overloads, ordered by number of parameters
	Representations map[RepKey]*Representation
	// RowTypes are the relations and composite types that functions return rows of,
	// with their OIDs in pg_class.
	RowTypes map[QI]uint32
	Handlers map[HandlerKey]*Handler // custom handlers only; the built-in ones are the planner's

	// UsageRoles are the roles the authenticator may become that hold USAGE on
	// every schema a planned statement may name. PostgreSQL checks USAGE when
	// a statement is parsed, not when it runs: any other role must not share
	// prepared statements.
	UsageRoles map[string]struct{}

	// Types is what having values of types that are not built in may leave in a
	// session: their operators, casts, input and output functions.
	Types Leftovers
	// TypesRun: an operator, a cast, or an input or output function of some type runs
	// code of the database's owners, or reads settings of the request.
	TypesRun bool
	// Ambient is what any statement may leave: the database may have operators
	// and casts for types that are built in.
	Ambient Leftovers
	// AmbientRuns: these operators and casts run code of the database's owners.
	AmbientRuns bool
	// Observes: any statement may read settings of the request, because of such
	// operators and casts.
	Observes bool
	calls    map[string]call // by lower-case name of a function; see FunctionLeftovers

	fields map[QI]map[string]struct{} // see HasField

	textTypes map[uint32]byte // see TextType

	Timings []Timing
	// Queried is the total duration of the queries; it is part of Timings.
	Queried time.Duration
	// Unreadable are views whose definition could not be parsed, and which therefore
	// have no keys. It is empty for all known PostgreSQL versions and worth a log line.
	Unreadable []QI

	tableNames, routineNames, parentNames map[string][]string // by schema
}

// Version is the server's version.
type Version struct {
	Num  int    // server_version_num: 150018
	Name string // server_version: "15.18 (Debian ...)"
	Full string // version()
}

// Table is a table, view, materialized view, foreign or partitioned table.
type Table struct {
	QI
	Description    string // "" without a comment
	HasDescription bool
	IsView         bool // view or materialized view
	Insertable     bool
	Updatable      bool
	Deletable      bool
	PrimaryKey     []string  // for views: through their definition
	Columns        []*Column // in ordinal order
	Uniques        []Unique  // sorted by name; only tables have them

	// RowSecurity: row level security is enabled (for a view: on a relation it reads).
	RowSecurity bool
	// UserCode: reading plain columns may run functions or operators that are not
	// built in (view definitions, policies), so a read may set response.headers and
	// response.status.
	UserCode bool
	// PlainWrite: writing to it runs no code but PostgreSQL's own and that of known
	// modules, and nothing of it changes a setting. PostGIS does not count as known, because
	// it reads relations. All that is proven of triggers, defaults, constraints, rules,
	// indexes, policies and types, also of what the write reaches.
	PlainWrite bool
	// Ruled: rules rewrite writes to it, or to a relation it reads.
	Ruled bool

	// What reading its columns, and writing to it, may leave in a session.
	ReadLeftovers, WriteLeftovers Leftovers
	// Observes: reading its columns may run code that reads settings of the
	// request. Tables with row security count, whatever their policies read.
	Observes bool

	byName map[string]*Column // of wide tables
}

// Unique is an index that ON CONFLICT can use, with its constraint if it has one.
type Unique struct {
	Name    string
	Columns []string // none if there are expressions
	// Elements are the columns and expressions as SQL, if there are expressions.
	Elements   string
	Predicate  string // SQL; "" if the index has all rows
	Constraint bool   // there is a constraint of the name
	Exclusion  bool   // of an exclusion constraint
}

// OfColumns reports whether no two rows of the table have the same values, or NULLs, in
// Columns.
func (u *Unique) OfColumns() bool { return !u.Exclusion && u.Elements == "" && u.Predicate == "" }

// Column is one column of a table.
type Column struct {
	Name           string
	Description    string
	HasDescription bool
	Nullable       bool
	Type           string // format_type of the base type ("integer", "character varying", "api.colour_enum")
	NominalType    string // format_type as declared (domains stay domains, with modifiers)
	OID            uint32 // of the declared type
	TypeRuns       bool   // an operator, a cast or the like of the type runs code of the database's owners
	MaxLen         int32  // character_maximum_length, 0 when none
	Default        string // expression
	HasDefault     bool
	Enum           []string // labels of an enum type
}

// Cardinality of a relationship.
type Cardinality uint8

const (
	ManyToOne Cardinality = iota
	OneToMany
	OneToOne
	ManyToMany
	Computed
)

// ColumnPair is one pair of a join. Column belongs to the relationship's Table.
type ColumnPair struct{ Column, Foreign string }

// Relationship leads from Table to Foreign.
type Relationship struct {
	Table, Foreign QI

	// The flags are adjacent to save memory: large schemas have a million of these.
	Self          bool
	Cardinality   Cardinality
	TableIsView   bool
	ForeignIsView bool
	IsParent      bool // OneToOne: the foreign key is on the other side
	ToOne         bool // Computed: ROWS 1 or not a set

	Constraint string       // not for ManyToMany and Computed
	Columns    []ColumnPair // not for ManyToMany and Computed; shared, not to be changed

	Junction *Junction // ManyToMany

	Function QI // Computed
}

// IsToOne reports whether the relationship yields at most one row.
func (r *Relationship) IsToOne() bool {
	switch r.Cardinality {
	case ManyToOne, OneToOne:
		return true
	case Computed:
		return r.ToOne
	}
	return false
}

// Junction is the table between the two sides of a many-to-many relationship.
type Junction struct {
	Table                    QI
	Constraint1, Constraint2 string
	Source                   []ColumnPair // Column of Relationship.Table, Foreign of the junction
	Target                   []ColumnPair // Column of Relationship.Foreign, Foreign of the junction
}

// RelKey finds the relationships of a table towards one schema.
type RelKey struct {
	Table  QI
	Schema string
}

// Volatility of a routine.
type Volatility uint8

const (
	Volatile Volatility = iota
	Stable
	Immutable
)

// Routine is a function callable under /rpc.
type Routine struct {
	QI
	Description    string
	HasDescription bool
	Params         []Param
	SetOf          bool
	Composite      bool // returns rows of Return (or has OUT/TABLE arguments)
	CompositeAlias bool // Return is a domain over a composite
	Return         QI   // type (for composites: relation) returned
	Volatility     Volatility
	Variadic       bool
	Isolation      string    // "", "read committed", "repeatable read", "serializable"
	Settings       []Setting // function settings hoisted into the transaction
	Leftovers      Leftovers // what calling it, or another of its name, may leave in a session
}

// Setting is a name and value of a configuration parameter.
type Setting struct{ Name, Value string }

// Param is one input argument of a routine.
type Param struct {
	Name     string // "" for an unnamed one
	Type     string // regtype
	MaxType  string // Type without length limits (bit -> bit varying, character -> character varying)
	Required bool
	Variadic bool
}

// RepKey is the pair of types a representation converts between; names as regtype prints them.
type RepKey struct{ Source, Target string }

// Representation is an implicit cast from or to a domain, with json or text on the other side.
type Representation struct {
	RepKey
	Function string // regproc text, already quoted where needed
}

// HandlerKey finds a media type handler: the relation (or routine) it serves
// and the media type, lower case. AnyElement handlers have the zero Target.
type HandlerKey struct {
	Target    QI
	MediaType string
}

// Handler is a custom media type handler: an aggregate over a relation's rows
// (or anyelement), or a routine that returns a media type domain.
type Handler struct {
	Function  QI
	Target    QI     // zero for anyelement
	MediaType string // what Content-Type says: application/octet-stream for */*
}
