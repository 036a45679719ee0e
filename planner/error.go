package planner

import "github.com/fastgrest/fastgrest/planner/catalog"

// ErrorKind says why a request cannot be planned. The comment of a kind names
// the fields of Error that it sets.
type ErrorKind uint8

const (
	TableNotFound        ErrorKind = iota // Schema, Name; Suggestion
	ColumnNotFound                        // Name is the column, Parent the table; Place in a nested body
	NoRelationship                        // Parent, Name, EmbedHint, Schema; Suggestion (a whole sentence)
	AmbiguousEmbed                        // Parent, Name, Relationships; InColumns
	NotEmbedded                           // Name; IsLegacy, LegacyName and LegacyAlias if only the alias is valid
	RelatedOrderNotToOne                  // Parent, Name
	AggregatesDisabled
	NotImplemented      // Details
	NotAcceptable       // Accepted
	InvalidPreferences  // Preferences
	InvalidPutFilters   // PUT needs eq filters on exactly the primary key
	RoutineNotFound     // Schema, Name, Arguments, Unnamed; Suggestion
	AmbiguousRoutine    // Routines
	MaxAffectedOnSingle // max-affected with a function that returns one row
	DistinctOrder       // Name; Details: the columns that the order must begin with
	DistinctUnselected  // Name; Details: the column of the order
	BulkKeyMissing      // Arguments: the key
	NoBulkKey           // Name
	NoSuchUnique        // Name, Parent; Uniques
	AmbiguousUnique     // Arguments: the columns, Parent; Uniques
	UniqueUnfit         // Name; Details
	PageUnfit           // Details; Hint: pages with cursors are not possible
	OtherCursor         // the cursor is that of another order
)

// Error says why a request cannot be planned. Its kind decides which other
// fields are set.
type Error struct {
	Kind                    ErrorKind
	Schema, Name, Parent    string
	EmbedHint               string
	HasEmbedHint            bool
	LegacyName, LegacyAlias string
	IsLegacy                bool
	Details                 string
	Hint                    string
	Place                   string // JSON pointer into the body, or ""
	Suggestion              string // a similar name, or ""
	Accepted                []string
	Preferences             []string
	Relationships           []*catalog.Relationship
	InColumns               bool // of a nested insert: the parameter columns chooses the relationship, a body cannot
	Routines                []*catalog.Routine
	Uniques                 []string // names of the candidates
	Arguments               []string
	Unnamed                 string // type of the single unnamed parameter that would fit, too
	OnlyUnnamed             bool   // only that parameter would fit
}

func (e *Error) Error() string {
	return "planner: " + [...]string{
		"table not found", "column not found", "no relationship", "ambiguous embed", "not embedded",
		"related order on a to-many embed", "aggregates disabled", "not implemented", "not acceptable",
		"invalid preferences", "filters do not name the primary key", "routine not found", "ambiguous routine",
		"max-affected on a single result", "order without the columns of distinct", "order by a column that distinct rows do not have",
		"body without the key", "no key for a bulk update", "no such constraint or index",
		"ambiguous unique index", "constraint or index does not fit",
		"no pages with cursors", "the cursor of another order",
	}[e.Kind] + " " + e.Name
}
