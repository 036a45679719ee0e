package tree

import (
	"slices"

	"github.com/fastgrest/fastgrest/parser"
	"github.com/fastgrest/fastgrest/planner/catalog"
)

// Opt is a name that may be absent. The empty name is a name (and one that
// PostgreSQL refuses), so absence needs its own bit.
type Opt struct {
	Name  string
	Given bool
}

// Some returns a given name.
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
	Text  bool
	Index bool
	Key   string
}

// Field is a column, computed field or "*", with what has to happen to its
// value before it is used.
type Field struct {
	Name string
	Path []JSONStep

	ToJSON    bool   // the column is not json: convert before following Path
	TSVector  bool   // wrap in to_tsvector
	Lang      Opt    // configuration of that to_tsvector
	Type      string // nominal type, "" when unknown
	Transform string // representation function applied to it (or, in filters, to the operand)
	FullRow   bool   // the whole row of the relation, for count() in spreads
}

// SelectField is one selected field.
type SelectField struct {
	Field   Field
	Cast    Opt // before the aggregate
	Agg     parser.Aggregate
	AggCast Opt
	Alias   Opt
}

// CondKind tells what a Cond is.
type CondKind uint8

const (
	CondFilter    CondKind = iota
	CondLogic              // and/or over Children
	CondNullEmbed          // the embed named Embed has no row (Negate: has one)
)

// Cond is a condition of a WHERE.
type Cond struct {
	Kind   CondKind
	Negate bool

	// CondFilter
	Field Field
	Op    parser.Op
	Quant parser.Quant
	Is    parser.IsVal
	Lang  Opt
	Slot  int32

	// CondLogic
	Or       bool
	Children []Cond

	// CondNullEmbed: the alias under which the embed was joined, and whether it
	// is an array or a row
	Embed  string
	ToMany bool
}

// OrderTerm is one term of an ORDER BY.
type OrderTerm struct {
	Rel   Opt // alias of the joined embed the field belongs to
	Field Field
	Dir   parser.Direction
	Nulls parser.NullOrder
}

// SpreadKind tells how an embed's columns are lifted into its parent.
type SpreadKind uint8

const (
	NoSpread SpreadKind = iota
	SpreadToOne
	SpreadToMany
)

// ExtraField is a column that a to-many spread selects only to order by it.
type ExtraField struct {
	Rel   Opt
	Field SelectField
}

// JoinCond is an equality between two columns of a join.
type JoinCond struct {
	Left, Right             catalog.QI
	LeftColumn, RightColumn string
}

// NoRange marks a node without limit or offset.
const NoRange = -1

// Limit says which LIMIT and OFFSET a node has. The numbers come with each
// request, except Inline.
type Limit struct {
	Range     int32 // index into Query.Ranges, TopRange, or NoRange
	HasLimit  bool
	HasOffset bool
	Inline    int64 // >= 0: the limit stands in the SQL text
}

// TopRange is the Range index of the root node.
const TopRange = -2

// Node is one relation of a request: the root, or an embed of its parent.
type Node struct {
	From  catalog.QI
	Alias Opt

	Select []SelectField
	Where  []Cond
	Order  []OrderTerm
	Limit  Limit

	// How the node hangs on its parent; zero at the root.
	Name      string // target as requested
	RelAlias  Opt
	Hint      Opt
	Join      parser.JoinType
	Rel       *catalog.Relationship
	ParentRef catalog.QI // for computed relationships: what the function is called with
	RowType   uint32     // likewise: of what it returns, see catalog.RowTypes; 0 unknown
	JoinConds []JoinCond
	AggAlias  string
	Spread    SpreadKind

	// Of a to-many spread.
	Extra       []ExtraField
	SpreadOrder []OrderTerm

	Embeds   []Embed // what the children contribute to this node's select list, in order
	Children []*Node
	Depth    int

	LegacyName bool // a filter, order or range named this embed by its relation although it has an alias
}

// SelfName is the name the node goes by in its parent: the alias or the target.
func (n *Node) SelfName() string { return n.RelAlias.Or(n.Name) }

// Ref is the name under which the node's columns are referenced.
func (n *Node) Ref() catalog.QI {
	if n.Alias.Given {
		return catalog.QI{Name: n.Alias.Name}
	}
	if n.Rel != nil && n.Rel.Cardinality == catalog.Computed {
		return catalog.QI{Name: n.Rel.Function.Name}
	}
	return n.From
}

// EmbedKind tells how a child appears in its parent's rows.
type EmbedKind uint8

const (
	EmbedObject EmbedKind = iota // a JSON object or null
	EmbedArray                   // a JSON array
	EmbedSpread                  // columns of the parent
)

// Embed is a child's contribution to its parent's select list.
type Embed struct {
	Kind     EmbedKind
	Node     *Node
	Name     string
	AggAlias string
	Empty    bool // joined but not selected: rel()
	Fields   []SpreadField
	Repeated bool // another embed of the node has the same AggAlias, which PostgreSQL refuses
}

// SpreadField is one column lifted by a spread.
type SpreadField struct {
	Name    string
	Agg     parser.Aggregate
	AggCast Opt
	Alias   Opt
}

// SelectsStar reports whether the node selects "*", beside other things or not.
func (n *Node) SelectsStar() bool {
	return len(n.Select) == 0 && len(n.Children) == 0 ||
		slices.ContainsFunc(n.Select, func(s SelectField) bool { return s.Field.Name == "*" })
}

// HasOnlyStar reports whether the node selects just "*" and embeds nothing:
// the rows then have the relation's own type, which media type handlers need.
func (n *Node) HasOnlyStar() bool {
	return len(n.Select) == 1 && len(n.Children) == 0 && n.Select[0].Field.Name == "*"
}
