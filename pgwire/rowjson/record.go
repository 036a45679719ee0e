package rowjson

import (
	"encoding/binary"
	"strconv"
)

// Member is one field of the records that RecordArrayCodec reads.
type Member struct {
	Name string
	Type uint32   // OID of the column's type; that of json for the result of to_json
	Text bool     // the column was cast to text
	Of   []Member // not nil: the field is an array of records with these fields
}

// OIDs with a special meaning in this file.
const (
	// RecordArray is the type of columns that RecordArrayCodec reads: record[].
	RecordArray = 2287
	record      = 2249
	text        = 25
)

// recordField is a Member, prepared for appendRecord.
type recordField struct {
	key    []byte // comma, name and colon, as jsonb prints them
	oid    uint32 // of the type on the wire
	append AppendFunc
}

// RecordArrayCodec returns a codec for arrays of anonymous records, in binary. It appends the text
// that PostgreSQL prints for the same rows as a jsonb array of objects with these members. The
// members must be in jsonb's order: shorter names first. RecordArrayCodec returns false if the type
// of a member is not in recordFields.
//
// The wire has the array (array_send). Each element has the number of fields, and for each field
// its type, its length or -1, and its value (record_send).
func RecordArrayCodec(members []Member) (Codec, bool) {
	fields := make([]recordField, len(members))
	for i, m := range members {
		f := &fields[i]
		if i > 0 {
			f.key = append(f.key, ", "...)
		}
		f.key = append(AppendKey(f.key, m.Name), ' ')
		f.oid, f.append = m.Type, recordFields[m.Type]
		if m.Text {
			f.oid = text
		}
		if m.Of != nil {
			inner, _ := RecordArrayCodec(m.Of)
			f.oid, f.append = RecordArray, inner.Append
		}
		if f.append == nil {
			return Codec{}, false
		}
	}
	elem := func(dst, src []byte) ([]byte, bool) { return appendRecord(dst, src, fields) }
	return Codec{Format: Binary, Append: func(dst, src []byte) ([]byte, bool) {
		if len(src) < 12 || binary.BigEndian.Uint32(src[8:]) != record {
			return dst, false
		}
		a := arrayReader{elem: elem, between: ", "}
		return a.appendArray(dst, src)
	}}, true
}

// recordFields has the types that columns of records may have. The form of these depends on no
// setting but DateStyle: a timestamptz that is not ISO fails. The statements return the same types
// (planner/sqlgen.RecordTypes); a test of the planner compares the two.
var recordFields = map[uint32]AppendFunc{
	16: appendBinaryBool, 21: appendInt2, 23: appendInt4, 20: appendInt8, 1700: appendNumber,
	text: appendText, 1043: appendText, 1042: appendText, 19: appendText,
	2950: appendUUID, 1082: appendDate, 1114: appendTimestamp, 1184: appendTimestampTZ, 1083: appendTime, 1266: appendTimeTZ,
	114: appendNormal, 3802: appendJSONB,
}

func appendRecord(dst, src []byte, fields []recordField) ([]byte, bool) {
	if len(src) < 4 || binary.BigEndian.Uint32(src) != uint32(len(fields)) {
		return dst, false
	}
	dst = append(dst, '{')
	values := arrayReader{src: src[4:]} // after its type, a value has the form of an array element
	for i := range fields {
		if len(values.src) < 4 || binary.BigEndian.Uint32(values.src) != fields[i].oid {
			return dst, false
		}
		values.src, values.elem = values.src[4:], fields[i].append
		if dst = values.appendElem(append(dst, fields[i].key...)); values.failed {
			return dst, false
		}
	}
	return append(dst, '}'), len(values.src) == 0
}

func appendBinaryBool(dst, src []byte) ([]byte, bool) {
	if len(src) != 1 {
		return dst, false
	}
	return strconv.AppendBool(dst, src[0] != 0), true
}
