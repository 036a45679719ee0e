package rowjson

// Column is one member of the objects that AppendObject writes.
type Column struct {
	key   []byte // comma, quoted name, colon: `,"id":`; its capacity is at least shortKey
	Codec Codec
}

// shortKey is the minimum capacity of a key in bytes, so that short keys are copied in one step.
const shortKey = 16

// NewColumn returns the column with the codec of a built-in type. It returns false if the type has
// no codec.
func NewColumn(name string, oid uint32) (Column, bool) {
	codec, ok := Lookup(oid)
	if !ok {
		return Column{}, false
	}
	return codec.Column(name), true
}

// Column returns the column with that name and codec.
func (c Codec) Column(name string) Column {
	key := append(make([]byte, 0, max(shortKey, len(name)+4)), ',')
	return Column{key: AppendKey(key, name), Codec: c}
}

// AppendKey appends a key of an object: the name as a JSON string, and a colon.
func AppendKey(dst []byte, name string) []byte {
	return append(AppendString(dst, []byte(name)), ':')
}

// AppendObject appends one row as an object. A nil value is NULL. AppendObject reports false, with
// dst at its old length, if a codec refuses its value or if the number of values differs from the
// number of columns.
func AppendObject(dst []byte, cols []Column, values [][]byte) ([]byte, bool) {
	start := len(dst)
	if len(values) != len(cols) {
		return dst, false
	}
	for i := range cols {
		dst = appendKey(dst, cols[i].key)
		if values[i] == nil {
			dst = append(dst, "null"...)
			continue
		}
		var ok bool
		if dst, ok = cols[i].Codec.Append(dst, values[i]); !ok {
			return dst[:start], false
		}
	}
	if len(cols) == 0 {
		return append(dst, "{}"...), true
	}
	dst[start] = '{' // was the comma of the first key
	return append(dst, '}'), true
}

// appendKey appends the key of a column.
func appendKey(dst, key []byte) []byte {
	n := len(dst)
	if len(key) > shortKey || cap(dst)-n < shortKey {
		return append(dst, key...)
	}
	*(*[shortKey]byte)(dst[n : n+shortKey]) = *(*[shortKey]byte)(key[:shortKey])
	return dst[:n+len(key)]
}
