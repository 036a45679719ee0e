package rowjson

import (
	"encoding/binary"
	"slices"
	"strconv"
	"strings"
)

// Member is one field of the records that RecordArrayCodec reads.
type Member struct {
	// Key is what stands before the value: AppendNormalKey of its name.
	Key []byte
	// OID is the type the field has to have.
	OID uint32
	// Append is never given a NULL.
	Append AppendFunc
}

// AppendNormalKey appends the key of a member as jsonb prints it.
func AppendNormalKey(dst []byte, name string) []byte {
	return append(AppendKey(dst, name), ' ')
}

// CompareNames has the order in which jsonb keeps members: shorter names first.
func CompareNames(a, b string) int {
	if len(a) != len(b) {
		return len(a) - len(b)
	}
	return strings.Compare(a, b)
}

// OIDs of the types with a meaning of their own here.
const (
	JSON        = 114
	TextOID     = 25
	TimestampTZ = 1184
	RecordArray = 2287
	record      = 2249
)

// RecordArrayCodec is for arrays of anonymous records, in binary. They become
// the text that a cast to jsonb would give to an array of objects with these
// members; the caller has brought those into jsonb's order. PostgreSQL makes
// records for less than half of what JSON costs it, and they are read for less
// than JSON is brought into that order.
//
// The wire has the array (array_send), and in each element the number of fields
// and for each field its type, its length or -1, and its value (record_send).
func RecordArrayCodec(members []Member) Codec {
	return Codec{Format: Binary, Append: recordArray(slices.Clone(members))}
}

func recordArray(members []Member) AppendFunc {
	return func(dst, src []byte) ([]byte, bool) {
		start := len(dst)
		if len(src) == 12 && binary.BigEndian.Uint32(src) == 0 {
			return append(dst, '[', ']'), true
		}
		if len(src) < 20 || binary.BigEndian.Uint32(src) != 1 || binary.BigEndian.Uint32(src[8:]) != record {
			return dst, false
		}
		n := binary.BigEndian.Uint32(src[12:])
		src = src[20:]
		if n > uint32(len(src)/4) {
			return dst, false
		}
		dst = append(dst, '[')
		for i := range n {
			if i > 0 {
				dst = append(dst, ',', ' ')
			}
			elem, rest, ok := sized(src)
			if !ok || elem == nil {
				return dst[:start], false
			}
			if dst, ok = appendRecord(dst, elem, members); !ok {
				return dst[:start], false
			}
			src = rest
		}
		if len(src) != 0 {
			return dst[:start], false
		}
		return append(dst, ']'), true
	}
}

// sized takes a value off src: its length and its bytes, nil if it is NULL.
func sized(src []byte) (value, rest []byte, ok bool) {
	if len(src) < 4 {
		return nil, nil, false
	}
	n := binary.BigEndian.Uint32(src)
	src = src[4:]
	if n == 1<<32-1 {
		return nil, src, true
	}
	if uint64(n) > uint64(len(src)) {
		return nil, nil, false
	}
	return src[:n:n], src[n:], true
}

func appendRecord(dst, src []byte, members []Member) ([]byte, bool) {
	if len(src) < 4 || binary.BigEndian.Uint32(src) != uint32(len(members)) {
		return dst, false
	}
	src = src[4:]
	dst = append(dst, '{')
	for i := range members {
		m := &members[i]
		if len(src) < 4 || binary.BigEndian.Uint32(src) != m.OID {
			return dst, false
		}
		value, rest, ok := sized(src[4:])
		if !ok {
			return dst, false
		}
		src = rest
		if i > 0 {
			dst = append(dst, ',', ' ')
		}
		dst = append(dst, m.Key...)
		if value == nil {
			dst = append(dst, "null"...)
		} else if dst, ok = m.Append(dst, value); !ok {
			return dst, false
		}
	}
	return append(dst, '}'), len(src) == 0
}

// Field is how a type travels inside a record, and becomes what jsonb prints.
// False: not as it is; PostgreSQL has to make json of it.
func Field(oid uint32) (AppendFunc, bool) {
	f, ok := fields[oid]
	return f, ok
}

// fields are types whose binary form depends on no setting.
var fields = map[uint32]AppendFunc{
	16: appendBinaryBool, 21: appendInt2, 23: appendInt4, 20: appendInt8, 1700: appendNumeric,
	25: appendText, 1043: appendText, 1042: appendText, 19: appendText,
	2950: appendUUID, 1082: appendDate, 1114: appendTimestamp, 1083: appendTime, 1266: appendTimeTZ,
	JSON: appendNormal, 3802: appendJSONB,
}

// TimestampField reads a timestamptz that was cast to text under DateStyle ISO.
func TimestampField() AppendFunc { return appendTimestampTZ }

func appendBinaryBool(dst, src []byte) ([]byte, bool) {
	if len(src) != 1 {
		return dst, false
	}
	return strconv.AppendBool(dst, src[0] != 0), true
}

// Signs of numeric_send; a number that is none has no digits.
const (
	numericMinus = 0x4000
	numericNaN   = 0xC000
	numericInf   = 0xD000
	numericNInf  = 0xF000
)

// maxScale is the greatest number of decimals a numeric can show.
const maxScale = 0x3FFF

// appendNumeric prints what numeric_out prints; what is no number is quoted.
// The wire has the number of digits in base 10000, the weight of the first, the
// sign, and how many decimals are shown.
func appendNumeric(dst, src []byte) ([]byte, bool) {
	if len(src) < 8 {
		return dst, false
	}
	var (
		start  = len(dst)
		n      = int(binary.BigEndian.Uint16(src))
		weight = int(int16(binary.BigEndian.Uint16(src[2:])))
		sign   = binary.BigEndian.Uint16(src[4:])
		scale  = int(binary.BigEndian.Uint16(src[6:]))
		digits = src[8:]
	)
	if len(digits) != 2*n || scale > maxScale {
		return dst, false
	}
	switch sign {
	case 0:
	case numericMinus:
		dst = append(dst, '-')
	case numericNaN:
		return append(dst, `"NaN"`...), true
	case numericInf:
		return append(dst, `"Infinity"`...), true
	case numericNInf:
		return append(dst, `"-Infinity"`...), true
	default:
		return dst, false
	}
	if n == 0 && weight > 0 || n > 0 && binary.BigEndian.Uint16(digits) == 0 && weight > 0 {
		return dst[:start], false // zeros in front, which numeric_send never has
	}
	for i := range n {
		if binary.BigEndian.Uint16(digits[2*i:]) > 9999 {
			return dst[:start], false
		}
	}
	at := func(i int) uint64 {
		if i < 0 || i >= n {
			return 0
		}
		return uint64(binary.BigEndian.Uint16(digits[2*i:]))
	}
	if weight < 0 {
		dst = append(dst, '0')
	} else {
		dst = strconv.AppendUint(dst, at(0), 10)
		for i := 1; i <= weight; i++ {
			dst = appendFour(dst, at(i))
		}
	}
	if scale == 0 {
		return dst, true
	}
	dst = append(dst, '.')
	end := len(dst) + scale
	for i := weight + 1; len(dst) < end; i++ {
		dst = appendFour(dst, at(i))
	}
	return dst[:end], true
}

// appendFour appends one digit of base 10000.
func appendFour(dst []byte, d uint64) []byte {
	return append(dst, byte('0'+d/1000%10), byte('0'+d/100%10), byte('0'+d/10%10), byte('0'+d%10))
}
