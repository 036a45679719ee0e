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
	dst = append(dst, `"00000000-0000-0000-0000-000000000000"`...)
	b := dst[len(dst)-38:]
	putHex := binary.LittleEndian.PutUint64
	middle, node := hex4(src[4:]), hex4(src[8:])
	putHex(b[1:], hex4(src))
	binary.LittleEndian.PutUint32(b[10:], uint32(middle))
	binary.LittleEndian.PutUint32(b[15:], uint32(middle>>32))
	binary.LittleEndian.PutUint32(b[20:], uint32(node))
	binary.LittleEndian.PutUint32(b[25:], uint32(node>>32))
	putHex(b[29:], hex4(src[12:]))
	return dst, true
}

// hex4 returns the eight hexadecimal digits of four bytes, the first digit in the lowest byte. Each
// half byte gets a byte. For values above 9 (adding 6 carries into bit 4), the distance between '9'
// and 'a' is added.
func hex4(b []byte) uint64 {
	w := uint64(binary.LittleEndian.Uint32(b))
	w = (w | w<<16) & 0x0000ffff0000ffff
	w = (w | w<<8) & 0x00ff00ff00ff00ff
	w = w>>4&0x000f000f000f000f | w&0x000f000f000f000f<<8
	letters := (w + 6*ones) >> 4 & ones
	return w + '0'*ones + letters*('a'-'9'-1)
}

// appendJSON copies the text, which the server has validated.
func appendJSON(dst, src []byte) ([]byte, bool) {
	if len(src) == 0 {
		return dst, false
	}
	return append(dst, src...), true
}

// appendJSONB copies the text after the version byte of jsonb_send.
func appendJSONB(dst, src []byte) ([]byte, bool) {
	if len(src) < 2 || src[0] != 1 {
		return dst, false
	}
	return append(dst, src[1:]...), true
}

// appendHex appends a bytea as with bytea_output = hex: \x, with the backslash escaped, and two
// digits per byte.
func appendHex(dst, src []byte) ([]byte, bool) {
	dst = append(dst, `"\\x`...)
	n := len(dst)
	dst = slices.Grow(dst, 2*len(src)+1)[:n+2*len(src)]
	b := dst[n:]
	for len(src) >= 4 && len(b) >= 8 {
		binary.LittleEndian.PutUint64(b, hex4(src))
		src, b = src[4:], b[8:]
	}
	for i, c := range src {
		b[2*i], b[2*i+1] = hex[c>>4], hex[c&15]
	}
	return append(dst, '"'), true
}
