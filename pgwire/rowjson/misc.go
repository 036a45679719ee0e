package rowjson

import (
	"encoding/binary"
	"slices"
)

// appendBool: t or f, as boolout prints them.
func appendBool(dst, src []byte) ([]byte, bool) {
	switch string(src) {
	case "t":
		return append(dst, "true"...), true
	case "f":
		return append(dst, "false"...), true
	}
	return dst, false
}

func appendUUID(dst, src []byte) ([]byte, bool) {
	if len(src) != 16 {
		return dst, false
	}
	var buf [38]byte
	buf[0], buf[9], buf[14], buf[19], buf[24], buf[37] = '"', '-', '-', '-', '-', '"'
	for i, at := range uuidOffsets {
		binary.LittleEndian.PutUint16(buf[at:], hexPairs[src[i]])
	}
	return append(dst, buf[:]...), true
}

// uuidOffsets is where the two digits of each byte stand between the quotes and dashes.
var uuidOffsets = [16]uint8{1, 3, 5, 7, 10, 12, 15, 17, 20, 22, 25, 27, 29, 31, 33, 35}

// appendJSON copies: the server has validated the text when it was stored.
func appendJSON(dst, src []byte) ([]byte, bool) {
	if len(src) == 0 {
		return dst, false
	}
	return append(dst, src...), true
}

// appendJSONB copies what follows the version byte of jsonb_send.
func appendJSONB(dst, src []byte) ([]byte, bool) {
	if len(src) < 2 || src[0] != 1 {
		return dst, false
	}
	return append(dst, src[1:]...), true
}

// appendHex writes a bytea as under bytea_output = hex: \x and two digits for each byte, the backslash escaped.
func appendHex(dst, src []byte) ([]byte, bool) {
	dst = append(dst, `"\\x`...)
	n := len(dst)
	dst = slices.Grow(dst, 2*len(src)+1)[:n+2*len(src)]
	for i, c := range src {
		binary.LittleEndian.PutUint16(dst[n+2*i:], hexPairs[c])
	}
	return append(dst, '"'), true
}

// hexPairs is the two digits of each byte, the first in the low half.
var hexPairs = func() (t [256]uint16) {
	for c := range t {
		t[c] = uint16(hex[c>>4]) | uint16(hex[c&15])<<8
	}
	return t
}()
