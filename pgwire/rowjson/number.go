package rowjson

import (
	"encoding/binary"
	"strconv"
)

// Integers: strconv could not be beaten by writing pairs of digits from the end into dst.

func appendInt2(dst, src []byte) ([]byte, bool) {
	if len(src) != 2 {
		return dst, false
	}
	return strconv.AppendInt(dst, int64(int16(binary.BigEndian.Uint16(src))), 10), true
}

func appendInt4(dst, src []byte) ([]byte, bool) {
	if len(src) != 4 {
		return dst, false
	}
	return strconv.AppendInt(dst, int64(int32(binary.BigEndian.Uint32(src))), 10), true
}

func appendInt8(dst, src []byte) ([]byte, bool) {
	if len(src) != 8 {
		return dst, false
	}
	return strconv.AppendInt(dst, int64(binary.BigEndian.Uint64(src)), 10), true
}

// appendOID: four bytes without sign, which to_json takes for a text.
func appendOID(dst, src []byte) ([]byte, bool) {
	if len(src) != 4 {
		return dst, false
	}
	dst = strconv.AppendUint(append(dst, '"'), uint64(binary.BigEndian.Uint32(src)), 10)
	return append(dst, '"'), true
}

// appendNumber copies a number that arrived as text. NaN and the infinities are no JSON numbers and are quoted, as to_json does.
func appendNumber(dst, src []byte) ([]byte, bool) {
	if !isNumber(src) {
		return AppendString(dst, src), true
	}
	return append(dst, src...), true
}

// isNumber tells whether s is a number in JSON's grammar.
func isNumber(s []byte) bool {
	i := 0
	if i < len(s) && s[i] == '-' {
		i++
	}
	whole := digits(s, i)
	if whole == i || s[i] == '0' && whole > i+1 {
		return false
	}
	i = whole
	if i < len(s) && s[i] == '.' {
		frac := digits(s, i+1)
		if frac == i+1 {
			return false
		}
		i = frac
	}
	if i < len(s) && s[i]|0x20 == 'e' {
		i++
		if i < len(s) && (s[i] == '+' || s[i] == '-') {
			i++
		}
		exp := digits(s, i)
		if exp == i {
			return false
		}
		i = exp
	}
	return i == len(s)
}

// digits is the index of the first byte of s at or after i that is no digit.
func digits(s []byte, i int) int {
	for i < len(s) && s[i]-'0' <= 9 {
		i++
	}
	return i
}
