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

// loadReferencedFiles replaces @file by the file's contents, for db-uri, jwt-secret,
// db-uri-read-replicas, jwt-issuers and page-cursor-secret, and decodes and checks secrets
// and issuers.
func (c *Config) loadReferencedFiles(previousURI string) error {
	var err error
	if previousURI != "" {
		c.DBURI = previousURI
	} else if c.DBURI, err = referencedText("db-uri", c.DBURI); err != nil {
		return err
	}
	if c.DBReadReplicas, err = referencedText("db-uri-read-replicas", c.DBReadReplicas); err != nil {
		return err
	}
	if err := c.loadIssuers(); err != nil {
		return err
	}
	if err := c.loadCursorSecret(); err != nil {
		return err
	}
	return c.loadSecret()
}

// loadIssuers parses jwt-issuers.
func (c *Config) loadIssuers() (err error) {
	if c.JWTIssuersText, err = referencedText("jwt-issuers", c.JWTIssuersText); err != nil {
		return err
	}
	if c.JWTIssuersText == "" {
		return nil
	}
	if c.JWTIssuers, err = auth.ParseIssuers([]byte(c.JWTIssuersText)); err != nil {
		return &Error{Kind: SecretError, Key: "jwt-issuers", Text: "jwt-issuers is not usable: " + err.Error(), Err: err}
	}
	return nil
}

// loadCursorSecret checks page-cursor-secret.
func (c *Config) loadCursorSecret() error {
	const key = "page-cursor-secret"
	if path, ok := strings.CutPrefix(c.PageCursorSecret, "@"); ok {
		data, err := readReferenced(key, path)
		if err != nil {
			return err
		}
		c.PageCursorSecret = strings.TrimSuffix(string(data), "\n")
	}
	if n := len(c.PageCursorSecret); n > 0 && n < 32 {
		return &Error{Kind: SecretError, Key: key, Text: key + " must have at least 32 bytes"}
	}
	return nil
}

// loadSecret decodes and checks jwt-secret.
func (c *Config) loadSecret() error {
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
	if text := string(c.JWTSecret); !c.JWTSecretIsBase64 && (strings.HasPrefix(text, "https://") || strings.HasPrefix(text, "http://")) {
		if _, err := auth.ParseKeySetURL(text); err != nil {
			return &Error{Kind: SecretError, Key: "jwt-secret", Text: "jwt-secret is not the URL of a key set: " + err.Error(), Err: err}
		}
		c.JWTSecret, c.JWTSecretURL = nil, text
		return nil
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

// referencedText returns the text of the file if value is @ and its name, else value.
func referencedText(key, value string) (string, error) {
	path, ok := strings.CutPrefix(value, "@")
	if !ok {
		return value, nil
	}
	data, err := readReferenced(key, path)
	return strings.TrimSpace(validText(string(data))), err
}

func readReferenced(key, path string) ([]byte, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, &Error{Kind: SecretError, Key: key, Text: "the file of " + key + " cannot be read: " + fileText(path, err), Err: err}
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
