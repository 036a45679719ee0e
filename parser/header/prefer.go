package header

import (
	"bytes"
	"strconv"
)

// Resolution is resolution=: what an insert does with rows that exist already.
type Resolution uint8

const (
	ResolutionNone Resolution = iota // not given
	MergeDuplicates
	IgnoreDuplicates
)

// Representation is return=: what a write answers with.
type Representation uint8

const (
	ReturnNone    Representation = iota // not given
	ReturnFull                          // representation
	ReturnMinimal                       // minimal
	ReturnHeaders                       // headers-only
)

// Count is count=: how the total number of rows is found.
type Count uint8

const (
	CountNone Count = iota // not given
	CountExact
	CountPlanned
	CountEstimated
)

// Tx is tx=: whether the transaction is kept.
type Tx uint8

const (
	TxNone Tx = iota // not given, or not for the client to say
	TxCommit
	TxRollback
)

// Missing is missing=: what stands in for keys that a payload lacks.
type Missing uint8

const (
	MissingNone    Missing = iota // not given
	MissingDefault                // the column's default
	MissingNull                   // null
)

// Handling is handling=: what happens to preferences nobody knows.
type Handling uint8

const (
	HandlingNone Handling = iota // not given
	HandlingStrict
	HandlingLenient
)

// Prefer is what all Prefer lines of a request say together. The zero value
// says nothing; a Prefer is meant to be pooled, Reset and filled with Add.
//
// A field that the request may not use is set back to its zero value by
// whoever finds that out, before AppendApplied.
type Prefer struct {
	Resolution     Resolution
	Representation Representation
	Count          Count
	Tx             Tx
	Missing        Missing
	Handling       Handling

	HasTimezone bool
	Timezone    []byte // borrowed from the header; may be empty

	HasMaxAffected bool
	MaxAffected    int64

	// Invalid holds the preferences nobody knows, in order, borrowed from the
	// header. Empty pieces (",,") are among them.
	Invalid [][]byte

	// sawMaxAffected: the first max-affected decides, even if it is no number.
	sawMaxAffected bool
}

// kind says which field of Prefer a word belongs to.
type kind uint8

const (
	kindResolution kind = iota
	kindMissing
	kindReturn
	kindCount
	kindTx
	kindHandling
)

// words are the preferences that are spelled in one way only, letter case
// included. The index of a word is what Prefer prints it from.
var words = [...]struct {
	text  string
	kind  kind
	value uint8
}{
	{"resolution=merge-duplicates", kindResolution, uint8(MergeDuplicates)},
	{"resolution=ignore-duplicates", kindResolution, uint8(IgnoreDuplicates)},
	{"missing=default", kindMissing, uint8(MissingDefault)},
	{"missing=null", kindMissing, uint8(MissingNull)},
	{"return=representation", kindReturn, uint8(ReturnFull)},
	{"return=minimal", kindReturn, uint8(ReturnMinimal)},
	{"return=headers-only", kindReturn, uint8(ReturnHeaders)},
	{"count=exact", kindCount, uint8(CountExact)},
	{"count=planned", kindCount, uint8(CountPlanned)},
	{"count=estimated", kindCount, uint8(CountEstimated)},
	{"tx=commit", kindTx, uint8(TxCommit)},
	{"tx=rollback", kindTx, uint8(TxRollback)},
	{"handling=strict", kindHandling, uint8(HandlingStrict)},
	{"handling=lenient", kindHandling, uint8(HandlingLenient)},
}

const (
	timezonePrefix    = "timezone="
	maxAffectedPrefix = "max-affected="
)

// keepInvalid bounds what a pooled Prefer holds on to: a header of nothing but
// commas must not pin its list for the life of the process.
const keepInvalid = 64

// Reset forgets everything and keeps the list of invalid preferences for reuse.
func (p *Prefer) Reset() {
	invalid := p.Invalid
	if cap(invalid) > keepInvalid {
		invalid = nil
	}
	clear(invalid)
	*p = Prefer{Invalid: invalid[:0]}
}

// Add reads the value of one Prefer line. Call it once per line, in order: of
// preferences given more than once the first counts. With allowTx false tx= is
// known but has no effect.
func (p *Prefer) Add(value []byte, allowTx bool) {
	if len(value) == 0 {
		return // an empty line has no pieces, not one empty piece
	}
	for more := true; more; {
		var piece []byte
		piece, value, more = bytes.Cut(value, comma)
		p.addOne(trim(piece), allowTx)
	}
}

var comma = []byte{','}

func (p *Prefer) addOne(pref []byte, allowTx bool) {
	for i := range words {
		w := &words[i]
		if string(pref) != w.text {
			continue
		}
		if w.kind == kindTx && !allowTx {
			return
		}
		if field := p.field(w.kind); *field == 0 {
			*field = w.value
		}
		return
	}
	switch {
	case hasPrefix(pref, timezonePrefix):
		if !p.HasTimezone {
			p.HasTimezone, p.Timezone = true, pref[len(timezonePrefix):]
		}
	case hasPrefix(pref, maxAffectedPrefix):
		if !p.sawMaxAffected {
			p.sawMaxAffected = true
			p.MaxAffected, p.HasMaxAffected = readInt64(pref[len(maxAffectedPrefix):])
		}
	default:
		p.Invalid = append(p.Invalid, pref)
	}
}

// field returns the enum a kind of word is stored in.
func (p *Prefer) field(k kind) *uint8 {
	switch k {
	case kindResolution:
		return (*uint8)(&p.Resolution)
	case kindMissing:
		return (*uint8)(&p.Missing)
	case kindReturn:
		return (*uint8)(&p.Representation)
	case kindCount:
		return (*uint8)(&p.Count)
	case kindTx:
		return (*uint8)(&p.Tx)
	default:
		return (*uint8)(&p.Handling)
	}
}

// AppendApplied appends the value of Preference-Applied: every field that is
// set, in the order PostgREST lists them. It appends nothing when none is.
// max-affected is a promise only under handling=strict, and listed only then.
func (p *Prefer) AppendApplied(dst []byte) []byte {
	start := len(dst)
	for i := range words {
		w := &words[i]
		if *p.field(w.kind) == w.value {
			dst = append(separate(dst, start), w.text...)
		}
	}
	if p.HasTimezone {
		dst = append(separate(dst, start), timezonePrefix...)
		dst = append(dst, p.Timezone...)
	}
	if p.HasMaxAffected && p.Handling == HandlingStrict {
		dst = append(separate(dst, start), maxAffectedPrefix...)
		dst = strconv.AppendInt(dst, p.MaxAffected, 10)
	}
	return dst
}

func separate(dst []byte, start int) []byte {
	if len(dst) == start {
		return dst
	}
	return append(dst, ", "...)
}

func hasPrefix(b []byte, prefix string) bool {
	return len(b) >= len(prefix) && string(b[:len(prefix)]) == prefix
}
