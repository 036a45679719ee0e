package rowjson

import (
	"bytes"
	"encoding/binary"
	"math/bits"
)

// maxDim is PostgreSQL's maximum of array dimensions (MAXDIM).
const maxDim = 6

// binaryArray returns the codec of arrays in binary. The wire has the number of dimensions, a flag
// for NULLs and the element type; then size and lower bound of each dimension; then the elements,
// each with its length, or -1 for NULL.
func binaryArray(elem AppendFunc) AppendFunc {
	return func(dst, src []byte) ([]byte, bool) {
		a := arrayReader{elem: elem, between: ","}
		return a.appendArray(dst, src)
	}
}

// arrayReader reads the elements of a binary array. src is the unread part.
type arrayReader struct {
	src     []byte
	elem    AppendFunc
	between string // separator of elements
	dims    [maxDim]uint32
	ndim    int
	failed  bool
}

func (a *arrayReader) appendArray(dst, src []byte) ([]byte, bool) {
	empty, ok := a.readHeader(src)
	if !ok {
		return dst, false
	}
	if empty {
		return append(dst, "[]"...), true
	}
	start := len(dst)
	dst = a.appendDim(dst, 0)
	if a.failed || len(a.src) != 0 {
		return dst[:start], false
	}
	return dst, true
}

// readHeader leaves src at the first element. It refuses dimensions with more elements than the
// bytes can hold.
func (a *arrayReader) readHeader(src []byte) (empty, ok bool) {
	if len(src) < 12 {
		return false, false
	}
	ndim := binary.BigEndian.Uint32(src)
	src = src[12:]
	if ndim > maxDim || len(src) < 8*int(ndim) {
		return false, false
	}
	a.ndim = int(ndim)
	a.src = src[8*ndim:]
	count := uint64(1)
	for i := range a.ndim {
		a.dims[i] = binary.BigEndian.Uint32(src[8*i:])
		if a.dims[i] == 0 {
			return true, true
		}
		count *= uint64(a.dims[i])
		if count > uint64(len(a.src)/4) {
			return false, false
		}
	}
	return a.ndim == 0, true
}

// appendDim appends one array of dimension dim. The recursion is at most maxDim deep.
func (a *arrayReader) appendDim(dst []byte, dim int) []byte {
	dst = append(dst, '[')
	for i := range a.dims[dim] {
		if i > 0 {
			dst = append(dst, a.between...)
		}
		if dim+1 < a.ndim {
			dst = a.appendDim(dst, dim+1)
		} else {
			dst = a.appendElem(dst)
		}
		if a.failed {
			return dst
		}
	}
	return append(dst, ']')
}

func (a *arrayReader) appendElem(dst []byte) []byte {
	if len(a.src) < 4 {
		a.failed = true
		return dst
	}
	size := int32(binary.BigEndian.Uint32(a.src))
	a.src = a.src[4:]
	if size == -1 {
		return append(dst, "null"...)
	}
	if size < 0 || int(size) > len(a.src) {
		a.failed = true
		return dst
	}
	value := a.src[:size:size]
	a.src = a.src[size:]
	dst, ok := a.elem(dst, value)
	a.failed = !ok
	return dst
}

// textElem describes the elements of an array in text.
type textElem struct {
	append AppendFunc
	quoted bool // the element's JSON is its quoted text, so array escapes can be replaced by JSON escapes
	delim  byte
}

// textArray returns the codec of arrays in text: {a,"b \"c\"",NULL,{...}}. If a lower bound is not
// 1, [lower:upper]...= comes first. Elements are quoted if they are empty, equal NULL or contain
// one of {}",\ or white space. Inside quotes, \ escapes. There is no white space between elements.
func textArray(elem textElem) AppendFunc {
	return func(dst, src []byte) ([]byte, bool) {
		if len(src) > 0 && src[0] == '[' {
			src = src[bytes.IndexByte(src, '=')+1:]
		}
		if string(src) == "{}" {
			return append(dst, "[]"...), true
		}
		start := len(dst)
		if plain, ok := elem.appendPlain(dst, src); ok {
			return plain, true
		}
		dst, ok := elem.appendArray(dst, src)
		if !ok {
			return dst[:start], false
		}
		return dst, true
	}
}

// appendPlain is the fast path for arrays of one dimension without quotes, escapes and NULLs. It
// checks eight bytes at a time and copies them at once. It reports false for any other array, and
// if dst has too little room.
func (e *textElem) appendPlain(dst, src []byte) ([]byte, bool) {
	n := len(dst)
	if !e.quoted || e.delim >= 0x80 || len(src) < 8 || src[0] != '{' || cap(dst)-n < 2*len(src)+16 {
		return dst, false
	}
	out, rest := dst[n:cap(dst)], src[1:]
	delims := uint64(e.delim) * ones
	out[0], out[1] = '[', '"'
	at := 2
	for start := at; ; {
		var w uint64
		if len(rest) >= 8 {
			w = binary.LittleEndian.Uint64(rest)
		} else { // zeros, which do not occur in text, after the end
			w = binary.LittleEndian.Uint64(src[len(src)-8:]) >> (64 - 8*len(rest))
		}
		binary.LittleEndian.PutUint64(out[at:], w)
		mask := unclean(w) | zeros(w^delims) | zeros(w^'}'*ones) | zeros(w^'{'*ones)
		size := bits.TrailingZeros64(mask) / 8
		at, rest = at+size, rest[size:]
		if mask == 0 {
			continue
		}
		if at == start || string(out[start:at]) == "NULL" {
			return dst, false
		}
		switch {
		case len(rest) > 1 && rest[0] == e.delim:
			out[at], out[at+1], out[at+2] = '"', ',', '"'
			at += 3
			start, rest = at, rest[1:]
		case len(rest) == 1 && rest[0] == '}':
			out[at], out[at+1] = '"', ']'
			return dst[:n+at+2], true
		default:
			return dst, false
		}
	}
}

// zeros marks the zero bytes of w with the high bit of the byte. Bytes of 0x80 and above are not
// marked. As in unclean, only the lowest mark counts.
func zeros(w uint64) uint64 { return (w - ones) & ^w & highs }

// appendArray reads src in one pass. At the top of the loop, a value or an opening brace follows;
// after a value, a delimiter or closing braces.
func (e *textElem) appendArray(dst, src []byte) ([]byte, bool) {
	depth := 0
	for {
		for len(src) > 0 && src[0] == '{' {
			if depth++; depth > maxDim {
				return dst, false
			}
			dst = append(dst, '[')
			src = src[1:]
		}
		if depth == 0 {
			return dst, false
		}
		var ok bool
		if dst, src, ok = e.appendElem(dst, src); !ok {
			return dst, false
		}
		for len(src) > 0 && src[0] == '}' {
			dst = append(dst, ']')
			src = src[1:]
			if depth--; depth == 0 {
				return dst, len(src) == 0
			}
		}
		if len(src) == 0 || src[0] != e.delim {
			return dst, false
		}
		dst = append(dst, ',')
		src = src[1:]
	}
}

// appendElem appends the element at the head of src and returns what follows it.
func (e *textElem) appendElem(dst, src []byte) (_, rest []byte, ok bool) {
	if len(src) > 0 && src[0] == '"' {
		return e.appendQuoted(dst, src[1:])
	}
	end := 0
	for end < len(src) && src[end] != e.delim && src[end] != '}' {
		if c := src[end]; c == '{' || c == '"' || c == '\\' {
			return dst, src, false
		}
		end++
	}
	if end == 0 {
		return dst, src, false
	}
	if string(src[:end]) == "NULL" {
		return append(dst, "null"...), src[end:], true
	}
	dst, ok = e.append(dst, src[:end:end])
	return dst, src[end:], ok
}

// appendQuoted appends an element whose opening quote has been read.
func (e *textElem) appendQuoted(dst, src []byte) (_, rest []byte, ok bool) {
	end := bytes.IndexByte(src, '"')
	if end < 0 {
		return dst, src, false
	}
	if bytes.IndexByte(src[:end], '\\') < 0 {
		dst, ok = e.append(dst, src[:end:end])
		return dst, src[end+1:], ok
	}
	if !e.quoted {
		return dst, src, false
	}
	dst = append(dst, '"')
	for i := 0; i < len(src); i++ {
		c := src[i]
		if c == '"' {
			return append(dst, '"'), src[i+1:], true
		}
		if c == '\\' {
			if i++; i == len(src) {
				break
			}
			c = src[i]
		}
		if escaped[c] {
			dst = appendEscape(dst, c)
		} else {
			dst = append(dst, c)
		}
	}
	return dst, src, false
}
