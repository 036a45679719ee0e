package main

import (
	"debug/elf"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/fastgrest/fastgrest/pgwire/pgtest"
	"github.com/fastgrest/fastgrest/server/config"
)

func readPackaging(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("packaging", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// --- the image

// instruction is one of a Dockerfile.
type instruction struct{ word, rest string }

// dockerStages splits a Dockerfile into its stages. It knows comments and lines that go on.
func dockerStages(t *testing.T, text string) (stages [][]instruction) {
	t.Helper()
	line := ""
	for l := range strings.Lines(text) {
		l = strings.TrimRight(l, " \n")
		if strings.HasPrefix(strings.TrimSpace(l), "#") {
			continue
		}
		if part, more := strings.CutSuffix(l, `\`); more {
			line += part
			continue
		}
		line += l
		word, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		line = ""
		if word == "" {
			continue
		}
		known := []string{"FROM", "WORKDIR", "COPY", "RUN", "ARG", "USER", "ENV", "EXPOSE", "HEALTHCHECK", "ENTRYPOINT"}
		if !slices.Contains(known, word) {
			t.Errorf("unknown instruction %s", word)
		}
		if word == "FROM" {
			stages = append(stages, nil)
		}
		if len(stages) == 0 {
			t.Fatalf("%s before FROM", word)
		}
		last := &stages[len(stages)-1]
		*last = append(*last, instruction{word, strings.TrimSpace(rest)})
	}
	return stages
}

func find(stage []instruction, word string) (list []string) {
	for _, i := range stage {
		if i.word == word {
			list = append(list, i.rest)
		}
	}
	return list
}

func TestDockerfile(t *testing.T) {
	stages := dockerStages(t, readPackaging(t, "Dockerfile"))
	if len(stages) != 2 {
		t.Fatalf("%d stages", len(stages))
	}
	build, image := stages[0], stages[1]

	mod, err := os.ReadFile("../../go.mod")
	if err != nil {
		t.Fatal(err)
	}
	goVersion := regexp.MustCompile(`(?m)^go (\d+\.\d+)`).FindSubmatch(mod)
	if want := fmt.Sprintf("golang:%s AS build", goVersion[1]); build[0].rest != want {
		t.Errorf("built from %s, want %s", build[0].rest, want)
	}
	if image[0].rest != "scratch" {
		t.Errorf("the image begins with %s", image[0].rest)
	}
	if user := find(image, "USER"); len(user) != 1 || !regexp.MustCompile(`^[1-9]\d*:[1-9]\d*$`).MatchString(user[0]) {
		t.Errorf("it runs as %q: a number, since there is no /etc/passwd, and not root's", user)
	}
	var entry []string
	if err := json.Unmarshal([]byte(strings.Join(find(image, "ENTRYPOINT"), "")), &entry); err != nil || !slices.Equal(entry, []string{"/fastgrest"}) {
		t.Errorf("it starts %q, %v", entry, err)
	}

	// Build as the image does.
	var command, target string
	for _, run := range find(build, "RUN") {
		if strings.Contains(run, "go build") {
			command = run
		}
	}
	if m := regexp.MustCompile(`-o (\S+)`).FindStringSubmatch(command); m == nil || !strings.HasPrefix(command, "CGO_ENABLED=0 ") {
		t.Fatalf("it is built by %q", command)
	} else {
		target = m[1]
	}
	if !slices.Contains(find(image, "COPY"), "--from=build "+target+" "+entry[0]) {
		t.Errorf("%s is not in the image", target)
	}
	dir := t.TempDir()
	program := filepath.Join(dir, "fastgrest")
	sh := exec.CommandContext(t.Context(), "sh", "-c", strings.Replace(command, target, program, 1))
	sh.Dir = "../.."
	sh.Env = append(os.Environ(), "VERSION=1.2.3")
	if out, err := sh.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", command, err, out)
	}
	checkStatic(t, program)
	if out, err := exec.CommandContext(t.Context(), program, "--version").Output(); err != nil || !strings.HasPrefix(string(out), "fastgrest 1.2.3 ") {
		t.Errorf("its version is %s, %v", out, err)
	}

	// Its environment is understood, and with it the health check works.
	var env []string
	for _, list := range find(image, "ENV") {
		env = append(env, strings.Fields(list)...)
	}
	dump := exec.CommandContext(t.Context(), program, "--dump-config")
	dump.Env = append(slices.Clone(env), "PGRST_DB_CONFIG=false")
	out, err := dump.CombinedOutput()
	if err != nil {
		t.Errorf("--dump-config: %v\n%s", err, out)
	}
	for _, kv := range env {
		name, value, _ := strings.Cut(kv, "=")
		key := strings.ReplaceAll(strings.ToLower(strings.TrimPrefix(name, "PGRST_")), "_", "-")
		if !regexp.MustCompile(`(?m)^` + key + ` = "?` + regexp.QuoteMeta(value) + `"?$`).Match(out) {
			t.Errorf("%s is not in the configuration:\n%s", kv, out)
		}
	}
	health := regexp.MustCompile(`CMD (\[.*\])$`).FindStringSubmatch(strings.Join(find(image, "HEALTHCHECK"), ""))
	var check []string
	if health == nil || json.Unmarshal([]byte(health[1]), &check) != nil || len(check) < 2 || check[0] != entry[0] {
		t.Fatalf("the health check is %q", health)
	}
	checkHealth(t, program, check[1:], env)
}

// checkStatic: there is no loader and no library in an empty image.
func checkStatic(t *testing.T, program string) {
	t.Helper()
	f, err := elf.Open(program)
	if err != nil {
		t.Logf("not a program for Linux: %v", err)
		return
	}
	defer f.Close()
	for _, p := range f.Progs {
		if p.Type == elf.PT_INTERP {
			t.Error("the program asks for a loader")
		}
	}
	if libraries, err := f.ImportedLibraries(); len(libraries) > 0 {
		t.Errorf("the program needs %v, %v", libraries, err)
	}
}

// checkHealth runs the health check beside an admin server in several states.
func checkHealth(t *testing.T, program string, args, env []string) {
	t.Helper()
	var status atomic.Int64 // between processes there is an order, but none the race detector sees
	status.Store(http.StatusOK)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/ready" {
			t.Errorf("it asks for %s", r.URL.Path)
		}
		w.WriteHeader(int(status.Load()))
	}))
	defer server.Close()
	_, port, err := net.SplitHostPort(server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	f := func(what, port string, want int) {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), program, args...)
		cmd.Env = append(slices.Clone(env), "PGRST_ADMIN_SERVER_PORT="+port)
		out, _ := cmd.CombinedOutput()
		if got := cmd.ProcessState.ExitCode(); got != want {
			t.Errorf("%s: exit code %d, want %d: %s", what, got, want, out)
		}
	}
	f("ready", port, 0)
	status.Store(http.StatusServiceUnavailable)
	f("waiting for the database", port, 1)
	f("nobody there", pgtest.FreePort(t, "127.0.0.1"), 1)
}

// --- the unit

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
				t.Errorf("%q is no setting of a section", line)
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
	if got := service["ExecReload"]; !slices.Equal(got, []string{"/bin/kill -USR2 $MAINPID", "/bin/kill -USR1 $MAINPID"}) {
		t.Errorf("it is reloaded by %q", got)
	}
	checkStopTime(t, text, service)
	start := strings.Fields(strings.Join(service["ExecStart"], " "))
	if len(start) != 2 || filepath.Base(start[0]) != "fastgrest" {
		t.Fatalf("it is started by %q", start)
	}
	// The arguments are ones the program takes: a file, here the example.
	path := program(t)
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

// verifyUnit asks systemd, where it is installed; what is above holds everywhere.
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
