package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
)

// compile builds the program. It is static, because cgo is off. It has no information of version
// control, which depends on the folder; the version has the commit.
func (r *release) compile(p platform, program string) error {
	cmd := exec.Command("go", "build", "-trimpath", "-buildvcs=false", "-ldflags", "-s -w -X main.version="+r.version, "-o", program, "./cmd/fastgrest")
	cmd.Dir = r.source
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS="+p.os, "GOARCH="+p.arch, "GOAMD64=v1", "GOARM64=v8.0",
		"GOFLAGS=", "GOEXPERIMENT=", "GOWORK=off", "GOFIPS140=off")
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("go build for %s: %w", p.name(), err)
	}
	return nil
}

// document is a text that comes with the program.
type document struct {
	name string // in an archive
	text []byte
}

// documents are in the order of their names.
type documents []document

// find returns the text of a document that documents made.
func (d documents) find(name string) []byte {
	for _, doc := range d {
		if doc.name == name {
			return doc.text
		}
	}
	panic("release: there is no document " + name)
}

// documents asks the program for its manual page, its completion scripts and its example of a
// configuration, and adds the files of the repository.
func (r *release) documents(work string) (documents, error) {
	program := filepath.Join(work, "fastgrest")
	if err := r.compile(platform{runtime.GOOS, runtime.GOARCH}, program); err != nil {
		return nil, err
	}
	var list documents
	for _, d := range []struct{ name, source string }{
		{"CHANGELOG.md", "cmd/fastgrest/CHANGELOG.md"},
		{"LICENSE", "LICENSE"},
		{"THIRD-PARTY-LICENSES", ""},
		{"completions/_fastgrest", "completion zsh"},
		{"completions/fastgrest.bash", "completion bash"},
		{"completions/fastgrest.fish", "completion fish"},
		{"fastgrest.1", "man"},
		{"fastgrest.conf", "--example"},
		{"fastgrest.service", "cmd/fastgrest/packaging/fastgrest.service"},
	} {
		var text []byte
		var err error
		switch {
		case d.source == "":
			text, err = r.licenses(program)
		case strings.Contains(filepath.Base(d.source), ".") || d.source == "LICENSE":
			text, err = os.ReadFile(filepath.Join(r.source, d.source))
		default:
			text, err = exec.Command(program, strings.Fields(d.source)...).Output()
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", d.name, err)
		}
		list = append(list, document{d.name, text})
	}
	return list, nil
}
