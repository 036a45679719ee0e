package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// notes is the section of the version in CHANGELOG.md.
func (r *release) notes() (string, error) {
	text, err := os.ReadFile(filepath.Join(r.source, "cmd/fastgrest/CHANGELOG.md"))
	if err != nil {
		return "", err
	}
	return section(string(text), strings.TrimPrefix(r.version, "v"))
}

func section(changelog, version string) (string, error) {
	_, rest, found := strings.Cut(changelog, "\n## ["+version+"]")
	if !found {
		return "", fmt.Errorf("CHANGELOG.md has no section for %s", version)
	}
	_, rest, _ = strings.Cut(rest, "\n")
	rest, _, _ = strings.Cut("\n"+rest, "\n## [")
	rest, _, _ = strings.Cut(rest, "\n[") // the addresses of the versions
	return strings.TrimSpace(rest) + "\n", nil
}
