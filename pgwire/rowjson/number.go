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

// appendInt appends an integer. Those of up to eight digits, most of all, are made in one word, without a loop or a branch that
// depends on how many digits there are.
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

// digits8 makes eight digits, 0 to 9 each, of a number below 10^8, the first digit lowest: it parts the number in halves of four
// digits, those in halves of two, and those in digits, dividing by multiplication where that is exact.
func digits8(v uint64) uint64 {
	high := v / 10_000
	w := high | (v-10_000*high)<<32
	high = w * 10_486 >> 20 & 0x7f_0000_007f
	w = high | (w-100*high)<<16
	high = w * 103 >> 10 & 0x0f_000f_000f_000f
	return high | (w-10*high)<<8
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
