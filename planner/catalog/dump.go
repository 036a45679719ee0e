package catalog

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/fastgrest/fastgrest/parser/jsontext"
)

// AppendJSON appends the catalog in the format of PostgREST's --dump-schema:
// objects by name, maps with non-string keys as arrays of key and value, sum types
// as a tag and its contents. PostgREST's maps are in hash order. Ours are sorted,
// so that two dumps can be compared as text.
func (c *Catalog) AppendJSON(dst []byte) []byte {
	d := dumper{dst}
	d.open('{')
	d.key("dbMediaHandlers").handlers(c.Handlers)
	d.key("dbRelationships").relationships(c.Relationships)
	d.key("dbRepresentations").representations(c.Representations)
	d.key("dbRoutines").routines(c.Routines)
	d.key("dbTables").tables(c.Tables)
	d.close('}')
	return d.b
}

// dumper writes JSON. It inserts a comma between values.
type dumper struct{ b []byte }

func (d *dumper) comma() {
	if len(d.b) == 0 {
		return
	}
	switch d.b[len(d.b)-1] {
	case '"', '}', ']', 'e', 'l', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9':
		d.b = append(d.b, ',')
	}
}

func (d *dumper) open(bracket byte) {
	d.comma()
	d.b = append(d.b, bracket)
}

func (d *dumper) close(bracket byte) { d.b = append(d.b, bracket) }

func (d *dumper) key(name string) *dumper {
	d.string(name)
	d.b = append(d.b, ':')
	return d
}

func (d *dumper) bool(v bool) {
	d.comma()
	d.b = strconv.AppendBool(d.b, v)
}

func (d *dumper) null() {
	d.comma()
	d.b = append(d.b, "null"...)
}

func (d *dumper) number(n int32) {
	d.comma()
	d.b = strconv.AppendInt(d.b, int64(n), 10)
}

func (d *dumper) string(s string) {
	d.comma()
	d.b = jsontext.AppendString(d.b, s)
}

func (d *dumper) optional(s string, has bool) {
	if !has {
		d.null()
		return
	}
	d.string(s)
}

func (d *dumper) strings(list []string) {
	d.open('[')
	for _, s := range list {
		d.string(s)
	}
	d.close(']')
}

func (d *dumper) pairs(list []ColumnPair) {
	d.open('[')
	for _, p := range list {
		d.strings([]string{p.Column, p.Foreign})
	}
	d.close(']')
}

func (d *dumper) qi(q QI) {
	d.open('{')
	d.key("qiName").string(q.Name)
	d.key("qiSchema").string(q.Schema)
	d.close('}')
}

func (d *dumper) tag(name string) {
	d.key("tag").string(name)
}

// entries writes a map whose keys are not strings.
func entries[K comparable, V any](d *dumper, m map[K]V, compare func(a, b K) int, each func(K, V)) {
	d.open('[')
	for _, k := range slices.SortedFunc(maps.Keys(m), compare) {
		d.open('[')
		each(k, m[k])
		d.close(']')
	}
	d.close(']')
}

func (d *dumper) tables(m map[QI]*Table) {
	entries(d, m, QI.compare, func(qi QI, t *Table) {
		d.qi(qi)
		d.open('{')
		d.key("tableColumns").columns(t.Columns)
		d.key("tableDeletable").bool(t.Deletable)
		d.key("tableDescription").optional(t.Description, t.HasDescription)
		d.key("tableInsertable").bool(t.Insertable)
		d.key("tableIsView").bool(t.IsView)
		d.key("tableName").string(t.Name)
		d.key("tablePKCols").strings(t.PrimaryKey)
		d.key("tableSchema").string(t.Schema)
		d.key("tableUpdatable").bool(t.Updatable)
		d.close('}')
	})
}

func (d *dumper) columns(list []*Column) {
	sorted := slices.SortedFunc(slices.Values(list), func(a, b *Column) int { return strings.Compare(a.Name, b.Name) })
	d.open('{')
	for _, c := range sorted {
		d.key(c.Name).open('{')
		d.key("colDefault").optional(c.Default, c.HasDefault)
		d.key("colDescription").optional(c.Description, c.HasDescription)
		d.key("colEnum").strings(c.Enum)
		d.key("colMaxLen")
		if c.MaxLen == 0 {
			d.null()
		} else {
			d.number(c.MaxLen)
		}
		d.key("colName").string(c.Name)
		d.key("colNominalType").string(c.NominalType)
		d.key("colNullable").bool(c.Nullable)
		d.key("colType").string(c.Type)
		d.close('}')
	}
	d.close('}')
}

func (d *dumper) relationships(m map[RelKey][]*Relationship) {
	compare := func(a, b RelKey) int {
		return cmp.Or(a.Table.compare(b.Table), strings.Compare(a.Schema, b.Schema))
	}
	entries(d, m, compare, func(k RelKey, list []*Relationship) {
		d.open('[')
		d.qi(k.Table)
		d.string(k.Schema)
		d.close(']')
		d.open('[')
		for _, r := range list {
			d.relationship(r)
		}
		d.close(']')
	})
}

func (d *dumper) relationship(r *Relationship) {
	d.open('{')
	if r.Cardinality == Computed {
		d.key("relForeignTable").qi(r.Foreign)
		d.key("relFunction").qi(r.Function)
		d.key("relIsSelf").bool(r.Self)
		d.key("relTable").qi(r.Table)
		d.key("relTableAlias").qi(QI{})
		d.key("relToOne").bool(r.ToOne)
		d.tag("ComputedRelationship")
		d.close('}')
		return
	}
	d.key("relCardinality").cardinality(r)
	d.key("relFTableIsView").bool(r.ForeignIsView)
	d.key("relForeignTable").qi(r.Foreign)
	d.key("relIsSelf").bool(r.Self)
	d.key("relTable").qi(r.Table)
	d.key("relTableIsView").bool(r.TableIsView)
	d.tag("Relationship")
	d.close('}')
}

var cardinalityTags = [...]string{ManyToOne: "M2O", OneToMany: "O2M", OneToOne: "O2O", ManyToMany: "M2M"}

func (d *dumper) cardinality(r *Relationship) {
	d.open('{')
	if j := r.Junction; j != nil {
		d.key("contents").open('{')
		d.key("junColsSource").pairs(j.Source)
		d.key("junColsTarget").pairs(j.Target)
		d.key("junConstraint1").string(j.Constraint1)
		d.key("junConstraint2").string(j.Constraint2)
		d.key("junTable").qi(j.Table)
		d.close('}')
	} else {
		if r.Cardinality == OneToOne {
			d.key("isParent").bool(r.IsParent)
		}
		d.key("relColumns").pairs(r.Columns)
		d.key("relCons").string(r.Constraint)
	}
	d.tag(cardinalityTags[r.Cardinality])
	d.close('}')
}

func (d *dumper) routines(m map[QI][]*Routine) {
	entries(d, m, QI.compare, func(qi QI, overloads []*Routine) {
		d.qi(qi)
		d.open('[')
		for _, r := range overloads {
			d.routine(r)
		}
		d.close(']')
	})
}

var (
	volatilityTags = [...]string{Volatile: "Volatile", Stable: "Stable", Immutable: "Immutable"}
	isolationTags  = map[string]string{"read committed": "ReadCommitted", "repeatable read": "RepeatableRead", "serializable": "Serializable"}
)

func (d *dumper) routine(r *Routine) {
	d.open('{')
	d.key("pdDescription").optional(r.Description, r.HasDescription)
	d.key("pdFuncSettings").open('[')
	for _, s := range r.Settings {
		d.strings([]string{s.Name, s.Value})
	}
	d.close(']')
	d.key("pdHasVariadic").bool(r.Variadic)
	d.key("pdIsoLvl").optional(isolationTags[r.Isolation], r.Isolation != "")
	d.key("pdName").string(r.Name)
	d.key("pdParams").open('[')
	for _, p := range r.Params {
		d.open('{')
		d.key("ppName").string(p.Name)
		d.key("ppReq").bool(p.Required)
		d.key("ppType").string(p.Type)
		d.key("ppTypeMaxLength").string(p.MaxType)
		d.key("ppVar").bool(p.Variadic)
		d.close('}')
	}
	d.close(']')
	d.key("pdReturnType").returnType(r)
	d.key("pdSchema").string(r.Schema)
	d.key("pdVolatility").string(volatilityTags[r.Volatility])
	d.close('}')
}

func (d *dumper) returnType(r *Routine) {
	d.open('{')
	d.key("contents").open('{')
	if r.Composite {
		d.key("contents").open('[')
		d.qi(r.Return)
		d.bool(r.CompositeAlias)
		d.close(']')
		d.tag("Composite")
	} else {
		d.key("contents").qi(r.Return)
		d.tag("Scalar")
	}
	d.close('}')
	if r.SetOf {
		d.tag("SetOf")
	} else {
		d.tag("Single")
	}
	d.close('}')
}

func (d *dumper) representations(m map[RepKey]*Representation) {
	compare := func(a, b RepKey) int {
		return cmp.Or(strings.Compare(a.Source, b.Source), strings.Compare(a.Target, b.Target))
	}
	entries(d, m, compare, func(k RepKey, r *Representation) {
		d.strings([]string{k.Source, k.Target})
		d.open('{')
		d.key("drFunction").string(r.Function)
		d.key("drSourceType").string(r.Source)
		d.key("drTargetType").string(r.Target)
		d.close('}')
	})
}

// builtinTags are PostgREST's names for its built-in handlers.
var builtinTags = map[string]string{
	"*/*":                  "BuiltinOvAggJson",
	"application/json":     "BuiltinOvAggJson",
	"text/csv":             "BuiltinOvAggCsv",
	"application/geo+json": "BuiltinOvAggGeoJson",
}

func (d *dumper) handlers(custom map[HandlerKey]*Handler) {
	all := make(map[HandlerKey]*Handler, len(custom)+len(builtinHandlers))
	maps.Copy(all, custom)
	for _, mediaType := range builtinHandlers {
		if key := (HandlerKey{MediaType: mediaType}); all[key] == nil {
			all[key] = nil
		}
	}
	compare := func(a, b HandlerKey) int {
		return cmp.Or(a.Target.compare(b.Target), strings.Compare(a.MediaType, b.MediaType))
	}
	entries(d, all, compare, func(k HandlerKey, h *Handler) {
		d.open('[')
		d.target(k.Target)
		d.mediaType(k.MediaType)
		d.close(']')
		d.open('[')
		d.open('{')
		if h == nil {
			d.tag(builtinTags[k.MediaType])
			d.close('}')
			if k.MediaType == "*/*" {
				k.MediaType = "application/json"
			}
			d.mediaType(k.MediaType)
		} else {
			d.key("contents").open('[')
			d.qi(h.Function)
			d.target(h.Target)
			d.close(']')
			d.tag("CustomFunc")
			d.close('}')
			d.mediaType(h.MediaType)
		}
		d.close(']')
	})
}

func (d *dumper) target(qi QI) {
	d.open('{')
	if qi == (QI{}) {
		d.tag("RelAnyElement")
	} else {
		d.key("contents").qi(qi)
		d.tag("RelId")
	}
	d.close('}')
}

func (d *dumper) mediaType(name string) {
	d.comma()
	tag, known := mediaTags[name]
	if known {
		d.b = append(d.b, tag...)
		return
	}
	d.open('{')
	d.key("contents").string(name)
	d.tag("MTOther")
	d.close('}')
}

// mediaTags are the media types PostgREST has a constructor for, as it prints
// them.
var mediaTags = map[string]string{
	"*/*":                               `{"tag":"MTAny"}`,
	"application/geo+json":              `{"tag":"MTGeoJSON"}`,
	"application/json":                  `{"tag":"MTApplicationJSON"}`,
	"application/octet-stream":          `{"tag":"MTOctetStream"}`,
	"application/openapi+json":          `{"tag":"MTOpenAPI"}`,
	"application/vnd.pgrst.object+json": `{"contents":false,"tag":"MTVndSingularJSON"}`,
	"application/x-www-form-urlencoded": `{"tag":"MTUrlEncoded"}`,
	"text/csv":                          `{"tag":"MTTextCSV"}`,
	"text/plain":                        `{"tag":"MTTextPlain"}`,
	"text/xml":                          `{"tag":"MTTextXML"}`,
	planTextMedia:                       `{"contents":[{"tag":"MTApplicationJSON"},"PlanText",[]],"tag":"MTVndPlan"}`,
	planJSONMedia:                       `{"contents":[{"tag":"MTApplicationJSON"},"PlanJSON",[]],"tag":"MTVndPlan"}`,
}
