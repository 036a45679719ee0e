package rowjson

import (
	"encoding/binary"
	"math/bits"
	"strconv"
)

func appendInt2(dst, src []byte) ([]byte, bool) {
	if len(src) != 2 {
		return dst, false
	}
	return appendInt(dst, int64(int16(binary.BigEndian.Uint16(src)))), true
}

func appendInt4(dst, src []byte) ([]byte, bool) {
	if len(src) != 4 {
		return dst, false
	}
	return appendInt(dst, int64(int32(binary.BigEndian.Uint32(src)))), true
}

func appendInt8(dst, src []byte) ([]byte, bool) {
	if len(src) != 8 {
		return dst, false
	}
	return appendInt(dst, int64(binary.BigEndian.Uint64(src))), true
}

// appendInt appends an integer. Integers of up to eight digits, the most frequent ones, are made in
// one word, without a loop or a branch on the number of digits.
func appendInt(dst []byte, v int64) []byte {
	n := len(dst)
	if uint64(v) >= 100_000_000 || cap(dst)-n < 8 {
		return strconv.AppendInt(dst, v, 10)
	}
	w := digits8(uint64(v))
	zeros := bits.TrailingZeros64(w|1<<56) &^ 7
	binary.LittleEndian.PutUint64(dst[n:n+8], (w+'0'*ones)>>zeros)
	return dst[:n+8-zeros/8]
}

// digits8 splits a number below 10^8 into eight digits of one byte each, the first digit in the
// lowest byte. It splits the number into halves of four digits, these into halves of two, and these
// into digits. It divides by multiplication where that is exact.
func digits8(v uint64) uint64 {
	high := v / 10_000
	w := high | (v-10_000*high)<<32
	high = w * 10_486 >> 20 & 0x7f_0000_007f
	w = high | (w-100*high)<<16
	high = w * 103 >> 10 & 0x0f_000f_000f_000f
	return high | (w-10*high)<<8
}

// appendOID: four bytes without sign. to_json prints an oid as a string.
func appendOID(dst, src []byte) ([]byte, bool) {
	if len(src) != 4 {
		return dst, false
	}
	dst = strconv.AppendUint(append(dst, '"'), uint64(binary.BigEndian.Uint32(src)), 10)
	return append(dst, '"'), true
}

// appendNumber copies a number in text. NaN and the infinities are quoted, as by to_json, because
// JSON has no such numbers.
func appendNumber(dst, src []byte) ([]byte, bool) {
	if !isNumber(src) {
		return AppendString(dst, src), true
	}
	return append(dst, src...), true
}

// isNumber reports whether s is a number in JSON's grammar.
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

// digits returns the index of the first byte of s, at or after i, that is not a digit.
func digits(s []byte, i int) int {
	for i < len(s) && s[i]-'0' <= 9 {
		i++
	}
	return i
}
