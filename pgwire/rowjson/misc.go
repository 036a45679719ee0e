package rowjson

func appendBool(dst, src []byte) ([]byte, bool) {
	if len(src) != 1 {
		return dst, false
	}
	if src[0] != 0 {
		return append(dst, "true"...), true
	}
	return append(dst, "false"...), true
}

func appendUUID(dst, src []byte) ([]byte, bool) {
	if len(src) != 16 {
		return dst, false
	}
	var buf [38]byte
	buf[0], buf[9], buf[14], buf[19], buf[24], buf[37] = '"', '-', '-', '-', '-', '"'
	for i, at := range uuidOffsets {
		c := src[i]
		buf[at], buf[at+1] = hex[c>>4], hex[c&15]
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
