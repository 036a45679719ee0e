package catalog

// relation is a table or view while the catalog is being built. Unexposed ones
// are included, because keys and view definitions lead through them.
type relation struct {
	QI
	oid         uint32
	kind        byte // pg_class.relkind
	partition   bool
	rowSecurity bool
	userCode    bool
	ruled       bool // a rule rewrites writes to it
	exposed     bool

	table *Table // nil unless it becomes a Table

	keys       []*key // primary, unique and foreign keys it has
	referredBy []*key // foreign keys towards it

	primaryKey []string
	numbers    []int16     // of the columns of table
	reads      []*relation // see reads.sql
	readers    []*relation // the other way
	children   []*relation
	parents    []*relation
	userTypes  bool // has columns, or a definition, of types not built in

	origins []origin // of a view's columns, by number-1
}

func (r *relation) isView() bool { return r.kind == 'v' || r.kind == 'm' }

// typeRef is a type as the catalog's users see it.
type typeRef struct {
	oid     uint32
	kind    byte // pg_type.typtype
	printed string
	QI
}

// Bits of pg_relation_is_updatable, numbered as the server's CmdType.
const (
	canUpdate = 1 << 2
	canInsert = 1 << 3
	canDelete = 1 << 4
)

func (l *loader) loadTables() error {
	if err := l.loadDomains(); err != nil {
		return err
	}
	l.enums = map[uint32][]string{}
	if err := l.each("enums", nil, func(r row) { l.enums[r.oid(0)] = r.list(1) }); err != nil {
		return err
	}
	if err := l.each("relations", []string{l.exposed}, l.addRelation); err != nil {
		return err
	}
	return l.loadColumns()
}

func (l *loader) addRelation(r row) {
	rel := &relation{
		oid: r.oid(0), QI: r.qi(1), kind: r.char(3), partition: r.bool(4), rowSecurity: r.bool(5), exposed: r.bool(6),
	}
	l.relations[rel.oid] = rel
	if !rel.exposed || rel.partition {
		return
	}
	able := r.int(8)
	if rel.kind == 'r' || rel.kind == 'p' {
		able = canInsert | canUpdate | canDelete
	}
	rel.table = &Table{
		QI:             rel.QI,
		Description:    r.text(7),
		HasDescription: !r.null(7),
		IsView:         rel.isView(),
		Insertable:     able&canInsert != 0,
		Updatable:      able&canUpdate != 0,
		Deletable:      able&canDelete != 0,
	}
	l.cat.Tables[rel.QI] = rel.table
}

// loadDomains resolves domains over domains to the base type.
func (l *loader) loadDomains() error {
	below := map[uint32]typeRef{}
	err := l.each("domains", nil, func(r row) {
		below[r.oid(0)] = typeRef{r.oid(1), r.char(2), r.name(3), r.qi(4)}
	})
	if err != nil {
		return err
	}
	for oid, base := range below {
		for range len(below) { // bounded by the number of domains, in case of a cycle
			if base.kind != 'd' {
				break
			}
			base = below[base.oid]
		}
		l.domains[oid] = base
	}
	return nil
}

// loadColumns reads the columns table by table. The columns of a table are
// allocated together.
func (l *loader) loadColumns() error {
	var current *relation
	var columns []Column
	flush := func() {
		if current == nil {
			return
		}
		own := make([]Column, len(columns))
		copy(own, columns)
		current.table.Columns = make([]*Column, len(own))
		for i := range own {
			current.table.Columns[i] = &own[i]
		}
	}
	err := l.each("columns", []string{l.exposed}, func(r row) {
		rel := l.relations[r.oid(0)]
		if rel == nil || rel.table == nil {
			return // created since relations.sql ran, which one snapshot rules out
		}
		if rel != current {
			flush()
			current, columns = rel, columns[:0]
		}
		columns = append(columns, l.column(rel, r))
		rel.numbers = append(rel.numbers, int16(r.int(1)))
	})
	flush()
	return err
}

func (l *loader) column(rel *relation, r row) Column {
	c := Column{
		Name:           r.name(2),
		Description:    r.text(3),
		HasDescription: !r.null(3),
		Nullable:       r.bool(4),
		Type:           r.name(6),
		NominalType:    r.name(7),
		Default:        r.name(10),
		HasDefault:     !r.null(10),
	}
	if !r.null(9) {
		c.MaxLen = int32(r.int(9))
	}
	typ := r.oid(5)
	c.OID = typ
	if schema := r.name(8); schema != "pg_catalog" {
		l.mention(schema)
		rel.userTypes = true
	}
	// A domain is its base type only where that is built in; a domain over
	// an enum keeps its own name.
	base, isDomain := l.domains[typ]
	if isDomain {
		if base.Schema == "pg_catalog" {
			c.Type = base.printed
		}
		typ = base.oid
	}
	c.Enum = l.enums[typ]
	return c
}
