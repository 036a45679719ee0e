package exec

import (
	"math"

	"github.com/fastgrest/fastgrest/parser"
	"github.com/fastgrest/fastgrest/parser/body"
	"github.com/fastgrest/fastgrest/pgwire/pool"
	"github.com/fastgrest/fastgrest/planner"
	"github.com/fastgrest/fastgrest/planner/sqlgen"
	"github.com/fastgrest/fastgrest/planner/tree"
	"github.com/fastgrest/fastgrest/server/cursor"
)

// Call is one request to run a plan. All bytes are borrowed.
type Call struct {
	Plan   *Runnable
	Schema int // position among the exposed schemas

	// Replica is the pool of a read replica that runs the call. nil: Engine.Pool.
	Replica *pool.Pool
	// Bookmark: if the call commits a write, Execution.Bookmark returns where that ends.
	Bookmark bool

	// Settings are the values of the request that become settings of the
	// transaction. Without a preferred time zone SettingTimezone is nil.
	Settings [sqlgen.RequestSettings][]byte
	// Without are the settings that are not made; see Rules.Without.
	Without sqlgen.SettingSet

	// ReadWrite: the transaction is shared with calls that write; see Transaction.
	ReadWrite bool
	// Rollback: the transaction is rolled back in the end.
	Rollback bool
	// MaxAffected is how many rows may be changed, with HasMaxAffected.
	MaxAffected    int64
	HasMaxAffected bool

	// Of the query string.
	Values [][]byte           // operands of filters
	Top    parser.Range       // rows of the root
	Ranges []parser.PathRange // rows of embeds

	After []cursor.Value // the position that a page follows

	Payload     []byte
	PayloadForm PayloadForm
	// NextPiece, if set, puts the next piece of the payload into Payload. It returns false
	// after the last piece. Only plans that are Tagged take pieces.
	NextPiece func() (more bool, err error)

	// Arguments of a routine by name, in order, repetitions included: from the
	// query string or from a form.
	Args     []parser.Param
	FormArgs []body.Pair

	// Receiver, if set, takes the rows while they arrive. Only a call that CanStream has one.
	Receiver Receiver

	// LogID returns the name of the request in the log. It is called only when
	// something is logged.
	LogID func() []byte
}

// PayloadForm says how the payload is bound.
type PayloadForm uint8

const (
	PayloadText  PayloadForm = iota
	PayloadBytes             // for a parameter of type bytea
	PayloadArgs              // a JSON object of the arguments takes its place
)

// roleName is the role that the call runs as.
func (c *Call) roleName() []byte { return c.Settings[sqlgen.SettingRole] }

func (c *Call) eachArg(fn func(name, value []byte)) {
	for i := range c.Args {
		fn(c.Args[i].Key, c.Args[i].Value)
	}
	for i := range c.FormArgs {
		fn(c.FormArgs[i].Key, c.FormArgs[i].Value)
	}
}

func (c *Call) rangeAt(i int32) parser.Range {
	if i == tree.TopRange {
		return c.Top
	}
	return c.Ranges[i].Range
}

// limitsAffected reports whether MaxAffected concerns the plan.
func (c *Call) limitsAffected() bool {
	p := c.Plan
	return c.HasMaxAffected && (p.Action == planner.Update || p.Action == planner.Delete || p.Routine != nil)
}

// checked reports whether the rows decide if the transaction may be committed.
func (c *Call) checked() bool {
	p := c.Plan
	return p.Singular && !p.One || p.Action == planner.Upsert || c.limitsAffected()
}

// bounds are the least and the largest number of rows that the request allows.
func (c *Call) bounds() (least, most int64) {
	p := c.Plan
	most = math.MaxInt64
	switch {
	case p.Explain:
		return 0, most
	case p.Action == planner.Upsert:
		return 1, 1
	case p.Singular:
		least, most = 1, 1
	}
	if c.limitsAffected() {
		most = min(most, c.MaxAffected)
	}
	return least, most
}

// check refuses a number of rows that the request does not allow.
func (c *Call) check(rows int64) error {
	least, most := c.bounds()
	switch p := c.Plan; {
	case least <= rows && rows <= most:
		return nil
	case p.Action == planner.Upsert:
		return &RowsError{OtherKey, rows}
	case p.Singular && rows != 1:
		return &RowsError{NotOneRow, rows}
	}
	return &RowsError{TooManyRows, rows}
}

// leastTotal is the total that the first row of the page needs, 0 if the total does not
// matter. A range beyond the total is an error for those who asked for the total.
func (c *Call) leastTotal() int64 {
	p := c.Plan
	if p.Explain || p.Action.Writes() || p.Total.Count == sqlgen.CountNone && p.Estimate.SQL == "" {
		return 0
	}
	return c.Top.Lower
}
