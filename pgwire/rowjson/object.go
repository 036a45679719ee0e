package rowjson

// Column is one member of the objects that AppendObject writes.
type Column struct {
	key   []byte // comma, quoted name, colon: `,"id":`; with shortKey bytes of memory at least
	Codec Codec
}

// shortKey is what the memory of every key has room for, so that short keys are copied in one step.
const shortKey = 16

// NewColumn finds the codec; false if the type has none.
func NewColumn(name string, oid uint32) (Column, bool) {
	codec, ok := Lookup(oid)
	if !ok {
		return Column{}, false
	}
	return codec.Column(name), true
}

// Column is a column of that name with values for the codec.
func (c Codec) Column(name string) Column {
	key := append(make([]byte, 0, max(shortKey, len(name)+4)), ',')
	return Column{key: AppendKey(key, name), Codec: c}
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

// appendKey appends a column's key.
func appendKey(dst, key []byte) []byte {
	n := len(dst)
	if len(key) > shortKey || cap(dst)-n < shortKey {
		return append(dst, key...)
	}
	*(*[shortKey]byte)(dst[n : n+shortKey]) = *(*[shortKey]byte)(key[:shortKey])
	return dst[:n+len(key)]
}
