package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
)

// newRelease finds the repository around the current directory, its version and its time. It needs git
// only for what is not given.
func newRelease(version, out string) (*release, error) {
	root, err := repository()
	if err != nil {
		return nil, err
	}
	r := &release{source: root, version: version}
	if r.out, err = filepath.Abs(out); err != nil {
		return nil, err
	}
	if within, err := contains(r.out, "."); err != nil || within {
		return nil, fmt.Errorf("-out %s would be emptied, with the current directory; choose another directory", out)
	}
	if version == "" {
		if r.version, err = output(root, "git", "describe", "--tags", "--always", "--dirty"); err != nil {
			return nil, err
		}
	}
	if !regexp.MustCompile(`^[0-9A-Za-z][0-9A-Za-z.+-]*$`).MatchString(r.version) {
		return nil, fmt.Errorf("%q cannot be a version", r.version)
	}
	epoch := os.Getenv("SOURCE_DATE_EPOCH")
	if epoch == "" {
		if epoch, err = output(root, "git", "log", "-1", "--format=%ct"); err != nil {
			return nil, err
		}
	}
	if r.epoch, err = strconv.ParseInt(epoch, 10, 64); err != nil {
		return nil, fmt.Errorf("SOURCE_DATE_EPOCH: %w", err)
	}
	return r, nil
}

// contains reports whether a path is a directory or inside of it.
func contains(directory, path string) (bool, error) {
	absolute, err := filepath.Abs(path)
	if err != nil {
		return false, err
	}
	way, err := filepath.Rel(directory, absolute)
	return filepath.IsLocal(way), err
}

// repository is the nearest directory above that has the program.
func repository() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "cmd", "fastgrest", "main.go")); err == nil {
			return dir, nil
		}
		if dir == filepath.Dir(dir) {
			return "", errors.New("run it in the repository")
		}
		dir = filepath.Dir(dir)
	}
}

// output runs a command in a directory and returns what it prints, without white space around it.
func output(dir, name string, args ...string) (string, error) {
	cmd := exec.Command(name, args...)
	cmd.Dir = dir
	out, err := cmd.Output()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		err = fmt.Errorf("%w: %s", err, exit.Stderr)
	}
	if err != nil {
		return "", fmt.Errorf("%s: %w", name, err)
	}
	return strings.TrimSpace(string(out)), nil
}

// packageVersion is a version as packages have it.
type packageVersion struct {
	number     string // three numbers
	prerelease string // sorts before the number
	metadata   string // sorts after it
}

var described = regexp.MustCompile(`^v(\d+\.\d+\.\d+)(?:-([0-9A-Za-z.]+))??(?:-(\d+-g[0-9a-f]+))?(-dirty)?$`)

// parseVersion reads a tag, or the output of git describe. What has no tag before it sorts before all versions.
func parseVersion(version string) packageVersion {
	m := described.FindStringSubmatch(version)
	if m == nil {
		return packageVersion{number: "0.0.0", prerelease: strings.ReplaceAll(version, "-", ".")}
	}
	return packageVersion{m[1], m[2], strings.Trim(strings.ReplaceAll(m[3]+m[4], "-", "."), ".")}
}
