package purity

// Trace is what may be left in a session by running something, and what it may
// observe.
type Trace uint8

const (
	// Session: settings, locks, temporary objects and the like.
	Session Trace = 1 << iota
	// Sequence: a value taken from a sequence, which matters only if something
	// that Reads it can be run later.
	Sequence
	// Reads: what sequences last gave may be read.
	Reads
	// Prepare: some text has the word, so that text that is run may have it, too.
	Prepare
	// Observes: a setting may be read whose name begins with "request.".
	Observes
	// Runs: code runs that is neither PostgreSQL's own nor that of a known module.
	Runs

	// Unknown: anything.
	Unknown = Session | Sequence | Reads | Observes | Runs
)

// Kind of a node.
type Kind uint8

const (
	Function Kind = iota
	Operator
	Columns // the columns of a relation, and so their types
	Read    // reading a relation
	Planned // planning a statement that reads a relation
	Write   // writing to a relation, and reading it
	Type    // having values of a type
)

// Node is an object of the database.
type Node struct {
	Kind Kind
	OID  uint32
}

// FirstOwn is the first OID that PostgreSQL does not use for itself.
const FirstOwn = 16384

// spelling is a name in one of the places a name can have in a source. It stands
// for everything in the database that it may mean there.
type spelling struct {
	place        place
	schema, name string // in lower case; schema is "" for any
}

type place uint8

const (
	called  place = iota
	shadow        // called in place of a function of pg_catalog
	field         // called like a column
	read          // a type, or a relation that is read
	written       // a type, or a relation that is written to
)

// Ambient runs, without being named, where values of PostgreSQL's own types are:
// operators and casts for these that the database has in addition.
var Ambient = Node{Kind: Type}

// Graph says what uses what. Build it with Name, Uses, Leaves and Source, in any
// order except that all Names come before all Sources; then Spread it.
type Graph struct {
	nodes  map[Node]int32
	names  map[spelling]int32
	users  [][]int32 // by number of a node or name: what uses it
	seers  [][]int32 // likewise: what observes what it observes
	traces []Trace   // likewise
}

// NewGraph returns an empty graph.
func NewGraph() *Graph { return &Graph{nodes: map[Node]int32{}, names: map[spelling]int32{}} }

// number returns the number of a node or name, a new one if it has none.
func number[K comparable](g *Graph, numbers map[K]int32, key K) int32 {
	id, ok := numbers[key]
	if !ok {
		id = int32(len(g.traces))
		numbers[key] = id
		g.users, g.seers, g.traces = append(g.users, nil), append(g.seers, nil), append(g.traces, 0)
	}
	return id
}

func (g *Graph) node(n Node) int32 { return number(g, g.nodes, n) }

// Uses says that running a may run b.
func (g *Graph) Uses(a, b Node) { g.link(g.node(a), g.node(b)) }

// Sees says that running a may observe what b observes.
func (g *Graph) Sees(a, b Node) {
	used := g.node(b)
	g.seers[used] = append(g.seers[used], g.node(a))
}

func (g *Graph) link(user, used int32) { g.users[used] = append(g.users[used], user) }

// Leaves says what running a node leaves by itself.
func (g *Graph) Leaves(n Node, t Trace) { g.traces[g.node(n)] |= t }

// Trace returns what running a node may leave. Nodes that nothing was said of
// leave nothing.
func (g *Graph) Trace(n Node) Trace {
	if id, ok := g.nodes[n]; ok {
		return g.traces[id]
	}
	return 0
}

// All returns what all nodes of a kind may leave, except PostgreSQL's own.
func (g *Graph) All(k Kind) (t Trace) {
	for n, id := range g.nodes {
		if n.Kind == k && (n.OID >= FirstOwn || n == Ambient) {
			t |= g.traces[id]
		}
	}
	return t
}

// Spread carries traces from what is used to what uses it. Circles of calls do
// not matter: what is proven is that nothing that can be reached leaves anything.
func (g *Graph) Spread() {
	var queue []int32
	for id, t := range g.traces {
		if t != 0 {
			queue = append(queue, int32(id))
		}
	}
	for len(queue) > 0 {
		id := queue[len(queue)-1]
		queue = queue[:len(queue)-1]
		give := func(users []int32, t Trace) {
			for _, user := range users {
				if t&^g.traces[user] != 0 {
					g.traces[user] |= t
					queue = append(queue, user)
				}
			}
		}
		give(g.users[id], g.traces[id])
		give(g.seers[id], g.traces[id]&Observes)
	}
}

// NameFunction says what a function is called. asField: it can be called like a
// column, because it takes a row.
func (g *Graph) NameFunction(schema, name string, oid uint32, asField bool) {
	f := Node{Function, oid}
	g.stands(called, "", name, f)
	g.stands(called, schema, name, f)
	g.stands(shadow, "", name, f)
	if asField {
		g.stands(field, "", name, f)
	}
}

// NameBuiltin adds the functions of pg_catalog that have a name.
func (g *Graph) NameBuiltin(name string, t Trace) {
	for _, schema := range []string{"", "pg_catalog"} {
		g.traces[number(g, g.names, spelling{called, schema, fold(name)})] |= t
	}
}

// NameType says what a type is called.
func (g *Graph) NameType(name string, oid uint32) {
	g.stands(read, "", name, Node{Type, oid})
	g.stands(written, "", name, Node{Type, oid})
}

// NameRelation says what a relation is called.
func (g *Graph) NameRelation(name string, oid uint32) {
	g.stands(read, "", name, Node{Read, oid})
	g.stands(written, "", name, Node{Write, oid})
}

func (g *Graph) stands(p place, schema, name string, n Node) {
	g.link(number(g, g.names, spelling{p, fold(schema), fold(name)}), g.node(n))
}

// Called returns what calling any function of a name may leave; schema is "" for
// any. A name that no function has may get one at any time.
func (g *Graph) Called(schema, name string) Trace {
	id, ok := g.names[spelling{called, fold(schema), fold(name)}]
	if !ok {
		return Unknown
	}
	return g.traces[id]
}

// EachCalled goes through the names of all functions, in lower case.
func (g *Graph) EachCalled(visit func(name string, t Trace)) {
	for s, id := range g.names {
		if s.place == called && s.schema == "" {
			visit(s.name, g.traces[id])
		}
	}
}

// Fields returns what the functions that can be called like columns may leave.
func (g *Graph) Fields() (t Trace) {
	for s, id := range g.names {
		if s.place == field {
			t |= g.traces[id]
		}
	}
	return t
}

// Source adds what the source of a function uses.
func (g *Graph) Source(f Node, u *Use) {
	if u.Unproven != "" {
		g.Leaves(f, Session|Observes)
	}
	if u.Text {
		g.Leaves(f, Unknown)
	}
	g.Uses(f, Ambient)
	user := g.node(f)
	for _, c := range u.Calls {
		g.call(user, c)
	}
	for _, name := range u.Fields {
		g.may(user, spelling{field, "", name})
	}
	where := read
	if u.Writes {
		where = written
	}
	for _, name := range u.Names {
		g.may(user, spelling{where, "", name})
	}
}

// call links a function with what a call in its source may call.
func (g *Graph) call(user int32, c Call) {
	if c.Local && (c.Schema == "" || c.Schema == "pg_catalog") {
		// The one of pg_catalog leaves nothing. Another may be found first.
		if c.Schema == "" {
			g.may(user, spelling{shadow, "", c.Name})
		}
		return
	}
	if g.may(user, spelling{called, c.Schema, c.Name}) || c.Syntax {
		return
	}
	if _, typeOrRelation := g.names[spelling{read, "", c.Name}]; typeOrRelation {
		return // numeric(10,2), insert into t (a)
	}
	g.traces[user] |= Unknown
}

// may links a function with everything a name stands for. It reports whether
// the name stands for something.
func (g *Graph) may(user int32, s spelling) bool {
	id, ok := g.names[s]
	if ok {
		g.link(user, id)
	}
	return ok
}
