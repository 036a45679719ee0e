package header

import (
	"bytes"
	"strconv"
)

// Resolution is resolution=: what an insert does with rows that exist.
type Resolution uint8

const (
	ResolutionNone Resolution = iota // not given
	MergeDuplicates
	IgnoreDuplicates
)

// Representation is return=: the content of the response to a write.
type Representation uint8

const (
	ReturnNone    Representation = iota // not given
	ReturnFull                          // representation
	ReturnMinimal                       // minimal
	ReturnHeaders                       // headers-only
)

// Count is count=: how the total number of rows is determined.
type Count uint8

const (
	CountNone Count = iota // not given
	CountExact
	CountPlanned
	CountEstimated
)

// Tx is tx=: whether the transaction is committed.
type Tx uint8

const (
	TxNone Tx = iota // not given, or not allowed
	TxCommit
	TxRollback
)

// Missing is missing=: the value of columns that a payload lacks.
type Missing uint8

const (
	MissingNone    Missing = iota // not given
	MissingDefault                // the column's default
	MissingNull                   // null
)

// Handling is handling=: whether unknown preferences are an error.
type Handling uint8

const (
	HandlingNone Handling = iota // not given
	HandlingStrict
	HandlingLenient
)

// Stream is stream: whether rows are sent while PostgreSQL produces them.
// PostgREST does not have this preference.
type Stream uint8

const (
	StreamNone Stream = iota // not given
	StreamRows
)

// Params is params=: what the objects of an array are. PostgREST does not have this
// preference.
type Params uint8

const (
	ParamsNone      Params = iota // not given
	MultipleObjects               // each is the update of a row
)

// Page is page=: how the pages of a read follow each other. PostgREST does not have this
// preference.
type Page uint8

const (
	PageNone   Page = iota // not given
	PageCursor             // each has a link to the next one
)

// Read is read=: the node that serves a read. PostgREST does not have this preference.
type Read uint8

const (
	ReadAny      Read = iota // not given
	ReadPrimary              // the primary
	ReadBookmark             // one that has replayed the bookmark of the request
)

// Prefer is the preferences of all Prefer lines of a request. The zero value has
// none. A Prefer is meant to be pooled, and filled with Add after Reset.
//
// The caller sets fields that do not apply to the request to zero before it calls
// AppendApplied.
type Prefer struct {
	Resolution     Resolution
	Representation Representation
	Count          Count
	Tx             Tx
	Missing        Missing
	Handling       Handling
	Stream         Stream
	Params         Params
	Page           Page
	Read           Read
	// HasReplicas: the preference read= exists. Reset keeps it, and the caller sets it.
	HasReplicas bool

	HasTimezone bool
	Timezone    []byte // part of the header; may be empty

	HasMaxAffected bool
	MaxAffected    int64

	// Invalid has the unknown preferences in order, empty ones (",,") included. They
	// are parts of the header.
	Invalid [][]byte

	// sawMaxAffected: the first max-affected counts, even if it is not a number.
	sawMaxAffected bool
}

// kind is the field of Prefer that a word belongs to.
type kind uint8

const (
	kindResolution kind = iota
	kindMissing
	kindReturn
	kindCount
	kindTx
	kindHandling
	kindStream
	kindParams
	kindPage
	kindRead
)

// words are the preferences with a fixed spelling, in which letter case matters.
// AppendApplied prints a word by its index.
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
	{"stream", kindStream, uint8(StreamRows)},
	{"params=multiple-objects", kindParams, uint8(MultipleObjects)},
	{"page=cursor", kindPage, uint8(PageCursor)},
	{"read=primary", kindRead, uint8(ReadPrimary)},
	{"read=bookmark", kindRead, uint8(ReadBookmark)},
}

const (
	timezonePrefix    = "timezone="
	maxAffectedPrefix = "max-affected="
)

// keepInvalid is the maximum capacity of Invalid that Reset keeps. A header of
// commas only makes a long list.
const keepInvalid = 64

// Reset empties p and keeps the memory of Invalid.
func (p *Prefer) Reset() {
	invalid := p.Invalid
	if cap(invalid) > keepInvalid {
		invalid = nil
	}
	clear(invalid)
	*p = Prefer{Invalid: invalid[:0], HasReplicas: p.HasReplicas}
}

// Add parses the value of one Prefer line. The caller calls it for each line in
// order: the first of repeated preferences counts. Without allowTx tx= is valid but
// has no effect.
func (p *Prefer) Add(value []byte, allowTx bool) {
	if len(value) == 0 {
		return // an empty line has no preferences, not an empty one
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
		if string(pref) != w.text || w.kind == kindRead && !p.HasReplicas {
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

// field returns the field of a kind of word.
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
	case kindStream:
		return (*uint8)(&p.Stream)
	case kindParams:
		return (*uint8)(&p.Params)
	case kindPage:
		return (*uint8)(&p.Page)
	case kindRead:
		return (*uint8)(&p.Read)
	default:
		return (*uint8)(&p.Handling)
	}
}

// AppendApplied appends the value of Preference-Applied: all fields that are set,
// in PostgREST's order. It appends nothing if there are none. max-affected has an
// effect only with handling=strict, and is listed only then.
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
