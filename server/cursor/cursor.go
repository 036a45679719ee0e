package cursor

import (
	"bytes"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"sync"
)

// Value is one value of a position.
type Value struct {
	Null  bool
	Text  bool // Bytes are PostgreSQL's text format, else its binary one
	Bytes []byte
}

// Position is a place in the sorted rows of a relation.
type Position struct {
	Fingerprint uint64 // of the relation and its order
	Values      []Value
}

const (
	// MaxValues is the number of values of a position.
	MaxValues = 32
	// MaxBytes is the length of all values of a position together.
	MaxBytes = 4 << 10

	version    = 1
	headLength = 1 + 8
	macLength  = 16
	maxPayload = headLength + binary.MaxVarintLen16 + MaxValues*binary.MaxVarintLen16 + MaxBytes
)

// Kinds of values.
const (
	kindNull = iota
	kindBinary
	kindText
)

// ErrInvalid is the error of a token that no server with this key has made.
var ErrInvalid = errors.New("the token is not a cursor of this server")

// Key signs tokens.
type Key struct{ key []byte }

// NewKey derives a key from a secret.
func NewKey(secret []byte) *Key {
	key, err := hkdf.Key(sha256.New, secret, nil, "fastgrest page cursor", sha256.Size)
	if err != nil {
		panic(err) // only a length that the hash does not have
	}
	return &Key{key}
}

// Random returns the key of this process, for servers without a secret.
var Random = sync.OnceValue(func() *Key {
	secret := make([]byte, sha256.Size)
	_, _ = rand.Read(secret) // never fails
	return NewKey(secret)
})

var encoding = base64.RawURLEncoding.Strict()

// Append appends the token of a position.
func (k *Key) Append(dst []byte, p *Position) []byte {
	raw := append(make([]byte, 0, 256), version)
	raw = binary.BigEndian.AppendUint64(raw, p.Fingerprint)
	raw = binary.AppendUvarint(raw, uint64(len(p.Values)))
	for _, v := range p.Values {
		kind := uint64(kindBinary)
		switch {
		case v.Null:
			kind = kindNull
		case v.Text:
			kind = kindText
		}
		raw = binary.AppendUvarint(raw, uint64(len(v.Bytes))<<2|kind)
		raw = append(raw, v.Bytes...)
	}
	return encoding.AppendEncode(dst, append(raw, k.mac(raw)...))
}

func (k *Key) mac(raw []byte) []byte {
	h := hmac.New(sha256.New, k.key)
	h.Write(raw)
	return h.Sum(nil)[:macLength]
}

// Open reads a token. The values are not parts of it.
func (k *Key) Open(token []byte) (p Position, err error) {
	if len(token) > encoding.EncodedLen(maxPayload+macLength) || bytes.ContainsAny(token, "\r\n") { // the decoder would skip line ends
		return p, ErrInvalid
	}
	raw, err := encoding.AppendDecode(nil, token)
	if err != nil || len(raw) < headLength+macLength {
		return p, ErrInvalid
	}
	raw, mac := raw[:len(raw)-macLength], raw[len(raw)-macLength:]
	if !hmac.Equal(mac, k.mac(raw)) || raw[0] != version {
		return p, ErrInvalid
	}
	p.Fingerprint = binary.BigEndian.Uint64(raw[1:])
	if !p.read(raw[headLength:]) {
		return Position{}, ErrInvalid
	}
	return p, nil
}

// read reads the values.
func (p *Position) read(raw []byte) bool {
	n, size := binary.Uvarint(raw)
	if size <= 0 || n > MaxValues {
		return false
	}
	raw = raw[size:]
	for range n {
		head, size := binary.Uvarint(raw)
		if size <= 0 || head>>2 > uint64(len(raw)-size) {
			return false
		}
		kind, length := head&3, int(head>>2)
		if kind > kindText || kind == kindNull && length > 0 {
			return false
		}
		raw = raw[size:]
		p.Values = append(p.Values, Value{Null: kind == kindNull, Text: kind == kindText, Bytes: raw[:length:length]})
		raw = raw[length:]
	}
	return len(raw) == 0
}

// Size is the length of all values together.
func (p *Position) Size() (n int) {
	for _, v := range p.Values {
		n += len(v.Bytes)
	}
	return n
}
