package compare

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"io"
	"slices"
	"strconv"
)

// A JSON value is nil, bool, string, json.Number, array or object. An object keeps the order of its
// keys, and repeated keys.
type (
	array  []any
	object []member
	member struct {
		key   string
		value any
	}
)

var (
	errNotJSON = errors.New("not JSON")
	errTooDeep = errors.New("JSON is nested too deeply")
)

// maxDepth is the depth up to which documents are compared value by value. The time to compare them
// grows with their size times their depth.
const maxDepth = 100

// parseJSON reads one document.
func parseJSON(text []byte) (any, error) {
	if !json.Valid(text) {
		return nil, errNotJSON
	}
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.UseNumber()
	v, err := parseValue(dec, 0)
	if err != nil {
		return nil, err
	}
	if _, err := dec.Token(); err != io.EOF {
		return nil, errNotJSON
	}
	return v, nil
}

func parseValue(dec *json.Decoder, depth int) (any, error) {
	if depth > maxDepth {
		return nil, errTooDeep
	}
	t, err := dec.Token()
	if err != nil {
		return nil, err
	}
	d, ok := t.(json.Delim)
	if !ok {
		return t, nil
	}
	var a array
	var o object
	for dec.More() {
		var key string
		if d == '{' {
			t, err := dec.Token()
			if err != nil {
				return nil, err
			}
			key = t.(string)
		}
		v, err := parseValue(dec, depth+1)
		if err != nil {
			return nil, err
		}
		if d == '{' {
			o = append(o, member{key, v})
		} else {
			a = append(a, v)
		}
	}
	if _, err = dec.Token(); d == '{' {
		return o, err
	}
	return a, err
}

// appendJSON prints a value on one line. canonical sorts keys, and arrays of objects.
func appendJSON(dst []byte, v any, canonical bool) []byte {
	switch v := v.(type) {
	case nil:
		return append(dst, "null"...)
	case bool:
		return strconv.AppendBool(dst, v)
	case json.Number:
		return append(dst, v...)
	case string:
		return appendString(dst, v)
	case array:
		dst = append(dst, '[')
		if canonical && len(v) > 1 && ofObjects(v) {
			return append(append(dst, bytes.Join(sortedObjects(v), []byte(","))...), ']')
		}
		for i, element := range v {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = appendJSON(dst, element, canonical)
		}
		return append(dst, ']')
	case object:
		if canonical {
			v = sortedKeys(v)
		}
		dst = append(dst, '{')
		for i, m := range v {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = append(appendString(dst, m.key), ':')
			dst = appendJSON(dst, m.value, canonical)
		}
		return append(dst, '}')
	}
	return dst
}

func appendString(dst []byte, s string) []byte {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(s) // a string always encodes
	return append(dst, bytes.TrimSuffix(b.Bytes(), []byte("\n"))...)
}

func sortedObjects(a array) [][]byte {
	list := make([][]byte, len(a))
	for i, v := range a {
		list[i] = appendJSON(nil, v, true)
	}
	slices.SortFunc(list, bytes.Compare)
	return list
}

func sortedKeys(o object) object {
	o = slices.Clone(o)
	slices.SortStableFunc(o, func(a, b member) int { return cmp.Compare(a.key, b.key) })
	return o
}

// ofObjects reports whether an array is what PostgREST makes of rows.
func ofObjects(a array) bool {
	return !slices.ContainsFunc(a, func(v any) bool { _, ok := v.(object); return !ok })
}

func canonical(v any) string { return string(appendJSON(nil, v, true)) }
func oneLine(v any) string   { return string(appendJSON(nil, v, false)) }

// typeOf names a type as JSON does.
func typeOf(v any) string {
	switch v.(type) {
	case nil:
		return "null"
	case bool:
		return "boolean"
	case json.Number:
		return "number"
	case string:
		return "string"
	case array:
		return "array"
	}
	return "object"
}
