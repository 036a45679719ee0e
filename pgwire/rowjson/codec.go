package rowjson

// Result formats, as numbered in the Bind message of the protocol.
const (
	Text   int16 = 0
	Binary int16 = 1
)

// AppendFunc appends the JSON of one value that is not NULL. src is the value from the wire, never
// nil. It is borrowed for the call. If src is not a value of the type in the format of the codec,
// AppendFunc reports false and returns dst with its old length.
type AppendFunc func(dst, src []byte) ([]byte, bool)

// Codec converts the values of one PostgreSQL type.
type Codec struct {
	// Format is the result format to request in Bind. Append accepts no other.
	Format int16
	// ISO: Append succeeds only while the DateStyle of the session is ISO.
	ISO    bool
	Append AppendFunc
}

// Lookup returns the codec of a built-in type. It is correct under all settings of the session. If
// Lookup returns false, PostgreSQL should print the JSON. The server describes a domain with the
// OID of its base type, so domains need no codec.
func Lookup(oid uint32) (Codec, bool) { return Session{}.Lookup(oid) }

// Session is what the caller knows about the settings in force when the statement runs. It makes
// some types cheaper. If a setting is not as stated, their JSON is wrong.
type Session struct {
	// UTC: TimeZone is UTC, or another name of a zone whose offset is always 0.
	UTC bool
	// HexBytea: bytea_output is hex, the default.
	HexBytea bool
}

// Lookup returns the codec of a built-in type for such a session; see the function Lookup.
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

// TextCodec returns the codec of all types that to_json prints as their quoted text and that have
// no fixed OID: enums, user-defined ranges and multiranges, user-defined base types. The caller
// must know that the type has no cast to json, because to_json would use it.
func TextCodec() Codec { return Codec{Format: Text, Append: appendText} }

// TextArrayCodec returns the codec of arrays of a type for TextCodec. delim is the typdelim of that
// type, usually a comma.
func TextArrayCodec(delim byte) Codec {
	return Codec{Format: Text, Append: textArray(textElem{append: appendText, quoted: true, delim: delim})}
}
