package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/fastgrest/fastgrest/server/config"
	"github.com/fastgrest/fastgrest/server/servertest"
)

func readPackaging(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("packaging", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// unitFile reads sections of keys, which may come several times.
func unitFile(t *testing.T, text string) map[string]map[string][]string {
	t.Helper()
	unit, section := map[string]map[string][]string{}, ""
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		switch {
		case line == "" || line[0] == '#':
		case line[0] == '[':
			section = strings.Trim(line, "[]")
			unit[section] = map[string][]string{}
		default:
			key, value, ok := strings.Cut(line, "=")
			if !ok || unit[section] == nil || !regexp.MustCompile(`^[A-Z][A-Za-z]+$`).MatchString(key) {
				t.Errorf("%q is not a setting of a section", line)
				continue
			}
			unit[section][key] = append(unit[section][key], value)
		}
	}
	return unit
}

func TestUnit(t *testing.T) {
	text := readPackaging(t, "fastgrest.service")
	unit := unitFile(t, text)
	service := unit["Service"]
	for key, want := range map[string]string{
		"Type": "exec", "DynamicUser": "yes", "NoNewPrivileges": "yes", "ProtectSystem": "strict", "ProtectHome": "yes",
		"CapabilityBoundingSet": "", "Restart": "on-failure", "PrivateTmp": "yes",
	} {
		if got := service[key]; len(got) != 1 || got[0] != want {
			t.Errorf("%s is %q, want %q", key, got, want)
		}
	}
	if unit["Install"]["WantedBy"] == nil || unit["Unit"]["Description"] == nil {
		t.Errorf("what systemctl needs is missing: %v", unit)
	}
	if got := service["ExecReload"]; !slices.Equal(got, []string{"/bin/kill -HUP $MAINPID"}) {
		t.Errorf("it is reloaded by %q", got)
	}
	checkStopTime(t, text, service)
	start := strings.Fields(strings.Join(service["ExecStart"], " "))
	if len(start) != 2 || filepath.Base(start[0]) != "fastgrest" {
		t.Fatalf("it is started by %q", start)
	}
	// The arguments are ones the program takes: a file, here the example.
	path := servertest.Program(t)
	file := filepath.Join(t.TempDir(), filepath.Base(start[1]))
	example, err := exec.CommandContext(t.Context(), path, "--example").Output()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, example, 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.CommandContext(t.Context(), path, "--db-config", "false", "--dump-config", file).CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	verifyUnit(t, strings.ReplaceAll(text, start[0], path))
}

// checkStopTime: the unit says how long requests have to finish, and systemd waits longer than that.
func checkStopTime(t *testing.T, text string, service map[string][]string) {
	t.Helper()
	c, err := config.Load(config.LoadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	stop, err := strconv.ParseFloat(strings.Join(service["TimeoutStopSec"], " "), 64)
	if drain := c.ServerDrainTimeout.Seconds(); err != nil || stop < drain+10 {
		t.Errorf("systemd kills the program after %v seconds, %v; requests have %v", stop, err, drain)
	}
	if want := fmt.Sprintf("have %v seconds to finish (server-drain-timeout)", c.ServerDrainTimeout.Seconds()); !strings.Contains(text, want) {
		t.Errorf("the unit does not say that requests %s", want)
	}
}

// verifyUnit runs systemd's check if systemd is installed; the checks above run everywhere.
func verifyUnit(t *testing.T, text string) {
	t.Helper()
	analyze, err := exec.LookPath("systemd-analyze")
	if err != nil {
		t.Log("systemd-analyze is not installed: the unit was read by this test only")
		return
	}
	file := filepath.Join(t.TempDir(), "fastgrest.service")
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	out, err := exec.CommandContext(t.Context(), analyze, "verify", "--man=no", "--recursive-errors=no", file).CombinedOutput()
	if err != nil || len(out) > 0 {
		t.Errorf("systemd-analyze verify: %v\n%s", err, out)
	}
}

// TestReleaseWorkflow: a tag builds the files and the image, after the tests have passed.
func TestReleaseWorkflow(t *testing.T) {
	workflow := readPage(t, ".github/workflows/release.yml")
	for _, want := range []string{
		`tags: ["v*"]`, "uses: ./.github/workflows/ci.yml", `make release VERSION="$GITHUB_REF_NAME"`, "subject-checksums: dist/SHA256SUMS",
		"file: cmd/fastgrest/packaging/Dockerfile", "platforms: linux/amd64,linux/arm64", "build-args: VERSION=${{ github.ref_name }}",
	} {
		if !strings.Contains(workflow, want) {
			t.Errorf("release.yml does not have %q", want)
		}
	}
	if strings.Count(workflow, "needs: ci\n") != 2 || !strings.Contains(readPage(t, ".github/workflows/ci.yml"), "workflow_call:") {
		t.Error("a release does not wait for the tests")
	}
}
