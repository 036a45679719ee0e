package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "release:", err)
		os.Exit(1)
	}
}

// release is what all steps know.
type release struct {
	source  string // the root of the repository
	out     string // where the files of the release go
	version string // as the tag has it, or git describe
	epoch   int64  // the time of all files, in seconds
}

func run(args []string) error {
	flags := flag.NewFlagSet("release", flag.ContinueOnError)
	version := flags.String("version", "", "the version, such as v0.9.0 (the default is that of git describe)")
	out := flags.String("out", "dist", "the `directory` of the files; it is emptied first")
	only := flags.String("platform", "", "build for one platform only, such as linux/amd64")
	notes := flags.Bool("notes", false, "print the release notes of the version, and build nothing")
	if err := flags.Parse(args); err != nil {
		return err
	}
	r, err := newRelease(*version, *out)
	if err != nil {
		return err
	}
	if *notes {
		text, err := r.notes()
		fmt.Print(text)
		return err
	}
	list, err := selected(*only)
	if err != nil {
		return err
	}
	if strings.HasSuffix(r.version, "-dirty") {
		fmt.Fprintln(os.Stderr, "release: the working tree has changes that are not committed")
	}
	return r.build(list)
}

// build makes all files for these platforms.
func (r *release) build(list []platform) error {
	if err := os.RemoveAll(r.out); err != nil {
		return err
	}
	if err := os.MkdirAll(r.out, 0o755); err != nil {
		return err
	}
	work, err := os.MkdirTemp("", "fastgrest-release")
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)

	docs, err := r.documents(work)
	if err != nil {
		return err
	}
	for _, p := range list {
		program := filepath.Join(work, p.name())
		if err := r.compile(p, program); err != nil {
			return err
		}
		fmt.Println("built for", p.name())
		steps := []func(platform, string, documents) error{r.archives, r.packages, r.sbom}
		for _, step := range steps {
			if err := step(p, program, docs); err != nil {
				return fmt.Errorf("%s: %w", p.name(), err)
			}
		}
	}
	return r.sums()
}
