package openapi

import "strings"

// jsonTypes maps PostgreSQL types to JSON types. Arrays are arrays, and all
// other types are strings. The type "" permits any value.
var jsonTypes = map[string]string{
	"character varying": "string",
	"character":         "string",
	"text":              "string",
	"boolean":           "boolean",
	"smallint":          "integer",
	"integer":           "integer",
	"bigint":            "integer",
	"numeric":           "number",
	"real":              "number",
	"double precision":  "number",
	"json":              "",
	"jsonb":             "",
}

func jsonType(pg string) string {
	if t, ok := jsonTypes[pg]; ok {
		return t
	}
	if strings.HasSuffix(pg, "[]") {
		return "array"
	}
	return "string"
}

// format returns the name of the type, or OpenAPI's format for integers.
func format(pg string) string {
	switch pg {
	case "smallint", "integer":
		return "int32"
	case "bigint":
		return "int64"
	}
	return pg
}

// element returns the element type of an array type, for any number of
// dimensions.
func element(pg string) string { return strings.TrimSuffix(pg, "[]") }

// appendType appends the type of a value in JSON, and for an array its items.
func appendType(dst []byte, pg string) []byte {
	dst = appendText(dst, "format", format(pg))
	t := jsonType(pg)
	if t == "" {
		return dst
	}
	dst = appendText(dst, "type", t)
	if t != "array" {
		return dst
	}
	dst = append(appendKey(dst, "items"), '{')
	if t := jsonType(element(pg)); t != "" {
		dst = appendText(dst, "type", t)
	}
	return append(dst, '}')
}
