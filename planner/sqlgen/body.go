package sqlgen

import "github.com/fastgrest/fastgrest/planner/catalog"

// body writes the expression that aggregates the rows of _postgrest_t into the
// answer's body. routine is the function whose result the rows are, if any: a
// scalar result is bare, not an object with one key.
func (w *Writer) body(b Body, routine *catalog.Routine) {
	scalar := routine != nil && !routine.Composite && !routine.SetOf
	scalars := routine != nil && !routine.Composite && routine.SetOf
	row := routine != nil && routine.Composite && !routine.SetOf
	item := "_postgrest_t"
	if scalar || scalars {
		item = "_postgrest_t." + Scalar
	}
	switch b.Kind {
	case BodyNone:
		w.S("''::text")
	case BodyArray:
		if scalar || row {
			w.first(b.Strip, item)
		} else {
			w.all(b.Strip, item)
		}
	case BodyObject:
		if !scalar {
			item = "_postgrest_t"
		}
		w.first(b.Strip, item)
	case BodyCSV:
		w.S("(SELECT coalesce(string_agg(k, ','), '') FROM json_object_keys((SELECT row_to_json(r) FROM pgrst_source r LIMIT 1)) k)",
			" || E'\\n' || coalesce(string_agg(substr(_postgrest_t::text, 2, length(_postgrest_t::text) - 2), E'\\n'), '')")
	case BodyGeoJSON:
		w.S("json_build_object('type', 'FeatureCollection', 'features', coalesce(json_agg(ST_AsGeoJSON(_postgrest_t)::json), '[]'))")
	case BodyCustom:
		w.Name(b.Function)
		w.S("(")
		switch {
		case scalar:
			w.S("_postgrest_t." + Scalar)
		case b.Target == (catalog.QI{}):
			w.S("_postgrest_t")
		default:
			w.S("_postgrest_t::")
			w.Name(b.Target)
		}
		w.S(")")
	}
}

func (w *Writer) first(strip bool, item string) {
	w.S("coalesce(")
	w.stripped(strip, item)
	w.S("->0, 'null')")
}

func (w *Writer) all(strip bool, item string) {
	w.S("coalesce(")
	w.stripped(strip, item)
	w.S(", '[]')")
}

func (w *Writer) stripped(strip bool, item string) {
	if strip {
		w.S("json_strip_nulls(json_agg(", item, "))")
	} else {
		w.S("json_agg(", item, ")")
	}
}
