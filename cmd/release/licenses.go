package main

import (
	"bytes"
	"debug/buildinfo"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
)

var licenseFile = regexp.MustCompile(`(?i)^(LICEN[CS]E|COPYING|NOTICE|UNLICENSE|PATENTS)`)

// licenses joins the licences of the modules in a program, and that of Go. Those licences ask for it.
func (r *release) licenses(program string) ([]byte, error) {
	info, err := buildinfo.ReadFile(program)
	if err != nil {
		return nil, err
	}
	goRoot, err := output(r.source, "go", "env", "GOROOT")
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	if err := appendLicenses(&b, "Go "+info.GoVersion, goRoot); err != nil {
		return nil, err
	}
	for _, m := range info.Deps {
		out, err := output(r.source, "go", "mod", "download", "-json", m.Path+"@"+m.Version)
		if err != nil {
			return nil, err
		}
		var downloaded struct{ Dir string }
		if err := json.Unmarshal([]byte(out), &downloaded); err != nil {
			return nil, err
		}
		if err := appendLicenses(&b, m.Path+" "+m.Version, downloaded.Dir); err != nil {
			return nil, err
		}
	}
	return b.Bytes(), nil
}

// appendLicenses adds the licence files in a directory.
func appendLicenses(b *bytes.Buffer, title, dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	found := false
	for _, entry := range entries {
		if entry.IsDir() || !licenseFile.MatchString(entry.Name()) {
			continue
		}
		text, err := os.ReadFile(filepath.Join(dir, entry.Name()))
		if err != nil {
			return err
		}
		found = true
		fmt.Fprintf(b, "==== %s: %s\n\n%s\n\n", title, entry.Name(), bytes.TrimSpace(text))
	}
	if !found {
		return fmt.Errorf("%s has no licence", title)
	}
	return nil
}
