package parser

// The tree of one parsed query string.
//
// Nodes are in slices owned by the Query and refer to each other by index. Each
// []byte in a node is a part of the raw query string or of the Query's arena, and
// is valid until the next Parse or Reset.

// Names is a range of Query.Names: an embed path such as clients.projects.
// N == 0 is the relation of the request.
type Names struct{ Off, N int32 }

// JSONPath is a range of Query.Paths.
type JSONPath struct{ Off, N int32 }

// JSONOp is one step of a JSON path: -> or ->>, followed by a key or an index.
type JSONOp struct {
	Text  bool   // ->> rather than ->
	Index bool   // Operand is a decimal integer ("3", "-1"; never with a leading +)
	Key   []byte // the key, or the digits of the index
}

// Field is a column or computed field, with a JSON path that may be empty.
type Field struct {
	Name []byte
	Path JSONPath
}

// SelectKind is the kind of a SelectItem.
type SelectKind uint8

const (
	SelectField    SelectKind = iota // a column, "*" or an aggregate
	SelectRelation                   // rel(...)
	SelectSpread                     // ...rel(...)
)

// Aggregate is the function applied to a selected field.
type Aggregate uint8

const (
	AggNone Aggregate = iota
	AggSum
	AggAvg
	AggCount // count() without a column has Field.Name "*"
	AggMax
	AggMin
	AggCountDistinct
)

// JoinType is the !inner or !left of an embed.
type JoinType uint8

const (
	JoinDefault JoinType = iota
	JoinInner
	JoinLeft
)

// SelectItem is one item of select=. First and Next chain the children of an
// embed and the siblings of an item as indexes into Query.Items; -1 ends a chain.
type SelectItem struct {
	Kind       SelectKind
	Agg        Aggregate
	Join       JoinType
	HasAlias   bool
	HasHint    bool
	HasCast    bool // Cast applies before the aggregate
	HasAggCast bool
	Field      Field // for embeds Field.Name is the target
	Alias      []byte
	Cast       []byte
	AggCast    []byte
	Hint       []byte
	First      int32
	Next       int32
}

// Op is a filter operator. ops.go has the names, SQL tokens and properties.
type Op uint8

const (
	OpEq Op = iota
	OpGte
	OpGt
	OpLte
	OpLt
	OpLike
	OpILike
	OpMatch
	OpIMatch
	opSimpleFence // operators above may be quantified by (any) and (all)
	OpNeq
	OpCs
	OpCd
	OpOv
	OpSl
	OpSr
	OpNxr
	OpNxl
	OpAdj
	OpIn
	OpIs
	OpIsDistinct
	OpFts
	OpPlfts
	OpPhfts
	OpWfts
)

// Quant is the (any) or (all) after an operator.
type Quant uint8

const (
	QuantNone Quant = iota
	QuantAny
	QuantAll
)

// IsVal is the operand of is.
type IsVal uint8

const (
	IsNull IsVal = iota
	IsNotNull
	IsTrue
	IsFalse
	IsUnknown
)

// Filter is one condition on a column. Path is empty for a filter in a logic tree:
// the LogicRoot has the path.
type Filter struct {
	Path    Names
	Field   Field
	Negate  bool
	Op      Op
	Quant   Quant
	Is      IsVal
	HasLang bool
	Plain   bool // the key of the parameter equals Field.Name: no quotes, path or spaces
	Lang    []byte
	Slot    int32 // index into Query.Values; -1 for is
}

// LogicNode is an and/or with its children, or a leaf.
type LogicNode struct {
	Leaf   bool
	Or     bool
	Negate bool
	Filter int32 // leaf: index into Query.Filters
	First  int32 // children, chained by Next; indexes into Query.Logic; -1 ends
	Next   int32
}

// LogicRoot is one and= or or= parameter. Its node is a leaf only in cases such as
// and=.eq.1, which is a filter on a column called and.
type LogicRoot struct {
	Path Names
	Node int32
}

// OrderTerm is one term of an order= parameter.
type OrderTerm struct {
	HasRel bool
	Rel    []byte // clients(name): the embed the column belongs to
	Field  Field
	Agg    Aggregate // of Field, see SelectItem
	Dir    Direction
	Nulls  NullOrder
}

type Direction uint8

const (
	DirDefault Direction = iota
	DirAsc
	DirDesc
)

type NullOrder uint8

const (
	NullsDefault NullOrder = iota
	NullsFirst
	NullsLast
)

// OrderList is one order= parameter: Terms[Off:Off+N] of Query.Terms.
type OrderList struct {
	Path   Names
	Off, N int32
}

// DistinctList is one distinct= parameter: the fields On[Off:Off+N] of Query.On, or
// whole rows if N is 0.
type DistinctList struct {
	Path   Names
	Off, N int32
}

// Member is a member of the objects of a nested insert, from columns=. First and Next
// chain the members inside its parentheses and its siblings as indexes into
// Query.Members; -1 ends a chain.
type Member struct {
	HasAlias bool
	HasHint  bool
	Listed   bool // it has parentheses
	Name     []byte
	Alias    []byte
	Hint     []byte
	First    int32
	Next     int32
}

// PathRange is the range of rows of one embed path, from limit= and offset=.
type PathRange struct {
	Path  Names
	Range Range
}

// Param is one decoded key=value of the query string, in order of appearance.
type Param struct {
	Key, Value []byte
	HasValue   bool // false for "key" without "="
}

// Query is a parsed query string. The zero value is ready for Parse. A Query is
// meant to be pooled. It is not safe for concurrent use.
type Query struct {
	// Extensions are the parts of the grammar that PostgREST does not have. The
	// caller sets them before Parse. Reset keeps them.
	Extensions Extensions

	Params []Param

	Items     []SelectItem
	SelectTop int32 // first root item in Items, -1 when select is empty

	Filters     []Filter
	FilterRoots []int32 // filters outside of logic trees, in order of appearance

	Logic      []LogicNode
	LogicRoots []LogicRoot

	Orders []OrderList
	Terms  []OrderTerm

	Distincts []DistinctList
	On        []Field

	Ranges []PathRange // sorted by key, at most one per spelling of a path

	HasColumns    bool
	Columns       [][]byte // columns=, sorted, without duplicates
	Members       []Member
	MemberTop     int32 // first member of columns= in Members, -1 if it is names alone, or NotMembers
	HasOnConflict bool
	OnConflict    [][]byte // on_conflict=, in order of appearance
	// OnConflictNamed: OnConflict is the name of a constraint or an index.
	OnConflictNamed bool

	After    []byte // the cursor of the page, with HasAfter
	HasAfter bool

	Args []Param // ModeCallRead: parameters without an operator, in order of appearance

	FilterKeys [][]byte // raw keys of all filter parameters (PUT compares them with the primary key)

	// Values are the operands of filters in slot order, ready to be bound as
	// text parameters: * is % for like and ilike, an in list is an array literal.
	Values [][]byte

	Names [][]byte
	Paths []JSONOp

	arena     []byte       // decoded text; nodes refer to it, so it only grows until Reset
	rangeText []rangeParam // limit= and offset= for each spelling of a path
	badRange  int32        // the last rangeText whose key is not a path, -1 for none
	byKey     []int32      // scratch of AppendCanonical
	parts     int          // taken so far, see MaxParts
	stop      stop         // where the last parameter was refused
	mode      Mode
}
