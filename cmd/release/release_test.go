package main

import (
	"archive/tar"
	"bytes"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/ulikunitz/xz"
)

const (
	tested = "v0.9.0"
	name   = "linux-static-x86-64"
)

// TestRelease builds for one platform twice, in two folders, and compares the bytes. Then it looks into the files.
func TestRelease(t *testing.T) {
	t.Setenv("SOURCE_DATE_EPOCH", "1764400000")
	one := filepath.Join(t.TempDir(), "one")
	two := filepath.Join(t.TempDir(), "another", "and", "deeper")
	for _, out := range []string{one, two} {
		if err := run([]string{"-version", tested, "-out", out, "-platform", "linux/amd64"}); err != nil {
			t.Fatal(err)
		}
		t.Setenv("TMPDIR", t.TempDir())
	}
	list := names(t, one)
	want := []string{
		"SHA256SUMS", "fastgrest-0.9.0-1.x86_64.rpm", "fastgrest-v0.9.0-" + name + ".cdx.json",
		"fastgrest-v0.9.0-" + name + ".tar.xz", "fastgrest_0.9.0-1_amd64.deb", "postgrest-v0.9.0-" + name + ".tar.xz",
	}
	if !slices.Equal(list, want) {
		t.Fatalf("the release has\n%q, want\n%q", list, want)
	}
	for _, file := range list {
		if !bytes.Equal(read(t, one, file), read(t, two, file)) {
			t.Errorf("%s cannot be reproduced", file)
		}
	}
	cmd := exec.CommandContext(t.Context(), "sha256sum", "--check", "--strict", "SHA256SUMS")
	cmd.Dir = one
	if out, err := cmd.CombinedOutput(); err != nil || strings.Count(string(out), "OK") != len(want)-1 {
		t.Errorf("SHA256SUMS: %v\n%s", err, out)
	}
	t.Run("archives", func(t *testing.T) { checkArchives(t, one) })
	t.Run("deb", func(t *testing.T) { checkDeb(t, filepath.Join(one, want[4])) })
	t.Run("rpm", func(t *testing.T) { checkRPM(t, filepath.Join(one, want[1])) })
	t.Run("sbom", func(t *testing.T) { checkSBOM(t, read(t, one, want[2])) })
}

func names(t *testing.T, dir string) (list []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		list = append(list, entry.Name())
	}
	return list
}

func read(t *testing.T, dir, file string) []byte {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, file))
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// unpack reads an archive. Every file is root's and has the time of the release.
func unpack(t *testing.T, archive []byte) map[string][]byte {
	t.Helper()
	decompressed, err := xz.NewReader(bytes.NewReader(archive))
	if err != nil {
		t.Fatal(err)
	}
	content := map[string][]byte{}
	for r := tar.NewReader(decompressed); ; {
		h, err := r.Next()
		if err == io.EOF {
			return content
		}
		if err != nil {
			t.Fatal(err)
		}
		if h.ModTime.Unix() != 1764400000 || h.Uid != 0 || h.Gid != 0 {
			t.Errorf("%s: time %v, owner %d, group %d", h.Name, h.ModTime, h.Uid, h.Gid)
		}
		if content[h.Name], err = io.ReadAll(r); err != nil {
			t.Fatal(err)
		}
	}
}

func checkArchives(t *testing.T, dir string) {
	content := unpack(t, read(t, dir, "fastgrest-v0.9.0-"+name+".tar.xz"))
	for file, part := range map[string]string{
		"CHANGELOG.md": "## [0.9.0]", "LICENSE": "MIT License", "THIRD-PARTY-LICENSES": "==== github.com/valyala/fasthttp ",
		"completions/_fastgrest": "#compdef fastgrest", "completions/fastgrest.bash": "complete -F", "completions/fastgrest.fish": "complete -c",
		"fastgrest.1": `"fastgrest 0.9.0"`, "fastgrest.conf": "db-uri =", "fastgrest.service": "[Service]", "fastgrest": "\x7fELF",
	} {
		if !strings.Contains(string(content[file]), part) {
			t.Errorf("%s does not have %q", file, part)
		}
		delete(content, file)
	}
	for file := range content {
		t.Errorf("the archive has %s", file)
	}
	content = unpack(t, read(t, dir, "postgrest-v0.9.0-"+name+".tar.xz"))
	if len(content) != 1 || len(content["postgrest"]) == 0 {
		t.Fatalf("the archive for installers of PostgREST has %d files", len(content))
	}
	program := filepath.Join(t.TempDir(), "postgrest")
	if err := os.WriteFile(program, content["postgrest"], 0o700); err != nil {
		t.Fatal(err)
	}
	checkVersion(t, program)
}

// checkVersion runs a program, if it is for this machine.
func checkVersion(t *testing.T, program string) {
	t.Helper()
	if runtime.GOOS != "linux" || runtime.GOARCH != "amd64" {
		t.Skip("the program is for another machine")
	}
	out, err := exec.CommandContext(t.Context(), program, "--version").CombinedOutput()
	if err != nil || !strings.HasPrefix(string(out), "fastgrest 0.9.0 (PostgREST 16.") {
		t.Errorf("its version is %s, %v", out, err)
	}
}

// debFiles are lines of dpkg-deb --contents, without date and size.
var debFiles = []string{
	"-rw-r----- root/fastgrest ./etc/fastgrest/fastgrest.conf",
	"-rwxr-xr-x root/root ./usr/bin/fastgrest",
	"-rw-r--r-- root/root ./usr/lib/systemd/system/fastgrest.service",
	"-rw-r--r-- root/root ./usr/share/bash-completion/completions/fastgrest",
	"-rw-r--r-- root/root ./usr/share/doc/fastgrest/copyright",
	"-rw-r--r-- root/root ./usr/share/fish/vendor_completions.d/fastgrest.fish",
	"-rw-r--r-- root/root ./usr/share/man/man1/fastgrest.1.gz",
	"-rw-r--r-- root/root ./usr/share/zsh/vendor-completions/_fastgrest",
}

func checkDeb(t *testing.T, file string) {
	if _, err := exec.LookPath("dpkg-deb"); err != nil {
		t.Skip("dpkg-deb is not installed")
	}
	dpkg := func(args ...string) string {
		t.Helper()
		out, err := exec.CommandContext(t.Context(), "dpkg-deb", args...).CombinedOutput()
		if err != nil {
			t.Fatalf("dpkg-deb %q: %v\n%s", args, err, out)
		}
		return string(out)
	}
	var found []string
	for line := range strings.Lines(dpkg("--contents", file)) {
		words := strings.Fields(line)
		found = append(found, words[0]+" "+words[1]+" "+words[len(words)-1])
	}
	for _, want := range debFiles {
		if !slices.Contains(found, want) {
			t.Errorf("no %s in %q", want, found)
		}
	}
	dir := t.TempDir()
	dpkg("--raw-extract", file, dir)
	checkVersion(t, filepath.Join(dir, "usr/bin/fastgrest"))
	if got := string(read(t, dir, "DEBIAN/conffiles")); got != "/etc/fastgrest/fastgrest.conf\n" {
		t.Errorf("its configuration files are %q", got)
	}
	control := string(read(t, dir, "DEBIAN/control"))
	for _, want := range []string{"Package: fastgrest\n", "Version: 0.9.0-1\n", "Architecture: amd64\n", "Pre-Depends: passwd\n", "Maintainer: fastgrest "} {
		if !strings.Contains(control, want) {
			t.Errorf("no %q in\n%s", want, control)
		}
	}
	if unit := string(read(t, dir, "usr/lib/systemd/system/fastgrest.service")); !strings.Contains(unit, "\nExecStart=/usr/bin/fastgrest /etc/fastgrest/fastgrest.conf\n") {
		t.Errorf("the unit does not start the program of the package:\n%s", unit)
	}
	for _, script := range []string{"preinst", "postinst", "prerm", "postrm"} {
		if out, err := exec.CommandContext(t.Context(), "sh", "-n", filepath.Join(dir, "DEBIAN", script)).CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s", script, err, out)
		}
	}
}

func checkRPM(t *testing.T, file string) {
	if _, err := exec.LookPath("rpm"); err != nil {
		t.Skip("rpm is not installed")
	}
	out, err := exec.CommandContext(t.Context(), "rpm", "-qp", "--nosignature", "--queryformat", "%{NAME} %{VERSION}-%{RELEASE} %{ARCH} %{BUILDHOST} %{LICENSE}\n[%{FILEMODES:perms} %{FILEGROUPNAME} %{FILENAMES} %{FILEFLAGS:fflags}\n]", file).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, want := range []string{
		"fastgrest 0.9.0-1 x86_64 localhost MIT\n", "-rw-r----- fastgrest /etc/fastgrest/fastgrest.conf cn\n",
		"-rwxr-xr-x root /usr/bin/fastgrest \n", "-rw-r--r-- root /usr/share/zsh/site-functions/_fastgrest \n",
	} {
		if !strings.Contains(string(out), want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
}

func checkSBOM(t *testing.T, text []byte) {
	var bom struct {
		BOMFormat, SpecVersion, SerialNumber string
		Metadata                             struct {
			Timestamp string
			Component struct{ Name, Version string }
		}
		Components []struct{ Name, Version, Purl string }
	}
	if err := json.Unmarshal(text, &bom); err != nil {
		t.Fatal(err)
	}
	if bom.BOMFormat != "CycloneDX" || bom.SpecVersion != "1.6" || len(bom.SerialNumber) != len("urn:uuid:")+36 || bom.Metadata.Timestamp != "2025-11-29T07:06:40Z" {
		t.Errorf("%s %s %s %s", bom.BOMFormat, bom.SpecVersion, bom.SerialNumber, bom.Metadata.Timestamp)
	}
	if c := bom.Metadata.Component; c.Name != "fastgrest" || c.Version != tested {
		t.Errorf("it describes %s %s", c.Name, c.Version)
	}
	seen := map[string]string{}
	for _, c := range bom.Components {
		seen[c.Name] = c.Purl
	}
	for _, module := range []string{"std", "github.com/valyala/fasthttp", "github.com/jackc/pgx/v5"} {
		if !strings.HasPrefix(seen[module], "pkg:golang/"+module+"@") {
			t.Errorf("%s is %q", module, seen[module])
		}
	}
	if seen["github.com/goreleaser/nfpm/v2"] != "" {
		t.Error("the program has modules of the release builder")
	}
}
