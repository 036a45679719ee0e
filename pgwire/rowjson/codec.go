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

// Lookup returns the codec of a built-in type, right under all settings of the session. False means: let PostgreSQL print the JSON.
// Domains are described by the server with their base type's OID and so need nothing special.
func Lookup(oid uint32) (Codec, bool) { return Session{}.Lookup(oid) }

// Session is what the caller knows for certain about settings in force when the statement runs. What it promises makes some types
// cheaper; if a promise is false those types come out wrong.
type Session struct {
	// UTC: TimeZone is UTC, or another name of a zone whose offset is always 0.
	UTC bool
	// HexBytea: bytea_output is hex, the default.
	HexBytea bool
}

// Lookup is the package's Lookup for such a session.
func (s Session) Lookup(oid uint32) (Codec, bool) {
	if s.UTC {
		if c, ok := utcCodecs[oid]; ok {
			return c, true
		}
	}
	if s.HexBytea {
		if c, ok := hexCodecs[oid]; ok {
			return c, true
		}
	}
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
