package sqlgen

import "github.com/fastgrest/fastgrest/planner/catalog"

// wholeRow is a row of _postgrest_t. Without the star, the name would refer to
// a column named _postgrest_t, if a client has chosen that name.
const wholeRow = "_postgrest_t.*"

// body writes the expression that aggregates the rows of _postgrest_t into the
// body of the response. routine is the function that returns the rows, or nil.
// A scalar result is written bare, not as an object with one key.
func (w *Writer) body(b Body, routine *catalog.Routine) {
	scalar := routine != nil && !routine.Composite && !routine.SetOf
	scalars := routine != nil && !routine.Composite && routine.SetOf
	row := routine != nil && routine.Composite && !routine.SetOf
	item := wholeRow
	if scalar || scalars {
		item = "_postgrest_t." + Scalar
	}
	switch b.Kind {
	case BodyNone:
		w.S("''::pg_catalog.text")
	case BodyArray:
		if scalar || row {
			w.S("COALESCE(", aggregatedRows(b.Strip, item), "->0, 'null')")
		} else {
			w.S("COALESCE(", aggregatedRows(b.Strip, item), ", '[]')")
		}
	case BodyObject:
		if !scalar {
			item = wholeRow
		}
		w.S("COALESCE(", aggregatedRows(b.Strip, item), "->0, 'null')")
	case BodyCSV:
		const row = wholeRow + "::pg_catalog.text"
		w.S("(SELECT COALESCE(pg_catalog.string_agg(k.k, ','), '') FROM pg_catalog.json_object_keys((SELECT pg_catalog.row_to_json(r.*) FROM pgrst_source r LIMIT 1)) k)",
			" || E'\\n' || COALESCE(pg_catalog.string_agg(pg_catalog.substr(", row, ", 2, pg_catalog.length(", row, ") - 2), E'\\n'), '')")
	case BodyGeoJSON:
		w.S("pg_catalog.json_build_object('type', 'FeatureCollection', 'features', COALESCE(pg_catalog.json_agg(ST_AsGeoJSON(", wholeRow, ")::pg_catalog.json), '[]'))")
	case BodyLines:
		// Line breaks between the tokens of a json value would end the line.
		w.S("COALESCE(pg_catalog.string_agg(pg_catalog.translate(pg_catalog.to_json(", item, ")::pg_catalog.text, E'\\n\\r', '  ') || E'\\n', ''), '')")
	case BodyCustom:
		argument := wholeRow
		switch {
		case scalar:
			argument = "_postgrest_t." + Scalar
		case b.Target != catalog.QI{}:
			argument += "::" + qualified(b.Target)
		}
		w.S(qualified(b.Function), "(", argument, ")")
	}
}

func aggregatedRows(strip bool, item string) string {
	if strip {
		return "pg_catalog.json_strip_nulls(pg_catalog.json_agg(" + item + "))"
	}
	return "pg_catalog.json_agg(" + item + ")"
}
