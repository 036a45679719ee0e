package rowjson

// Result formats, as the protocol's Bind message numbers them.
const (
	Text   int16 = 0
	Binary int16 = 1
)

// AppendFunc appends the JSON of one value that is not NULL. src is the value as it came off the wire, never nil.
// If src is not a value of the type in the codec's format it reports false and returns dst with its old length.
type AppendFunc func(dst, src []byte) ([]byte, bool)

// Codec knows one PostgreSQL type.
type Codec struct {
	// Format is the result format to ask for in Bind; Append understands no other.
	Format int16
	// ISO says that Append succeeds only while the session's DateStyle is ISO.
	ISO    bool
	Append AppendFunc
}

// Lookup returns the codec of a built-in type. False means: let PostgreSQL print the JSON. Domains are described by
// the server with their base type's OID and so need nothing special.
func Lookup(oid uint32) (Codec, bool) {
	c, ok := codecs[oid]
	return c, ok
}

// TextCodec serves any type that to_json prints as its text in quotes and that has no OID of its own here: enums, user-defined
// ranges and multiranges, user-defined base types. The caller has to know that the type has no cast to json, because to_json would use it.
func TextCodec() Codec { return Codec{Format: Text, Append: appendText} }

// TextArrayCodec serves arrays of the types TextCodec serves. delim is the element type's typdelim, nearly always a comma.
func TextArrayCodec(delim byte) Codec {
	return Codec{Format: Text, Append: textArray(textElem{append: appendText, quoted: true, delim: delim})}
}
