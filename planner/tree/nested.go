package tree

// NestedRows says where the rows of a Write come from that is a part of a nested insert:
// an insert of rows with those that they are related to.
//
// Each table has a Write of its own. They run in an order in which keys are known before
// they are needed: rows that others refer to come first. The rows of a Write are numbered
// in the order of the body. A Write remembers the numbers of the rows it has written and of
// those that they are inside of, with the columns in Keys, for what comes after it.
type NestedRows struct {
	Number int           // of the Write, unique in the request
	Path   []NestedStep  // from the top of the body to the rows
	Body   []WriteColumn // columns that the body gives
	Refs   []NestedRef   // columns that other rows give
	Keys   []WriteColumn // columns that are remembered, by position
	// Silent: no Write needs the rows.
	Silent bool
}

// Written is what restricts a node of the response to the rows that a Write has written.
type Written struct {
	Rows *NestedRows
	Name string // of a FROM item with what is remembered of the rows
	// Around is the Name of the written rows that those of the node are inside of, if the
	// response has them.
	Around Opt
}

// NestedStep leads from a row to those in one of its members.
type NestedStep struct {
	Key  string
	Many bool // an array of rows, not one row
}

// NestedRef is what a row takes from a row of another Write: by the row's own number, or
// by that of the row it is inside of.
type NestedRef struct {
	Rows    *NestedRows
	Own     bool
	Member  string // with Own: the member that has the other row; if it has none, the columns are NULL. "" if there always is one
	Lenient bool   // rows without the other one are left out. Otherwise they are an error
	Place   string // of the other rows, for the error
	Columns []NestedLink
}

// NestedLink is a column with the value of a remembered one.
type NestedLink struct {
	Column string
	Key    int
}
