package parser

import (
	"unicode/utf8"

	"github.com/fastgrest/fastgrest/parser/percent"
)

// Classes of bytes in the raw query string. Bytes without a class, which are nearly
// all, are ordinary text.
const (
	rawEnd    = 1 << iota // & and ;
	rawEquals             // =
	rawEscape             // % and +
	rawHigh               // not ASCII
)

var rawClass = func() (t [256]uint8) {
	t['&'], t[';'] = rawEnd, rawEnd
	t['='] = rawEquals
	t['%'], t['+'] = rawEscape, rawEscape
	for c := utf8.RuneSelf; c < 256; c++ {
		t[c] = rawHigh
	}
	return t
}()

// split splits the raw query string into decoded parameters. A part without "=" is
// a key without a value. "a&&b" has a part with an empty key, but there is no part
// after a separator at the end.
func (q *Query) split(raw []byte) error {
	for i := 0; i < len(raw); i++ {
		if len(q.Params) == MaxParams {
			return errTooManyParams
		}
		start, equals := i, none
		var seen, inKey uint8
		for ; i < len(raw); i++ {
			c := rawClass[raw[i]]
			if c == 0 {
				continue
			}
			if c == rawEnd {
				break
			}
			if c == rawEquals {
				if equals < 0 {
					equals, inKey, seen = i, seen, 0
				}
				continue
			}
			seen |= c
		}
		var prm Param
		var ok bool
		if equals < 0 {
			prm.Key, ok = q.decode(raw[start:i:i], seen)
		} else {
			prm.HasValue = true
			prm.Key, ok = q.decode(raw[start:equals:equals], inKey)
			if ok {
				prm.Value, ok = q.decode(raw[equals+1:i:i], seen)
			}
		}
		if !ok {
			return ErrInvalidUTF8
		}
		q.Params = append(q.Params, prm)
	}
	return nil
}

// decode returns s without percent-encoding, and whether the result is UTF-8. It
// copies s to the arena if there is anything to decode.
func (q *Query) decode(s []byte, seen uint8) ([]byte, bool) {
	if seen == 0 {
		return s, true
	}
	if seen&rawEscape != 0 {
		start := len(q.arena)
		q.arena = percent.AppendDecoded(q.arena, s, true)
		s = q.arena[start:len(q.arena):len(q.arena)]
	}
	return s, utf8.Valid(s)
}
