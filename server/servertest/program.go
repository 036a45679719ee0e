package servertest

import (
	"os/exec"
	"path/filepath"
	"testing"
)

// Program builds the program that users run, and returns its path. It goes with the test.
func Program(tb testing.TB) string {
	tb.Helper()
	path := filepath.Join(tb.TempDir(), "fastgrest")
	build := exec.CommandContext(tb.Context(), "go", "build", "-o", path, "github.com/fastgrest/fastgrest/cmd/fastgrest")
	if out, err := build.CombinedOutput(); err != nil {
		tb.Fatalf("go build: %v\n%s", err, out)
	}
	return path
}
