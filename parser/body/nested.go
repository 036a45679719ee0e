package body

import (
	"strconv"
	"strings"

	"github.com/fastgrest/fastgrest/parser/jsontext"
)

// Level is what the objects at one level of a nested body stand for. Walk tells it what
// the body has, and it says what that means.
type Level interface {
	// Row begins an object.
	Row(place *Place) error
	// Member is called for a key of the object. below is the level of the objects in the
	// value, nil if the value is not made of rows. many: the value is an array of objects,
	// not one object. Below may also be null, which is no rows.
	Member(place *Place, key []byte, null bool) (below Level, many bool, err error)
	// EndRow ends the object.
	EndRow(place *Place) error
}

// Place is a place in a body, as a JSON pointer. It is valid during a call of a Level.
type Place struct {
	steps []step
}

// step is a key, or an index if key is nil.
type step struct {
	key   []byte
	index int
}

// String returns the JSON pointer (RFC 6901).
func (p *Place) String() string {
	var b strings.Builder
	for _, s := range p.steps {
		if s.key == nil {
			b.WriteByte('/')
			b.WriteString(strconv.Itoa(s.index))
		} else {
			b.WriteString(Pointer(string(s.key)))
		}
	}
	return b.String()
}

// Pointer returns the step of a JSON pointer to a member.
func Pointer(key string) string { return "/" + pointerEscape.Replace(key) }

var pointerEscape = strings.NewReplacer("~", "~0", "/", "~1")

func (p *Place) push(s step) { p.steps = append(p.steps, s) }
func (p *Place) pop()        { p.steps = p.steps[:len(p.steps)-1] }

// Walk reads a JSON body with rows of several relations: an object or an array of objects,
// with further ones in their members. It reports invalid JSON before anything else that
// follows in the text. The depth is that of the levels.
func (p *Payload) Walk(raw []byte, root Level) error {
	w := walk{p: p, b: raw}
	i := jsontext.SkipSpace(raw, 0)
	switch {
	case i >= len(raw):
		return errInvalidJSON
	case raw[i] == '{':
		w.object(i+1, root)
	case raw[i] == '[':
		w.array(i+1, root)
	default:
		w.skip(i)
		w.shape("an object or an array of objects")
	}
	if w.end >= 0 && jsontext.SkipSpace(raw, w.end) != len(raw) {
		return errInvalidJSON
	}
	return w.err
}

// walk is the state of Walk. After an error of a level, it reads on without levels, to the
// end of the JSON.
type walk struct {
	p     *Payload
	b     []byte
	place Place
	depth int // open containers
	end   int // after the last element, or bad
	err   error
}

func (w *walk) fail(err error) {
	if w.err == nil {
		w.err = err
	}
}

func (w *walk) shape(expected string) {
	w.fail(&PlaceError{Place: w.place.String(), Text: "Expected " + expected})
}

// broken ends the walk: the text is not JSON.
func (w *walk) broken(end int) bool {
	w.end = end
	w.err = errInvalidJSON
	if end == tooDeep {
		w.err = errTooDeep
	}
	return false
}

// skip reads any value.
func (w *walk) skip(i int) bool {
	if w.end = w.p.value(w.b, i, w.depth); w.end < 0 {
		return w.broken(w.end)
	}
	return true
}

// more reads what follows an element of a container: a comma, or the end. next is the
// offset behind it.
func (w *walk) more(closing byte) (next int, more, ok bool) {
	i := jsontext.SkipSpace(w.b, w.end)
	switch {
	case i >= len(w.b):
	case w.b[i] == ',':
		return jsontext.SkipSpace(w.b, i+1), true, true
	case w.b[i] == closing:
		w.end = i + 1
		return i + 1, false, true
	}
	return i, false, w.broken(bad)
}

// array reads the rest of an array of objects.
func (w *walk) array(i int, level Level) bool {
	if i = jsontext.SkipSpace(w.b, i); i < len(w.b) && w.b[i] == ']' {
		w.end = i + 1
		return true
	}
	w.depth++
	defer func() { w.depth-- }()
	for index := 0; ; index++ {
		w.place.push(step{index: index})
		var ok bool
		if i < len(w.b) && w.b[i] == '{' && w.err == nil {
			ok = w.object(i+1, level)
		} else if ok = w.skip(i); ok {
			w.shape("an object")
		}
		w.place.pop()
		if !ok {
			return false
		}
		var more bool
		if i, more, ok = w.more(']'); !more {
			return ok
		}
	}
}

// object reads the rest of an object.
func (w *walk) object(i int, level Level) bool {
	w.depth++
	defer func() { w.depth-- }()
	if err := level.Row(&w.place); err != nil {
		w.fail(err)
	}
	if i = jsontext.SkipSpace(w.b, i); i < len(w.b) && w.b[i] == '}' {
		w.end = i + 1
		w.endRow(level)
		return true
	}
	for {
		k, next := key(w.b, i)
		if next < 0 {
			return w.broken(bad)
		}
		mark := len(w.p.arena)
		name := w.p.decode(w.b, k)
		w.place.push(step{key: name})
		ok := w.member(jsontext.SkipSpace(w.b, next), name, level)
		w.place.pop()
		w.p.arena = w.p.arena[:mark]
		if !ok {
			return false
		}
		var more bool
		if i, more, ok = w.more('}'); !more {
			if ok {
				w.endRow(level)
			}
			return ok
		}
	}
}

func (w *walk) endRow(level Level) {
	if w.err != nil {
		return
	}
	if err := level.EndRow(&w.place); err != nil {
		w.fail(err)
	}
}

// member reads the value of a member.
func (w *walk) member(i int, name []byte, level Level) bool {
	if w.err != nil {
		return w.skip(i)
	}
	first := byte(0)
	if i < len(w.b) {
		first = w.b[i]
	}
	below, many, err := level.Member(&w.place, name, first == 'n')
	if err != nil {
		w.fail(err)
	}
	switch {
	case below == nil || err != nil:
		return w.skip(i)
	case many && first == '[':
		return w.array(i+1, below)
	case !many && first == '{':
		return w.object(i+1, below)
	}
	if !w.skip(i) {
		return false
	}
	switch {
	case first == 'n':
	case many:
		w.shape("an array of objects")
	default:
		w.shape("an object")
	}
	return true
}
