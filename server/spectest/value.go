package spectest

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
)

// A JSON value is nil, bool, string, number, array or object. Only whitespace
// and escapes of a document are lost: 1.50 differs from 1.5, keys keep their
// order, and a repeated key stays repeated.
type (
	number string
	array  []any
	object []member
	member struct {
		key   string
		value any
	}
)

// ignored replaces a part that is not compared.
type ignored struct{}

// parseJSON reads exactly one document.
func parseJSON(text []byte) (any, error) {
	if !json.Valid(text) {
		return nil, errors.New("not JSON")
	}
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.UseNumber()
	v, err := parseValue(dec)
	if err != nil {
		return nil, err
	}
	if _, err := dec.Token(); err != io.EOF {
		return nil, errors.New("more than one JSON document")
	}
	return v, nil
}

func parseValue(dec *json.Decoder) (any, error) {
	t, err := dec.Token()
	if err != nil {
		return nil, err
	}
	switch t := t.(type) {
	case json.Number:
		return number(t), nil
	case json.Delim:
		if t == '[' {
			return parseArray(dec)
		}
		return parseObject(dec)
	default:
		return t, nil
	}
}

func parseArray(dec *json.Decoder) (any, error) {
	a := array{}
	for dec.More() {
		v, err := parseValue(dec)
		if err != nil {
			return nil, err
		}
		a = append(a, v)
	}
	_, err := dec.Token()
	return a, err
}

func parseObject(dec *json.Decoder) (any, error) {
	o := object{}
	for dec.More() {
		key, err := dec.Token()
		if err != nil {
			return nil, err
		}
		v, err := parseValue(dec)
		if err != nil {
			return nil, err
		}
		o = append(o, member{key.(string), v})
	}
	_, err := dec.Token()
	return o, err
}

// text formats a value on one line, for messages and for sorting.
func text(v any) string { return string(appendText(nil, v)) }

func appendText(dst []byte, v any) []byte {
	switch v := v.(type) {
	case nil:
		return append(dst, "null"...)
	case bool:
		return strconv.AppendBool(dst, v)
	case number:
		return append(dst, v...)
	case string:
		var b bytes.Buffer
		enc := json.NewEncoder(&b)
		enc.SetEscapeHTML(false)
		_ = enc.Encode(v) // a string always encodes
		return append(dst, bytes.TrimSuffix(b.Bytes(), []byte("\n"))...)
	case array:
		dst = append(dst, '[')
		for i, x := range v {
			if i > 0 {
				dst = append(dst, ", "...)
			}
			dst = appendText(dst, x)
		}
		return append(dst, ']')
	case object:
		dst = append(dst, '{')
		for i, m := range v {
			if i > 0 {
				dst = append(dst, ", "...)
			}
			dst = append(appendText(dst, m.key), ": "...)
			dst = appendText(dst, m.value)
		}
		return append(dst, '}')
	case ignored:
		return append(dst, "<ignored>"...)
	default:
		return fmt.Appendf(dst, "%v", v)
	}
}

// pointer splits a JSON pointer. "" and "/" both name the whole document.
func pointer(s string) []string {
	if s == "" || s == "/" {
		return nil
	}
	steps := strings.Split(strings.TrimLeft(s, "/"), "/")
	for i, step := range steps {
		steps[i] = strings.ReplaceAll(strings.ReplaceAll(step, "~1", "/"), "~0", "~")
	}
	return steps
}

// change returns v with f applied to the values that the steps lead to; "*" is
// every item or member. A step that does not exist changes nothing. v itself
// stays unchanged.
func change(v any, steps []string, f func(any) any) any {
	if len(steps) == 0 {
		return f(v)
	}
	step, rest := steps[0], steps[1:]
	switch v := v.(type) {
	case array:
		out := slices.Clone(v)
		for i := range out {
			if step == "*" || step == strconv.Itoa(i) {
				out[i] = change(out[i], rest, f)
			}
		}
		return out
	case object:
		out := slices.Clone(v)
		for i := range out {
			if step == "*" || step == out[i].key {
				out[i].value = change(out[i].value, rest, f)
			}
		}
		return out
	}
	return v
}

// ignore replaces the values that the pointer names.
func ignore(v any, at string) any {
	return change(v, pointer(at), func(any) any { return ignored{} })
}

// collect returns the values that the pointer names.
func collect(v any, at string) (found []any) {
	change(v, pointer(at), func(x any) any {
		found = append(found, x)
		return x
	})
	return found
}

// arrange sorts the array that the pointer names.
func arrange(v any, at string) any {
	return change(v, pointer(at), func(x any) any {
		a, ok := x.(array)
		if !ok {
			return x
		}
		a = slices.Clone(a)
		slices.SortStableFunc(a, func(x, y any) int { return cmp.Compare(text(x), text(y)) })
		return a
	})
}

// sortKeys sorts the keys on all levels.
func sortKeys(v any) any {
	switch v := v.(type) {
	case array:
		out := make(array, len(v))
		for i, x := range v {
			out[i] = sortKeys(x)
		}
		return out
	case object:
		out := make(object, len(v))
		for i, m := range v {
			out[i] = member{m.key, sortKeys(m.value)}
		}
		slices.SortStableFunc(out, func(a, b member) int {
			return cmp.Or(cmp.Compare(a.key, b.key), cmp.Compare(text(a.value), text(b.value)))
		})
		return out
	}
	return v
}

// difference describes the first difference between two values, or returns "".
func difference(want, got any, at string) string {
	switch w := want.(type) {
	case object:
		if g, ok := got.(object); ok {
			return objectDifference(w, g, at)
		}
	case array:
		if g, ok := got.(array); ok {
			return arrayDifference(w, g, at)
		}
	default:
		switch got.(type) {
		case object, array:
		default:
			if want == got {
				return ""
			}
		}
	}
	return fmt.Sprintf("%s: expected %s, got %s", place(at), short(text(want)), short(text(got)))
}

func objectDifference(want, got object, at string) string {
	wk, gk := keys(want), keys(got)
	if !slices.Equal(wk, gk) {
		missing, extra := without(wk, gk), without(gk, wk)
		if len(missing)+len(extra) > 0 {
			return fmt.Sprintf("%s: keys missing %q, unexpected %q", place(at), missing, extra)
		}
		return fmt.Sprintf("%s: keys in another order or number: expected %q, got %q", place(at), wk, gk)
	}
	for i := range want {
		if d := difference(want[i].value, got[i].value, at+"/"+want[i].key); d != "" {
			return d
		}
	}
	return ""
}

func arrayDifference(want, got array, at string) string {
	for i := range min(len(want), len(got)) {
		if d := difference(want[i], got[i], at+"/"+strconv.Itoa(i)); d != "" {
			return d
		}
	}
	if len(want) != len(got) {
		return fmt.Sprintf("%s: expected %d items, got %d", place(at), len(want), len(got))
	}
	return ""
}

func place(at string) string { return cmp.Or(at, "/") }

func keys(o object) []string {
	out := make([]string, len(o))
	for i, m := range o {
		out[i] = m.key
	}
	return out
}

// without returns the items of a that are not in b.
func without(a, b []string) []string {
	var out []string
	for _, x := range a {
		if !slices.Contains(b, x) {
			out = append(out, x)
		}
	}
	return out
}

// short truncates text for a message.
func short(s string) string {
	const most = 400
	if len(s) <= most {
		return s
	}
	return fmt.Sprintf("%s ... (%d bytes)", strings.ToValidUTF8(s[:most], ""), len(s))
}
