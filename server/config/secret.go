package config

import (
	"bytes"
	"encoding/base64"
	"os"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/fastgrest/fastgrest/server/auth"
)

// loadReferencedFiles replaces @file by the file's contents, for db-uri and
// jwt-secret, and decodes and checks the secret.
func (c *Config) loadReferencedFiles(previousURI string) error {
	if previousURI != "" {
		c.DBURI = previousURI
	} else if path, ok := strings.CutPrefix(c.DBURI, "@"); ok {
		data, err := readReferenced("db-uri", path)
		if err != nil {
			return err
		}
		c.DBURI = strings.TrimFunc(validText(string(data)), unicode.IsSpace)
	}
	if c.JWTSecret == nil {
		return nil
	}
	if path, ok := bytes.CutPrefix(c.JWTSecret, []byte("@")); ok {
		data, err := readReferenced("jwt-secret", string(path))
		if err != nil {
			return err
		}
		// Editors add one line end, which is removed; further ones belong to the secret.
		c.JWTSecret = bytes.TrimSuffix(data, []byte("\n"))
	}
	if c.JWTSecretIsBase64 {
		secret, ok := decodeBase64(c.JWTSecret)
		if !ok {
			return &Error{Kind: SecretError, Key: "jwt-secret", Text: "The JWT secret is not valid base64"}
		}
		c.JWTSecret = secret
	}
	if _, err := auth.ParseKeys(c.JWTSecret); err != nil {
		return &Error{Kind: SecretError, Key: "jwt-secret", Text: err.Error(), Err: err}
	}
	return nil
}

func readReferenced(key, path string) ([]byte, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, &Error{Kind: SecretError, Key: key, Text: fileText(path, err), Err: err}
	}
	return data, nil
}

var urlAlphabet = strings.NewReplacer("_", "/", "-", "+", ".", "=")

// decodeBase64 accepts the standard and the URL alphabet, even mixed. Padding may
// be written as dots. White space around the text is ignored.
func decodeBase64(secret []byte) ([]byte, bool) {
	if !utf8.Valid(secret) {
		return nil, false
	}
	text := urlAlphabet.Replace(strings.TrimFunc(string(secret), unicode.IsSpace))
	if strings.ContainsAny(text, "\r\n") { // the decoder would skip them
		return nil, false
	}
	decoded, err := base64.StdEncoding.Strict().DecodeString(text)
	return decoded, err == nil
}
