package main

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/goreleaser/nfpm/v2"
	"github.com/goreleaser/nfpm/v2/deb"
	"github.com/goreleaser/nfpm/v2/files"
	"github.com/goreleaser/nfpm/v2/rpm"
)

// packaged is a file of a package.
type packaged struct {
	path string
	text []byte
	mode os.FileMode
	kind string // of nFPM; empty: a file that an upgrade replaces
	only string // the kind of package; empty: both
}

// service is the group that can read the configuration, which has secrets.
const service = "fastgrest"

func packagedFiles(binary []byte, docs documents) ([]packaged, error) {
	page, err := compressed(docs.find("fastgrest.1"))
	if err != nil {
		return nil, err
	}
	unit := bytes.Replace(docs.find("fastgrest.service"), []byte("=/usr/local/bin/fastgrest "), []byte("=/usr/bin/fastgrest "), 1)
	return []packaged{
		{path: "/etc/fastgrest/fastgrest.conf", text: docs.find("fastgrest.conf"), mode: 0o640, kind: files.TypeConfigNoReplace},
		{path: "/usr/bin/fastgrest", text: binary, mode: 0o755},
		{path: "/usr/lib/systemd/system/fastgrest.service", text: unit, mode: 0o644},
		{path: "/usr/share/bash-completion/completions/fastgrest", text: docs.find("completions/fastgrest.bash"), mode: 0o644},
		{path: "/usr/share/doc/fastgrest/CHANGELOG.md", text: docs.find("CHANGELOG.md"), mode: 0o644},
		{path: "/usr/share/doc/fastgrest/THIRD-PARTY-LICENSES", text: docs.find("THIRD-PARTY-LICENSES"), mode: 0o644},
		{path: "/usr/share/doc/fastgrest/copyright", text: docs.find("LICENSE"), mode: 0o644},
		{path: "/usr/share/fish/vendor_completions.d/fastgrest.fish", text: docs.find("completions/fastgrest.fish"), mode: 0o644},
		{path: "/usr/share/man/man1/fastgrest.1.gz", text: page, mode: 0o644},
		{path: "/usr/share/zsh/site-functions/_fastgrest", text: docs.find("completions/_fastgrest"), mode: 0o644, only: "rpm"},
		{path: "/usr/share/zsh/vendor-completions/_fastgrest", text: docs.find("completions/_fastgrest"), mode: 0o644, only: "deb"},
	}, nil
}

func compressed(text []byte) ([]byte, error) {
	var b bytes.Buffer
	w, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err != nil {
		return nil, err
	}
	if _, err := w.Write(text); err != nil {
		return nil, err
	}
	err = w.Close()
	return b.Bytes(), err
}

// packages makes the packages of a program for Linux.
func (r *release) packages(p platform, program string, docs documents) error {
	if p.os != "linux" {
		return nil
	}
	binary, err := os.ReadFile(program)
	if err != nil {
		return err
	}
	list, err := packagedFiles(binary, docs)
	if err != nil {
		return err
	}
	for kind, format := range map[string]nfpm.Packager{"deb": deb.Default, "rpm": rpm.DefaultRPM} {
		if err := r.pack(p, kind, format, list); err != nil {
			return fmt.Errorf("%s: %w", kind, err)
		}
	}
	return nil
}

func (r *release) pack(p platform, kind string, format nfpm.Packager, list []packaged) error {
	dir, err := os.MkdirTemp("", "fastgrest-package") // nFPM reads files
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	var contents files.Contents
	for i, f := range list {
		if f.only != "" && f.only != kind {
			continue
		}
		source := filepath.Join(dir, fmt.Sprint(i))
		if err := os.WriteFile(source, f.text, 0o600); err != nil {
			return err
		}
		info := &files.ContentFileInfo{Owner: "root", Group: "root", Mode: f.mode, MTime: time.Unix(r.epoch, 0).UTC()}
		if f.kind != "" {
			info.Group = service
		}
		contents = append(contents, &files.Content{Source: source, Destination: f.path, Type: f.kind, FileInfo: info})
	}
	info := r.packageInfo(p, contents)
	if err := nfpm.PrepareForPackager(info, kind); err != nil {
		return err
	}
	return r.write(format.ConventionalFileName(info), func(w io.Writer) error { return format.Package(info, w) })
}

func (r *release) packageInfo(p platform, contents files.Contents) *nfpm.Info {
	version := parseVersion(r.version)
	script := func(name string) string { return filepath.Join(r.source, "cmd/fastgrest/packaging", name) }
	info := &nfpm.Info{
		Name: "fastgrest", Arch: p.arch, Platform: p.os,
		Version: version.number, Prerelease: version.prerelease, VersionMetadata: version.metadata, Release: "1",
		Section: "database", Priority: "optional", License: "MIT",
		Maintainer:  "fastgrest maintainers <fastgrest@users.noreply.github.com>",
		Homepage:    "https://github.com/fastgrest/fastgrest",
		Description: "REST API for a PostgreSQL database\nfastgrest turns a PostgreSQL database into a REST API. It is compatible with PostgREST.",
		MTime:       time.Unix(r.epoch, 0).UTC(), DisableGlobbing: true,
	}
	info.Contents = contents
	info.Scripts = nfpm.Scripts{
		PreInstall: script("preinstall.sh"), PostInstall: script("postinstall.sh"),
		PreRemove: script("preremove.sh"), PostRemove: script("postremove.sh"),
	}
	info.Suggests = []string{"postgresql"}
	info.Deb = nfpm.Deb{Compression: "xz", Predepends: []string{"passwd"}}
	info.RPM = nfpm.RPM{Compression: "xz", BuildHost: "localhost", Summary: strings.SplitN(info.Description, "\n", 2)[0], Group: "Applications/Databases"}
	return nfpm.WithDefaults(info)
}
