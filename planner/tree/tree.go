package tree

import (
	"slices"

	"github.com/fastgrest/fastgrest/parser"
	"github.com/fastgrest/fastgrest/planner/catalog"
)

// Opt is a name that may be absent. The empty name is valid here (PostgreSQL
// refuses it), so absence needs a separate bit.
type Opt struct {
	Name  string
	Given bool
}

// Some returns an Opt with that name.
func Some(name string) Opt { return Opt{name, true} }

// Or returns the name if it is given, else other.
func (o Opt) Or(other string) string {
	if o.Given {
		return o.Name
	}
	return other
}

// JSONStep is one -> or ->> of a JSON path.
type JSONStep struct {
	Text  bool // ->>
	Index bool // Key is a number
	Key   string
}

// Field is a column, a computed field or "*", with the conversions of its
// value.
type Field struct {
	Name string
	Path []JSONStep

	ToJSON    bool   // the column is not json: convert it before Path is applied
	Bare      bool   // the arrows of Path may be those of another type, such as hstore; see BareArrows
	TSVector  bool   // wrap in to_tsvector
	Lang      Opt    // configuration for to_tsvector
	Type      string // nominal type, "" if unknown
	Transform string // representation function for the value (in filters: for the operand)
	FullRow   bool   // the whole row of the relation, for count() in spreads
}

// BareArrows returns the number of steps of Path whose arrows are those of pg_catalog. The
// arrows of the steps after these are looked up on the search path: what follows ->> is
// applied to a text, for which PostgreSQL has no arrows.
func (f *Field) BareArrows() int {
	if f.Bare {
		return 0
	}
	text := slices.IndexFunc(f.Path, func(s JSONStep) bool { return s.Text })
	if text < 0 {
		return len(f.Path)
	}
	return text + 1
}

// SelectField is one selected field.
type SelectField struct {
	Field   Field
	Cast    Opt // before the aggregate
	Agg     parser.Aggregate
	Filter  []Cond // of an aggregate: the rows that it gets
	AggCast Opt
	Alias   Opt
}

// CondKind is the kind of a Cond.
type CondKind uint8

const (
	CondFilter    CondKind = iota
	CondLogic              // and/or over Children
	CondNullEmbed          // the embed has no row (Negate: has a row)
)

// Cond is a condition of a WHERE, a HAVING or an aggregate's FILTER.
type Cond struct {
	Kind   CondKind
	Negate bool

	// CondFilter
	Field     Field
	Aggregate *SelectField // compared instead of Field
	Rel       Opt          // alias of the joined spread that has the field
	Op        parser.Op
	Quant     parser.Quant
	Is        parser.IsVal
	Lang      Opt
	Slot      int32

	// CondLogic
	Or       bool
	Children []Cond

	// CondNullEmbed: the alias of the joined embed, and whether it is an array.
	Embed  string
	ToMany bool
}

// OrderTerm is one term of an ORDER BY.
type OrderTerm struct {
	Rel       Opt // alias of the joined embed that has the field
	Field     Field
	Aggregate *SelectField // sorted by instead of Field
	Dir       parser.Direction
	Nulls     parser.NullOrder
	NotNull   bool   // the value is known to be never NULL
	Cast      string // the type to read the value of a cursor as; "": the operator decides
}

// NullsFirst reports whether NULLs come before all values.
func (t *OrderTerm) NullsFirst() bool {
	return t.Nulls == parser.NullsFirst || t.Nulls == parser.NullsDefault && t.Dir == parser.DirDesc
}

// After is the position that the rows of a page follow.
type After struct {
	Nulls uint32 // bit i: the value of term i of the order is NULL
}

// SpreadKind says how an embed's columns are lifted into its parent.
type SpreadKind uint8

const (
	NoSpread SpreadKind = iota
	SpreadToOne
	SpreadToMany
)

// ExtraField is a column that a spread selects only for a clause of its parent: for
// the order of a to-many spread, or for the FILTER of an aggregate or a HAVING that
// moves out of a to-one spread.
type ExtraField struct {
	Rel   Opt
	Field SelectField
	Conds []Cond // the column is whether they are true, and Field has only its alias
}

// JoinCond is an equality between two columns of a join.
type JoinCond struct {
	Left, Right             catalog.QI
	LeftColumn, RightColumn string
}

// NoRange is the Limit.Range of a node without limit and offset.
const NoRange = -1

// Limit says whether a node has LIMIT and OFFSET. The numbers come with each
// request, except Inline and Offset.
type Limit struct {
	Range     int32 // index into Query.Ranges, TopRange, or NoRange
	HasLimit  bool
	HasOffset bool
	Inline    int64 // if >= 0, the limit that stands in the SQL text
	Offset    int64 // if >= 0, the offset that does
}

// TopRange is the Range index of the root node.
const TopRange = -2

// Node is one relation of a request: the root, or an embed of its parent.
type Node struct {
	From  catalog.QI
	Alias Opt

	Select     []SelectField
	Distinct   bool    // no two rows are equal
	DistinctOn []Field // no two rows are equal in these; the first one counts
	Where      []Cond
	Having     []Cond
	Order      []OrderTerm
	Limit      Limit

	// Keyed: the row is a page with a cursor. The values of the order come before its
	// columns, and there is one row more than the limit.
	Keyed bool
	After *After // only rows behind it

	// The relationship to the parent; zero at the root.
	Name      string // target as requested
	RelAlias  Opt
	Hint      Opt
	Join      parser.JoinType
	Rel       *catalog.Relationship
	ParentRef catalog.QI // computed relationships: the row that the function gets
	RowType   uint32     // computed relationships: see catalog.RowTypes of the result; 0 if unknown
	JoinConds []JoinCond
	AggAlias  string
	Spread    SpreadKind

	// Written: the node has only rows that a nested insert has written, see JoinConds.
	Written *Written

	Extra       []ExtraField
	Hoisted     []SelectField // aggregates that have moved to a node above
	SpreadOrder []OrderTerm   // of to-many spreads

	Embeds   []Embed // what the children add to this node's select list, in order
	Children []*Node
	Depth    int

	// LegacyName: a filter, order or range names this embed by its relation
	// although it has an alias.
	LegacyName bool
}

// Plain returns the node with all columns of all rows, and without embeds.
func (n *Node) Plain() *Node {
	return &Node{
		From: n.From, Alias: n.Alias, Limit: Limit{Range: NoRange, Inline: -1, Offset: -1},
		Name: n.Name, RelAlias: n.RelAlias, Hint: n.Hint, Join: n.Join, Rel: n.Rel, ParentRef: n.ParentRef, RowType: n.RowType,
		JoinConds: n.JoinConds, AggAlias: n.AggAlias, Spread: n.Spread, Depth: n.Depth,
	}
}

// SelfName returns the name of the node in its parent: its alias, or else its
// target.
func (n *Node) SelfName() string { return n.RelAlias.Or(n.Name) }

// Ref returns the name by which the columns of the node are referenced.
func (n *Node) Ref() catalog.QI {
	if n.Alias.Given {
		return catalog.QI{Name: n.Alias.Name}
	}
	if n.Rel != nil && n.Rel.Cardinality == catalog.Computed {
		return catalog.QI{Name: n.Rel.Function.Name}
	}
	return n.From
}

// EmbedKind says how a child appears in its parent's rows.
type EmbedKind uint8

const (
	EmbedObject EmbedKind = iota // a JSON object or null
	EmbedArray                   // a JSON array
	EmbedSpread                  // columns of the parent
)

// Embed is what a child adds to its parent's select list.
type Embed struct {
	Kind     EmbedKind
	Node     *Node
	Name     string
	AggAlias string
	Empty    bool // joined but not selected: rel()
	Fields   []SpreadField
	Repeated bool // another embed of the node has the same AggAlias; PostgreSQL refuses the statement
}

// SpreadField is one column that a spread lifts.
type SpreadField struct {
	Name    string
	Agg     parser.Aggregate
	Filter  []Cond // see SelectField; over columns that the spread selects
	AggCast Opt
	Alias   Opt
}

// SelectsStar reports whether the node selects "*", alone or with other
// columns.
func (n *Node) SelectsStar() bool {
	return len(n.Select) == 0 && len(n.Children) == 0 ||
		slices.ContainsFunc(n.Select, func(s SelectField) bool { return s.Field.Name == "*" })
}

// HasOnlyStar reports whether the node selects only "*" and embeds nothing. Its
// rows then have the type of the relation, which media type handlers need.
func (n *Node) HasOnlyStar() bool {
	return len(n.Select) == 1 && len(n.Children) == 0 && n.Select[0].Field.Name == "*"
}

// Aggregates reports whether a column of the node, or its order, has an aggregate.
func (n *Node) Aggregates() bool {
	return slices.ContainsFunc(n.Select, func(s SelectField) bool { return s.Agg != parser.AggNone }) ||
		n.OrdersByAggregate() ||
		slices.ContainsFunc(n.Embeds, func(e Embed) bool {
			return slices.ContainsFunc(e.Fields, func(f SpreadField) bool { return f.Agg != parser.AggNone })
		})
}

// OrdersByAggregate reports whether the order of the node has an aggregate.
func (n *Node) OrdersByAggregate() bool {
	return slices.ContainsFunc(n.Order, func(t OrderTerm) bool { return t.Aggregate != nil })
}

// CountsGroups reports whether the total of the node counts its rows after GROUP BY,
// HAVING and DISTINCT. PostgREST counts the rows before GROUP BY. So this is true only
// for requests that PostgREST refuses.
func (n *Node) CountsGroups() bool {
	ours := func(agg parser.Aggregate, filter []Cond) bool {
		return agg == parser.AggCountDistinct || len(filter) > 0
	}
	return n.Distinct || len(n.DistinctOn) > 0 || len(n.Having) > 0 || n.OrdersByAggregate() ||
		slices.ContainsFunc(n.Select, func(s SelectField) bool { return ours(s.Agg, s.Filter) }) ||
		slices.ContainsFunc(n.Embeds, func(e Embed) bool {
			return slices.ContainsFunc(e.Fields, func(f SpreadField) bool { return ours(f.Agg, f.Filter) })
		})
}

// ComparesRows reports whether rows of the node, or of one below it, are compared in
// full, as DISTINCT and GROUP BY do, or ordered by an embed of an embed. json has no
// equality and no order.
func (n *Node) ComparesRows() bool {
	return n.Distinct || n.Aggregates() ||
		slices.ContainsFunc(n.Order, func(t OrderTerm) bool { return n.isNested(t.Rel, t.Field.Name) }) ||
		slices.ContainsFunc(n.Extra, func(e ExtraField) bool { return n.isNested(e.Rel, e.Field.Field.Name) }) ||
		slices.ContainsFunc(n.Children, (*Node).ComparesRows)
}

// isNested reports whether a column of the embed with the alias rel comes from an
// embed inside of that embed.
func (n *Node) isNested(rel Opt, column string) bool {
	return rel.Given && slices.ContainsFunc(n.Embeds, func(e Embed) bool {
		return e.AggAlias == rel.Name && slices.ContainsFunc(e.Node.Embeds, func(inner Embed) bool {
			return inner.Kind != EmbedSpread && inner.Name == column ||
				slices.ContainsFunc(inner.Fields, func(f SpreadField) bool { return f.Alias.Or(f.Name) == column })
		})
	})
}

// AnyAggregates reports whether the node or one below it has an aggregate.
func (n *Node) AnyAggregates() bool {
	return n.Aggregates() || slices.ContainsFunc(n.Children, (*Node).AnyAggregates)
}
