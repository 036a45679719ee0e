package planner

import (
	"encoding/binary"

	"github.com/fastgrest/fastgrest/parser"
)

// inlined has the numbers that stand in the SQL text of a plan. Other numbers are -1.
type inlined struct {
	limits [1 + inlinedRanges]int64 // the root's, then those of the first ranges of the query
	offset int64                    // the root's
}

// inlinedRanges is the number of a query's ranges whose limit may stand in the
// SQL text. Each takes room in every key, which more limited embeds are not
// worth.
const inlinedRanges = 8

// appendKey appends the key of r's plan: everything that can change the plan.
// Each part is delimited, so different requests cannot have equal keys. It also
// chooses the numbers that stand in the plan's SQL, because they are in the key.
func (p *Planner) appendKey(dst []byte, r *Request) (key []byte, inline inlined) {
	dst = append(dst, byte(r.Action), byte(r.Prefer.Count)|byte(r.Prefer.Stream)<<7)
	if r.Action >= Insert { // fast path: reads
		dst = r.appendPayloadKey(dst)
	}
	if r.Pages() {
		dst = r.appendPageKey(dst)
	}
	dst = appendPart(dst, r.Target)
	dst = appendPart(dst, r.Schema)
	if r.HasAccept {
		dst = append(dst, 'A')
		dst = appendPart(dst, r.Accept)
	} else {
		dst = append(dst, '*')
	}
	if !r.Action.Writes() {
		dst = p.appendRanges(dst, r, &inline)
	}
	return r.Query.AppendShape(dst), inline
}

// appendPayloadKey appends what changes only the plans of writes and calls.
func (r *Request) appendPayloadKey(dst []byte) []byte {
	flags := byte(0)
	if r.PayloadObject {
		flags |= 1
	}
	if r.maxAffectedStrict() {
		flags |= 2
	}
	if r.isBulk() {
		flags |= 4
	}
	p := r.Prefer
	dst = append(dst, byte(p.Resolution), byte(p.Representation), byte(p.Missing), byte(r.ContentType.Kind), flags)
	dst = appendParts(dst, r.Columns)
	if r.Action == Upsert {
		// A PUT compares the keys of the filters with the primary key as the
		// client wrote them. The shape does not have them in full.
		dst = appendParts(dst, r.Query.FilterKeys)
	}
	return dst
}

// appendPageKey marks the key of a page with a cursor, and appends what the plan depends
// on of the cursor.
func (r *Request) appendPageKey(dst []byte) []byte {
	dst[1] |= 1 << 6
	if a := r.After; a != nil {
		dst[1] |= 1 << 5
		dst = append(dst, byte(a.Terms))
		dst = binary.LittleEndian.AppendUint32(dst, a.Nulls)
	}
	return dst
}

// appendRanges appends which limits and offsets there are, and the numbers that
// stand in SQL text. The shape has the rest.
func (p *Planner) appendRanges(dst []byte, r *Request, inline *inlined) []byte {
	top := p.Restrict(r.Top)
	inline.limits[0], inline.offset = p.inlineLimit(top), -1
	shape := top.Shape()
	dst = append(dst, shape)
	dst = binary.AppendVarint(dst, inline.limits[0])
	if shape&parser.ShapeFollowed != 0 {
		inline.offset = p.offsets.inline(top.Lower)
		dst = binary.AppendVarint(dst, inline.offset)
	}
	n := min(len(r.Query.Ranges), inlinedRanges)
	dst = append(dst, byte(n))
	for i := range n {
		limit := int64(-1)
		if pr := &r.Query.Ranges[i]; pr.Path.N > 0 {
			limit = p.inlineLimit(p.Restrict(pr.Range))
		}
		inline.limits[1+i] = limit
		dst = binary.AppendVarint(dst, limit)
	}
	return dst
}

func (p *Planner) inlineLimit(r parser.Range) int64 {
	if rows, ok := r.Limit(); ok {
		return p.limits.inline(rows)
	}
	return -1
}

func appendParts(dst []byte, parts [][]byte) []byte {
	dst = binary.AppendUvarint(dst, uint64(len(parts)))
	for _, part := range parts {
		dst = appendPart(dst, part)
	}
	return dst
}

func appendPart[T string | []byte](dst []byte, part T) []byte {
	dst = binary.AppendUvarint(dst, uint64(len(part)))
	return append(dst, part...)
}
