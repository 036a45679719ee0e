package cursor

import (
	"bytes"
	"encoding/base64"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var positions = []Position{
	{Fingerprint: 1, Values: []Value{{Bytes: []byte{0, 0, 0, 7}}}},
	{Fingerprint: 1<<64 - 1, Values: []Value{{Null: true, Bytes: []byte{}}, {Text: true, Bytes: []byte("größer, 'als'")}, {Bytes: []byte{}}}},
	{Fingerprint: 0},
	{Fingerprint: 42, Values: []Value{{Bytes: bytes.Repeat([]byte{0xFF}, MaxBytes)}}},
}

func TestTokens(t *testing.T) {
	key := NewKey([]byte("a secret of at least 32 characters"))
	for i := range positions {
		token := key.Append(nil, &positions[i])
		if strings.Trim(string(token), "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") != "" {
			t.Errorf("%s is not base64url", token)
		}
		got, err := key.Open(token)
		if err != nil {
			t.Fatalf("position %d: %v", i, err)
		}
		if diff := cmp.Diff(positions[i], got); diff != "" {
			t.Errorf("position %d: %s", i, diff)
		}
		if _, err := NewKey([]byte("another secret")).Open(token); err == nil {
			t.Errorf("position %d: a token of another key was accepted", i)
		}
	}
}

// TestForgedTokens changes every bit of a token, and cuts it everywhere.
func TestForgedTokens(t *testing.T) {
	key := NewKey([]byte("secret"))
	token := key.Append(nil, &positions[1])
	raw, _ := base64.RawURLEncoding.DecodeString(string(token))
	for i := range len(raw) * 8 {
		forged := bytes.Clone(raw)
		forged[i/8] ^= 1 << (i % 8)
		if _, err := key.Open(base64.RawURLEncoding.AppendEncode(nil, forged)); err == nil {
			t.Errorf("bit %d", i)
		}
	}
	for i := range token {
		if _, err := key.Open(token[:i]); err == nil {
			t.Errorf("cut at %d", i)
		}
	}
	for _, other := range []string{string(token) + "=", string(token) + "\n", "\r\n" + string(token), string(token) + "A", strings.Repeat("A", 1<<20)} {
		if _, err := key.Open([]byte(other)); err == nil {
			t.Errorf("%.80q was accepted", other)
		}
	}
}

// FuzzOpen also signs what it gets, so that the reader behind the signature sees it.
func FuzzOpen(f *testing.F) {
	key := NewKey([]byte("secret"))
	for i := range positions {
		token := key.Append(nil, &positions[i])
		f.Add(token)
		raw, _ := base64.RawURLEncoding.DecodeString(string(token))
		f.Add(raw[:len(raw)-macLength])
	}
	f.Add([]byte("\x01\x00\x00\x00\x00\x00\x00\x00\x00\x01\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"))
	f.Fuzz(func(t *testing.T, data []byte) {
		if _, err := key.Open(data); err != nil {
			signed := append(bytes.Clone(data), key.mac(data)...)
			data = base64.RawURLEncoding.AppendEncode(nil, signed)
		}
		p, err := key.Open(data)
		if err != nil {
			return
		}
		again, err := key.Open(key.Append(nil, &p))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(p, again); diff != "" {
			t.Error(diff)
		}
	})
}
