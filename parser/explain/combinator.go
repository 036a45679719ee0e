package explain

import (
	"slices"
	"strings"
)

// input is the text of one run. A text is parsed twice: the first run finds the
// position of the failure, the second takes notes at this position only. Notes at
// all other positions, at least one for each character, would not be used.
type input struct {
	text     []rune
	taking   bool // whether to take notes, at position notes
	notes    state
	depth    int
	maxDepth int
	tooDeep  bool // nested deeper than maxDepth; the run fails

	aggregates bool // see Start.Aggregates
}

// fail returns a failure, with notes if they are taken.
func (in *input) fail(place state, notes ...note) failure {
	f := failure{place: place, known: true}
	if in.taking && place == in.notes {
		f.notes = slices.Clone(notes)
	}
	return f
}

// state is a position in the input.
type state struct {
	at     int
	line   int
	column int
}

// show returns the character at s in the form of notes, or "" if none are taken.
func (in *input) show(s state) string {
	if !in.taking {
		return ""
	}
	return showText(in.text[s.at : s.at+1])
}

func (in *input) showRune(s state) string {
	if !in.taking {
		return ""
	}
	return showRune(in.text[s.at])
}

func (in *input) done(s state) bool { return s.at >= len(in.text) }

// advance steps over one character. Tabs stop at every eighth column.
func (s state) advance(c rune) state {
	s.at++
	switch c {
	case '\n':
		s.line++
		s.column = 1
	case '\t':
		s.column += 8 - (s.column-1)%8
	default:
		s.column++
	}
	return s
}

// before compares positions by line and column.
func (s state) before(t state) bool {
	return s.line < t.line || s.line == t.line && s.column < t.column
}

// failure is the reason why a parser failed or stopped.
type failure struct {
	place state
	known bool
	notes []note // only taken at one place, see input
}

// merge returns the failure that has notes, or the further one of two, or both
// if they are at the same position.
func merge(f, g failure) failure {
	switch {
	case f.known && !g.known:
		return f
	case g.known && !f.known:
		return g
	case f.place.before(g.place):
		return g
	case g.place.before(f.place):
		return f
	}
	f.notes = slices.Concat(f.notes, g.notes)
	return f
}

// expecting replaces the expectations of f.
func (f failure) expecting(in *input, what string) failure {
	g := in.fail(f.place, note{expected, what})
	for _, n := range f.notes {
		if n.kind != expected {
			g.notes = append(g.notes, n)
		}
	}
	return g
}

// result is the result of a parser. A success has a failure too: what the parser
// would have accepted at the position where it stopped.
type result struct {
	ok       bool
	consumed bool
	next     state
	failure  failure
}

type parser func(in *input, s state) result

// nothing succeeds without consuming.
func nothing(_ *input, s state) result {
	return result{ok: true, next: s, failure: failure{place: s}}
}

// impossible fails without notes.
func impossible(_ *input, s state) result {
	return result{failure: failure{place: s}}
}

// satisfying consumes one character that test accepts.
func satisfying(test func(rune) bool) parser {
	return func(in *input, s state) result {
		switch {
		case in.done(s):
			return result{failure: in.fail(s, note{met, ""})}
		case !test(in.text[s.at]):
			return result{failure: in.fail(s, note{met, in.show(s)})}
		}
		next := s.advance(in.text[s.at])
		return result{ok: true, consumed: true, next: next, failure: failure{place: next}}
	}
}

func char(c rune) parser {
	return label(showText([]rune{c}), satisfying(func(r rune) bool { return r == c }))
}

func oneOf(set string) parser {
	return satisfying(func(r rune) bool { return strings.ContainsRune(set, r) })
}

func noneOf(set string) parser {
	return satisfying(func(r rune) bool { return !strings.ContainsRune(set, r) })
}

// word consumes a fixed text. If it fails after the first character it has consumed,
// but the failure is at the beginning of the text.
func word(w string) parser {
	want := []rune(w)
	shown := showText(want)
	return func(in *input, s state) result {
		next := s
		for i, c := range want {
			if !in.done(next) && in.text[next.at] == c {
				next = next.advance(c)
				continue
			}
			got := ""
			if !in.done(next) {
				got = in.show(next)
			}
			return result{consumed: i > 0, failure: in.fail(s, note{expected, shown}, note{met, got})}
		}
		return result{ok: true, consumed: true, next: next, failure: failure{place: next}}
	}
}

// sequence runs parsers in order.
func sequence(parsers ...parser) parser {
	return func(in *input, s state) result {
		r := parsers[0](in, s)
		for _, p := range parsers[1:] {
			r = r.then(in, p)
		}
		return r
	}
}

// then runs p after a success.
func (r result) then(in *input, p parser) result {
	if !r.ok {
		return r
	}
	q := p(in, r.next)
	if q.consumed {
		return q
	}
	if r.failure.known {
		q.failure = merge(r.failure, q.failure)
	}
	q.consumed = r.consumed
	return q
}

// choice tries parsers in order until one succeeds or fails after consuming.
func choice(parsers ...parser) parser {
	return func(in *input, s state) result {
		r := parsers[0](in, s)
		for _, p := range parsers[1:] {
			if r.ok || r.consumed {
				return r
			}
			q := p(in, s)
			if !q.consumed {
				q.failure = merge(r.failure, q.failure)
			}
			r = q
		}
		return r
	}
}

// optional is p or nothing.
func optional(p parser) parser { return choice(p, nothing) }

// attempt is p, but a failure does not count as having consumed.
func attempt(p parser) parser {
	return func(in *input, s state) result {
		r := p(in, s)
		if !r.ok {
			r.consumed = false
		}
		return r
	}
}

// ours is p where the grammar goes beyond PostgREST's. If p fails it leaves no
// trace, so that the error texts stay PostgREST's.
func ours(p parser) parser {
	return func(in *input, s state) result {
		if in.aggregates {
			if r := p(in, s); r.ok {
				return r
			}
		}
		return impossible(in, s)
	}
}

// label names p. The name is what is expected if p stops without having consumed.
func label(name string, p parser) parser {
	return func(in *input, s state) result {
		r := p(in, s)
		if !r.consumed && (!r.ok || r.failure.known) {
			r.failure = r.failure.expecting(in, name)
		}
		return r
	}
}

// ahead succeeds if p does, but consumes nothing.
func ahead(p parser) parser {
	return func(in *input, s state) result {
		r := p(in, s)
		if !r.ok {
			return r
		}
		return nothing(in, s)
	}
}

// notBefore succeeds if p fails.
func notBefore(p parser) parser {
	return func(in *input, s state) result {
		r := p(in, s)
		if !r.ok {
			n := nothing(in, s)
			n.failure = merge(r.failure, n.failure)
			return n
		}
		return result{failure: in.fail(r.next, note{unwanted, in.showRune(s)})}
	}
}

// end succeeds at the end of the input.
var end = label("end of input", func(in *input, s state) result {
	if in.done(s) {
		// The failure has what would have been accepted instead.
		return result{ok: true, next: s, failure: in.fail(s, note{met, ""})}
	}
	return result{failure: in.fail(s, note{unwanted, in.showRune(s)})}
})

// many repeats p until it fails without consuming. It keeps the failure of the last
// repetition. The two combinators below do not, like those of Parsec. PostgREST
// uses both kinds.
func many(p parser) parser { return repeat(p, true) }

func many1(p parser) parser { return sequence(p, repeat(p, false)) }

func separated1(p, separator parser) parser {
	return sequence(p, repeat(sequence(separator, p), false))
}

func repeat(p parser, remember bool) parser {
	return func(in *input, s state) result {
		r := result{ok: true, next: s, failure: failure{place: s}}
		for {
			q := p(in, r.next)
			switch {
			case q.ok && !q.consumed:
				return r // a repetition of nothing; no grammar has one
			case q.ok:
				r = q
			case q.consumed:
				return q
			case remember:
				r.failure = merge(r.failure, q.failure)
				return r
			default:
				r.failure = q.failure
				return r
			}
		}
	}
}

func separated(p, separator parser) parser { return choice(separated1(p, separator), nothing) }
