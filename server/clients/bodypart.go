package clients

import "io"

// Part reads a part of the body: what Keep has kept of the last one, and then as much
// as makes it size bytes. end reports that the body ends with it. The bytes are valid
// until the next Part, Keep or Release. A body is read either by Part or by Read, and
// the errors are those of Read.
func (b *Body) Part(size int, worthReading func() error) (p []byte, end bool, err error) {
	stream := b.stream()
	if stream == nil {
		return b.ctx.PostBody(), true, nil
	}
	length := b.ctx.Request.Header.ContentLength()
	if length > b.limits.Body {
		return nil, false, b.tooLarge()
	}
	if b.parts == 0 && (length == chunkedLength || length > freeBody) {
		if err := worthReading(); err != nil {
			return nil, false, err
		}
	}
	if b.parts > 0 {
		b.moreTime() // what the caller did with the last part may have taken long
	}
	if length != chunkedLength {
		size = min(size, b.kept+length-b.parts)
	}
	if old := b.buffer; old != nil {
		old.B = old.B[:copy(old.B, old.B[len(old.B)-b.kept:])]
	}
	if p, err = b.grow(max(b.kept, min(size, firstPart))); err != nil {
		return nil, false, err
	}
	for p = p[:b.kept]; len(p) < size; {
		if len(p) == cap(p) {
			b.buffer.B = p
			if p, err = b.grow(min(nextSize(cap(p)), size)); err != nil {
				return nil, false, err
			}
		}
		before := b.parts
		n, err := stream.Read(p[len(p):min(cap(p), size)])
		p = p[:len(p)+n]
		b.parts += n
		switch {
		case b.parts > b.limits.Body:
			return nil, false, b.tooLarge()
		case err == io.EOF && length == chunkedLength:
			b.read, b.buffer.B = true, p
			return p, true, nil
		case b.parts == length:
		case err != nil:
			return nil, false, b.unreadable(unexpected(err))
		case b.parts/bodyPiece > before/bodyPiece:
			b.moreTime()
		}
	}
	b.buffer.B = p
	b.read = b.parts == length
	return p, b.read, nil
}

// firstPart is the memory that a part begins with.
const firstPart = 64 << 10

// Keep has the last n bytes of a part be the first of the next one.
func (b *Body) Keep(n int) { b.kept = n }
