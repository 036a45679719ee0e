package openapi

import "strings"

// jsonTypes are the types of JSON that values of PostgreSQL's types have. All
// others are strings, and arrays. Any value at all has the type "".
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

// format is the type's own name, but for integers, which OpenAPI has formats for.
func format(pg string) string {
	switch pg {
	case "smallint", "integer":
		return "int32"
	case "bigint":
		return "int64"
	}
	return pg
}

// element is the type of an array's elements, whatever its dimensions.
func element(pg string) string { return strings.TrimSuffix(pg, "[]") }

// appendType appends type, and items of arrays, of a value in JSON.
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
