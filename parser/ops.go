package parser

// opFact has the properties of an operator. A new operator is added to opFacts.
type opFact struct {
	name    string // as written in a query string
	sql     string // as written between column and operand
	tsquery string // full text search: the function that makes the operand
}

var opFacts = [...]opFact{
	OpEq:         {name: "eq", sql: "="},
	OpGte:        {name: "gte", sql: ">="},
	OpGt:         {name: "gt", sql: ">"},
	OpLte:        {name: "lte", sql: "<="},
	OpLt:         {name: "lt", sql: "<"},
	OpLike:       {name: "like", sql: "LIKE"},
	OpILike:      {name: "ilike", sql: "ILIKE"},
	OpMatch:      {name: "match", sql: "~"},
	OpIMatch:     {name: "imatch", sql: "~*"},
	OpNeq:        {name: "neq", sql: "<>"},
	OpCs:         {name: "cs", sql: "@>"},
	OpCd:         {name: "cd", sql: "<@"},
	OpOv:         {name: "ov", sql: "&&"},
	OpSl:         {name: "sl", sql: "<<"},
	OpSr:         {name: "sr", sql: ">>"},
	OpNxr:        {name: "nxr", sql: "&<"},
	OpNxl:        {name: "nxl", sql: "&>"},
	OpAdj:        {name: "adj", sql: "-|-"},
	OpIn:         {name: "in", sql: "= ANY"},
	OpIs:         {name: "is", sql: "IS"},
	OpIsDistinct: {name: "isdistinct", sql: "IS DISTINCT FROM"},
	OpFts:        {name: "fts", sql: "@@", tsquery: "to_tsquery"},
	OpPlfts:      {name: "plfts", sql: "@@", tsquery: "plainto_tsquery"},
	OpPhfts:      {name: "phfts", sql: "@@", tsquery: "phraseto_tsquery"},
	OpWfts:       {name: "wfts", sql: "@@", tsquery: "websearch_to_tsquery"},
}

// Name is the name of the operator in a query string.
func (o Op) Name() string { return o.fact().name }

// SQL is the SQL operator between the column and the operand.
func (o Op) SQL() string { return o.fact().sql }

// TSQuery is the function around the operand of a full text search. It is empty
// for other operators.
func (o Op) TSQuery() string { return o.fact().tsquery }

// Quantifiable reports whether (any) and (all) may follow the operator.
func (o Op) Quantifiable() bool { return o < opSimpleFence }

// FullText reports whether the operator is a full text search.
func (o Op) FullText() bool { return o >= OpFts }

// Valid reports whether o is an operator. opSimpleFence is not.
func (o Op) Valid() bool { return o.fact().name != "" }

func (o Op) fact() *opFact {
	if int(o) >= len(opFacts) {
		return &opFacts[opSimpleFence]
	}
	return &opFacts[o]
}

// lookupOp returns the operator with a name. The switch compiles to a search by
// length and content.
func lookupOp(name []byte) (Op, bool) {
	switch string(name) {
	case "eq":
		return OpEq, true
	case "gte":
		return OpGte, true
	case "gt":
		return OpGt, true
	case "lte":
		return OpLte, true
	case "lt":
		return OpLt, true
	case "like":
		return OpLike, true
	case "ilike":
		return OpILike, true
	case "match":
		return OpMatch, true
	case "imatch":
		return OpIMatch, true
	case "neq":
		return OpNeq, true
	case "cs":
		return OpCs, true
	case "cd":
		return OpCd, true
	case "ov":
		return OpOv, true
	case "sl":
		return OpSl, true
	case "sr":
		return OpSr, true
	case "nxr":
		return OpNxr, true
	case "nxl":
		return OpNxl, true
	case "adj":
		return OpAdj, true
	case "in":
		return OpIn, true
	case "is":
		return OpIs, true
	case "isdistinct":
		return OpIsDistinct, true
	case "fts":
		return OpFts, true
	case "plfts":
		return OpPlfts, true
	case "phfts":
		return OpPhfts, true
	case "wfts":
		return OpWfts, true
	}
	return 0, false
}
