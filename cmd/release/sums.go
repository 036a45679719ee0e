package main

import (
	"crypto/sha256"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// sums writes SHA256SUMS of all files, in the format of sha256sum.
func (r *release) sums() error {
	entries, err := os.ReadDir(r.out) // in the order of their names
	if err != nil {
		return err
	}
	var b strings.Builder
	for _, entry := range entries {
		text, err := os.ReadFile(filepath.Join(r.out, entry.Name()))
		if err != nil {
			return err
		}
		fmt.Fprintf(&b, "%x  %s\n", sha256.Sum256(text), entry.Name())
	}
	fmt.Print(b.String())
	return r.write("SHA256SUMS", func(w io.Writer) error {
		_, err := io.WriteString(w, b.String())
		return err
	})
}
