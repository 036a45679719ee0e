package catalog

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/fastgrest/fastgrest/parser/jsontext"
)

// AppendJSON appends the catalog in the format of PostgREST's --dump-schema:
// objects by name, maps with non-string keys as arrays of key and value, sum types
// as a tag and its contents. PostgREST's maps are in hash order. Ours are sorted,
// so that two dumps can be compared as text.
func (c *Catalog) AppendJSON(dst []byte) []byte {
	dst = append(dst, `{"dbMediaHandlers":`...)
	dst = appendEntries(dst, c.allHandlers(), HandlerKey.compare, dumpHandler)
	dst = append(dst, `,"dbRelationships":`...)
	dst = appendEntries(dst, c.Relationships, RelKey.compare, dumpRelationships)
	dst = append(dst, `,"dbRepresentations":`...)
	dst = appendEntries(dst, c.Representations, RepKey.compare, dumpRepresentation)
	dst = append(dst, `,"dbRoutines":`...)
	dst = appendEntries(dst, c.Routines, QI.compare, dumpRoutines)
	dst = append(dst, `,"dbTables":`...)
	dst = appendEntries(dst, c.Tables, QI.compare, dumpTable)
	return append(dst, '}')
}

type (
	object = map[string]any
	list   = []any
)

// appendEntries appends a map as an array of pairs. Only one pair at a time is in
// memory as a value.
func appendEntries[K comparable, V any](dst []byte, m map[K]V, compare func(a, b K) int, dump func(K, V) (key, value any)) []byte {
	dst = append(dst, '[')
	for i, k := range slices.SortedFunc(maps.Keys(m), compare) {
		if i > 0 {
			dst = append(dst, ',')
		}
		key, value := dump(k, m[k])
		dst = jsontext.AppendValue(dst, list{key, value})
	}
	return append(dst, ']')
}

// dumpEach returns the values of the items.
func dumpEach[T any](items []T, dump func(T) any) list {
	values := list{}
	for _, item := range items {
		values = append(values, dump(item))
	}
	return values
}

func tagged(tag string, contents any) object { return object{"contents": contents, "tag": tag} }

func optional(text string, has bool) any {
	if !has {
		return nil
	}
	return text
}

func (q QI) dump() any { return object{"qiName": q.Name, "qiSchema": q.Schema} }

func (p ColumnPair) dump() any { return []string{p.Column, p.Foreign} }

func dumpTable(name QI, t *Table) (key, value any) {
	columns := object{}
	for _, c := range t.Columns {
		columns[c.Name] = c.dump()
	}
	return name.dump(), object{
		"tableColumns":     columns,
		"tableDeletable":   t.Deletable,
		"tableDescription": optional(t.Description, t.HasDescription),
		"tableInsertable":  t.Insertable,
		"tableIsView":      t.IsView,
		"tableName":        t.Name,
		"tablePKCols":      t.PrimaryKey,
		"tableSchema":      t.Schema,
		"tableUpdatable":   t.Updatable,
	}
}

func (c *Column) dump() any {
	o := object{
		"colDefault":     optional(c.Default, c.HasDefault),
		"colDescription": optional(c.Description, c.HasDescription),
		"colEnum":        c.Enum,
		"colMaxLen":      nil,
		"colName":        c.Name,
		"colNominalType": c.NominalType,
		"colNullable":    c.Nullable,
		"colType":        c.Type,
	}
	if c.MaxLen != 0 {
		o["colMaxLen"] = c.MaxLen
	}
	return o
}

func (k RelKey) compare(o RelKey) int {
	return cmp.Or(k.Table.compare(o.Table), strings.Compare(k.Schema, o.Schema))
}

func dumpRelationships(k RelKey, rels []*Relationship) (key, value any) {
	return list{k.Table.dump(), k.Schema}, dumpEach(rels, (*Relationship).dump)
}

func (r *Relationship) dump() any {
	if r.Cardinality == Computed {
		return object{
			"relForeignTable": r.Foreign.dump(),
			"relFunction":     r.Function.dump(),
			"relIsSelf":       r.Self,
			"relTable":        r.Table.dump(),
			"relTableAlias":   QI{}.dump(),
			"relToOne":        r.ToOne,
			"tag":             "ComputedRelationship",
		}
	}
	return object{
		"relCardinality":  r.dumpCardinality(),
		"relFTableIsView": r.ForeignIsView,
		"relForeignTable": r.Foreign.dump(),
		"relIsSelf":       r.Self,
		"relTable":        r.Table.dump(),
		"relTableIsView":  r.TableIsView,
		"tag":             "Relationship",
	}
}

var cardinalityTags = [...]string{ManyToOne: "M2O", OneToMany: "O2M", OneToOne: "O2O", ManyToMany: "M2M"}

func (r *Relationship) dumpCardinality() any {
	tag := cardinalityTags[r.Cardinality]
	if j := r.Junction; j != nil {
		return tagged(tag, object{
			"junColsSource":  dumpEach(j.Source, ColumnPair.dump),
			"junColsTarget":  dumpEach(j.Target, ColumnPair.dump),
			"junConstraint1": j.Constraint1,
			"junConstraint2": j.Constraint2,
			"junTable":       j.Table.dump(),
		})
	}
	o := object{"relColumns": dumpEach(r.Columns, ColumnPair.dump), "relCons": r.Constraint, "tag": tag}
	if r.Cardinality == OneToOne {
		o["isParent"] = r.IsParent
	}
	return o
}

var (
	volatilityTags = [...]string{Volatile: "Volatile", Stable: "Stable", Immutable: "Immutable"}
	isolationTags  = map[string]string{"read committed": "ReadCommitted", "repeatable read": "RepeatableRead", "serializable": "Serializable"}
)

func dumpRoutines(name QI, overloads []*Routine) (key, value any) {
	return name.dump(), dumpEach(overloads, (*Routine).dump)
}

func (r *Routine) dump() any {
	return object{
		"pdDescription":  optional(r.Description, r.HasDescription),
		"pdFuncSettings": dumpEach(r.Settings, func(s Setting) any { return []string{s.Name, s.Value} }),
		"pdHasVariadic":  r.Variadic,
		"pdIsoLvl":       optional(isolationTags[r.Isolation], r.Isolation != ""),
		"pdName":         r.Name,
		"pdParams":       dumpEach(r.Params, Param.dump),
		"pdReturnType":   r.dumpReturnType(),
		"pdSchema":       r.Schema,
		"pdVolatility":   volatilityTags[r.Volatility],
	}
}

func (p Param) dump() any {
	return object{"ppName": p.Name, "ppReq": p.Required, "ppType": p.Type, "ppTypeMaxLength": p.MaxType, "ppVar": p.Variadic}
}

func (r *Routine) dumpReturnType() any {
	row := tagged("Scalar", r.Return.dump())
	if r.Composite {
		row = tagged("Composite", list{r.Return.dump(), r.CompositeAlias})
	}
	if r.SetOf {
		return tagged("SetOf", row)
	}
	return tagged("Single", row)
}

func (k RepKey) compare(o RepKey) int {
	return cmp.Or(strings.Compare(k.Source, o.Source), strings.Compare(k.Target, o.Target))
}

func dumpRepresentation(k RepKey, r *Representation) (key, value any) {
	return []string{k.Source, k.Target}, object{"drFunction": r.Function, "drSourceType": r.Source, "drTargetType": r.Target}
}

// builtinTags are PostgREST's names for its built-in handlers.
var builtinTags = map[string]string{
	"*/*":                  "BuiltinOvAggJson",
	"application/json":     "BuiltinOvAggJson",
	"text/csv":             "BuiltinOvAggCsv",
	"application/geo+json": "BuiltinOvAggGeoJson",
}

// allHandlers returns the custom handlers, and nil for each built-in one that is
// not replaced.
func (c *Catalog) allHandlers() map[HandlerKey]*Handler {
	all := map[HandlerKey]*Handler{}
	for _, mediaType := range builtinHandlers {
		all[HandlerKey{MediaType: mediaType}] = nil
	}
	maps.Copy(all, c.Handlers)
	return all
}

func (k HandlerKey) compare(o HandlerKey) int {
	return cmp.Or(k.Target.compare(o.Target), strings.Compare(k.MediaType, o.MediaType))
}

func dumpHandler(k HandlerKey, h *Handler) (key, value any) {
	key = list{dumpTarget(k.Target), dumpMediaType(k.MediaType)}
	if h != nil {
		function := tagged("CustomFunc", list{h.Function.dump(), dumpTarget(h.Target)})
		return key, list{function, dumpMediaType(h.MediaType)}
	}
	produced := k.MediaType
	if produced == "*/*" {
		produced = "application/json"
	}
	return key, list{object{"tag": builtinTags[k.MediaType]}, dumpMediaType(produced)}
}

func dumpTarget(q QI) any {
	if q == (QI{}) {
		return object{"tag": "RelAnyElement"}
	}
	return tagged("RelId", q.dump())
}

func dumpMediaType(name string) any {
	if known, ok := mediaTags[name]; ok {
		return known
	}
	return tagged("MTOther", name)
}

// mediaTags are the media types PostgREST has a constructor for.
var mediaTags = map[string]object{
	"*/*":                               {"tag": "MTAny"},
	"application/geo+json":              {"tag": "MTGeoJSON"},
	"application/json":                  {"tag": "MTApplicationJSON"},
	"application/octet-stream":          {"tag": "MTOctetStream"},
	"application/openapi+json":          {"tag": "MTOpenAPI"},
	"application/vnd.pgrst.object+json": tagged("MTVndSingularJSON", false),
	"application/x-www-form-urlencoded": {"tag": "MTUrlEncoded"},
	"text/csv":                          {"tag": "MTTextCSV"},
	"text/plain":                        {"tag": "MTTextPlain"},
	"text/xml":                          {"tag": "MTTextXML"},
	planTextMedia:                       dumpPlan("PlanText"),
	planJSONMedia:                       dumpPlan("PlanJSON"),
}

func dumpPlan(format string) object {
	return tagged("MTVndPlan", list{object{"tag": "MTApplicationJSON"}, format, list{}})
}
