package uitest

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha512"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

const (
	distPackage = "swagger-ui-dist"
	distVersion = "5.35.0"
	distSHA512  = "U06rpMtW9V3XPGOBeamTUSr0Z09jMX4IJuANpE/EZbAhw0G8CgwrzU4YmXkn/h0wCDNsXdGarTNNHC3sU8yVUQ=="
	distFile    = distPackage + "-" + distVersion + ".tgz"

	fetchPatience = time.Minute
)

// distAssets returns the files of Swagger UI that a page needs, by name.
func distAssets(t *testing.T) map[string][]byte {
	t.Helper()
	var folder string
	if cache, err := os.UserCacheDir(); err == nil {
		folder = filepath.Join(cache, "fastgrest")
	} else {
		folder = t.TempDir()
	}
	path := filepath.Join(folder, distFile)
	archive, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) || err == nil && checkDist(archive) != nil {
		fetchDist(t, folder)
		archive, err = os.ReadFile(path)
	}
	if err != nil {
		t.Fatal(err)
	}
	if err := checkDist(archive); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	assets, err := unpack(archive, "swagger-ui.css", "swagger-ui-bundle.js")
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return assets
}

func checkDist(archive []byte) error {
	sum := sha512.Sum512(archive)
	if got := base64.StdEncoding.EncodeToString(sum[:]); got != distSHA512 {
		return fmt.Errorf("its SHA-512 is %s, want %s", got, distSHA512)
	}
	return nil
}

// fetchDist moves the package into folder in one step, so that tests in parallel never see a part of it.
func fetchDist(t *testing.T, folder string) {
	t.Helper()
	npm, err := exec.LookPath("npm")
	if err != nil {
		unavailable(t, "npm is not installed, and %s is not in %s", distFile, folder)
	}
	if err := os.MkdirAll(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	work, err := os.MkdirTemp(folder, "npm-")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(work)
	ctx, cancel := context.WithTimeout(t.Context(), fetchPatience)
	defer cancel()
	cmd := exec.CommandContext(ctx, npm, "pack", "--silent", distPackage+"@"+distVersion)
	cmd.Dir = work
	cmd.WaitDelay = time.Second
	if out, err := cmd.CombinedOutput(); err != nil {
		unavailable(t, "npm cannot fetch %s@%s: %v %s", distPackage, distVersion, err, out)
	}
	if err := os.Rename(filepath.Join(work, distFile), filepath.Join(folder, distFile)); err != nil {
		t.Fatal(err)
	}
}

func unpack(archive []byte, names ...string) (map[string][]byte, error) {
	zipped, err := gzip.NewReader(bytes.NewReader(archive))
	if err != nil {
		return nil, err
	}
	all := map[string][]byte{}
	for files := tar.NewReader(zipped); ; {
		header, err := files.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, err
		}
		if all[strings.TrimPrefix(header.Name, "package/")], err = io.ReadAll(files); err != nil {
			return nil, err
		}
	}
	wanted := map[string][]byte{}
	for _, name := range names {
		if wanted[name] = all[name]; len(wanted[name]) == 0 {
			return nil, fmt.Errorf("the package has no %s", name)
		}
	}
	return wanted, nil
}
