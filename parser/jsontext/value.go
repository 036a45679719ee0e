package jsontext

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"
)

// AppendValue appends a value as JSON: objects with sorted keys, no white space,
// numbers in PostgREST's notation. The value consists of map[string]any, []any,
// []string, string, json.Number, int32, bool and nil.
func AppendValue(dst []byte, v any) []byte {
	switch v := v.(type) {
	case map[string]any:
		dst = append(dst, '{')
		for i, key := range slices.Sorted(maps.Keys(v)) {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = append(AppendString(dst, key), ':')
			dst = AppendValue(dst, v[key])
		}
		return append(dst, '}')
	case []any:
		return appendList(dst, v, AppendValue)
	case []string:
		return appendList(dst, v, AppendString[string])
	case string:
		return AppendString(dst, v)
	case json.Number:
		return AppendNumber(dst, string(v))
	case int32:
		return strconv.AppendInt(dst, int64(v), 10)
	case bool:
		return strconv.AppendBool(dst, v)
	default:
		return append(dst, "null"...)
	}
}

func appendList[T any](dst []byte, list []T, appendItem func([]byte, T) []byte) []byte {
	dst = append(dst, '[')
	for i, item := range list {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = appendItem(dst, item)
	}
	return append(dst, ']')
}
