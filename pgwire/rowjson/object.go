package rowjson

// Column is one member of the objects that AppendObject writes.
type Column struct {
	Key   []byte // the quoted name and its colon: `"id":`
	Codec Codec
}

// NewColumn quotes the name and finds the codec; false if the type has none.
func NewColumn(name string, oid uint32) (Column, bool) {
	codec, ok := Lookup(oid)
	if !ok {
		return Column{}, false
	}
	return Column{Key: AppendKey(nil, name), Codec: codec}, true
}

// AppendKey appends an object's key: the name as a JSON string, and a colon.
func AppendKey(dst []byte, name string) []byte {
	return append(AppendString(dst, []byte(name)), ':')
}

// AppendObject appends one row as an object; a nil value is NULL. It reports false, with dst at its old length, if a codec refused its value
// or the row has another number of values than there are columns.
func AppendObject(dst []byte, cols []Column, values [][]byte) ([]byte, bool) {
	start := len(dst)
	if len(values) != len(cols) {
		return dst, false
	}
	dst = append(dst, '{')
	for i := range cols {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(dst, cols[i].Key...)
		if values[i] == nil {
			dst = append(dst, "null"...)
			continue
		}
		var ok bool
		if dst, ok = cols[i].Codec.Append(dst, values[i]); !ok {
			return dst[:start], false
		}
	}
	return append(dst, '}'), true
}
