package body

import (
	"bytes"
	"slices"
	"unicode/utf8"

	"github.com/fastgrest/fastgrest/parser/jsontext"
	"github.com/fastgrest/fastgrest/parser/percent"
)

// ParseArgs parses a form as the arguments of a call. Pairs has all of them in
// order, and Keys has their names.
func (p *Payload) ParseArgs(raw []byte) error {
	p.Reset()
	if err := p.pairs(raw); err != nil {
		return err
	}
	p.Kind = Args
	for _, pair := range p.Pairs {
		p.Keys = append(p.Keys, pair.Key)
	}
	p.sortKeys()
	return nil
}

// ParseForm parses a form as one row. It appends a JSON object of texts to dst,
// sets Raw to this object, and returns the extended buffer. The last value of a
// repeated name counts.
func (p *Payload) ParseForm(dst, raw []byte) ([]byte, error) {
	p.Reset()
	if err := p.pairs(raw); err != nil {
		return dst, err
	}
	p.Kind, p.IsObject = Object, true
	slices.SortStableFunc(p.Pairs, func(a, b Pair) int { return bytes.Compare(a.Key, b.Key) })
	start := len(dst)
	dst = append(dst, '{')
	for i, pair := range p.Pairs {
		if i+1 < len(p.Pairs) && bytes.Equal(pair.Key, p.Pairs[i+1].Key) {
			continue
		}
		if len(p.Keys) > 0 {
			dst = append(dst, ',')
		}
		dst = append(jsontext.AppendString(dst, pair.Key), ':')
		dst = jsontext.AppendString(dst, pair.Value)
		p.Keys = append(p.Keys, pair.Key)
	}
	dst = append(dst, '}')
	p.Raw = dst[start:len(dst):len(dst)]
	p.Pairs = p.Pairs[:0]
	return dst, nil
}

// pairs splits a form at & and ; and decodes names and values. It skips a question
// mark at the beginning.
func (p *Payload) pairs(raw []byte) error {
	if len(raw) > 0 && raw[0] == '?' {
		raw = raw[1:]
	}
	for len(raw) > 0 {
		end := bytes.IndexAny(raw, "&;")
		piece := raw
		if end < 0 {
			raw = nil
		} else {
			piece, raw = raw[:end], raw[end+1:]
		}
		if len(p.Pairs) == MaxKeys {
			return errTooManyKeys
		}
		name, value, _ := bytes.Cut(piece, equals)
		pair := Pair{p.decodeForm(name), p.decodeForm(value)}
		if !utf8.Valid(pair.Key) || !utf8.Valid(pair.Value) {
			return errInvalidUTF8
		}
		p.Pairs = append(p.Pairs, pair)
	}
	return nil
}

var equals = []byte{'='}

// decodeForm decodes b, into the arena if there is anything to decode.
func (p *Payload) decodeForm(b []byte) []byte {
	if !bytes.ContainsAny(b, "+%") {
		return b
	}
	start := len(p.arena)
	p.arena = percent.AppendDecoded(p.arena, b, true)
	return p.arena[start:len(p.arena):len(p.arena)]
}
