package main

import (
	"debug/elf"
	"encoding/json"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/fastgrest/fastgrest/pgwire/pgtest"
)

// instruction is one of a Dockerfile.
type instruction struct{ word, rest string }

// dockerStages splits a Dockerfile into its stages. It knows comments, and lines that end in a backslash.
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
		known := []string{"FROM", "WORKDIR", "COPY", "RUN", "ARG", "USER", "ENV", "EXPOSE", "CMD"}
		if !slices.Contains(known, word) {
			t.Errorf("%s is not an instruction that this test knows", word)
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

// image is what docker makes of the Dockerfile.
type image struct {
	root string // its file system
	env  []string
	user uint32
	cmd  []string
}

// buildImage does by hand what the Dockerfile says.
func buildImage(t *testing.T) *image {
	t.Helper()
	stages := dockerStages(t, readPackaging(t, "Dockerfile"))
	if len(stages) != 2 {
		t.Fatalf("%d stages", len(stages))
	}
	build, final := stages[0], stages[1]
	mod, err := os.ReadFile("../../go.mod")
	if err != nil {
		t.Fatal(err)
	}
	goVersion := regexp.MustCompile(`(?m)^go (\d+\.\d+)`).FindSubmatch(mod)
	if want := fmt.Sprintf("--platform=$BUILDPLATFORM golang:%s AS build", goVersion[1]); build[0].rest != want {
		t.Errorf("built from %s, want %s", build[0].rest, want)
	}
	if final[0].rest != "scratch" {
		t.Errorf("the image begins with %s", final[0].rest)
	}

	dir := t.TempDir()
	source, out := filepath.Join(dir, "src"), filepath.Join(dir, "out")
	dockerContext(t, "../..", source)
	for _, run := range find(build, "RUN") {
		if run == "go mod download" {
			continue // they are here
		}
		sh := exec.CommandContext(t.Context(), "sh", "-c", strings.ReplaceAll(run, "/out/", out+"/"))
		sh.Dir = source
		sh.Env = append(os.Environ(), "VERSION=v1.2.3", "TARGETARCH="+runtime.GOARCH)
		if text, err := sh.CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", run, err, text)
		}
	}

	i := &image{root: filepath.Join(dir, "root")}
	for _, copied := range find(final, "COPY") {
		words := strings.Fields(copied)
		from, to := words[len(words)-2], filepath.Join(i.root, words[len(words)-1])
		if !slices.Contains(words, "--from=build") {
			t.Errorf("COPY %s: not from the build", copied)
		}
		if inside, ok := strings.CutPrefix(from, "/out/"); ok {
			from = filepath.Join(out, inside)
		} else if _, err := os.Stat(from); err != nil {
			continue // of golang's image
		}
		if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
			t.Fatal(err)
		}
		if text, err := exec.CommandContext(t.Context(), "cp", "-a", from, to).CombinedOutput(); err != nil {
			t.Fatalf("COPY %s: %v\n%s", copied, err, text)
		}
		if owner := regexp.MustCompile(`--chown=(\d+)`).FindStringSubmatch(copied); owner != nil && os.Geteuid() == 0 {
			id, _ := strconv.Atoi(owner[1])
			if err := os.Chown(to, id, -1); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, list := range find(final, "ENV") {
		i.env = append(i.env, strings.Fields(list)...)
	}
	user, err := strconv.ParseUint(strings.Join(find(final, "USER"), " "), 10, 32)
	if err != nil || user == 0 {
		t.Errorf("it runs as %d, %v: want a number, since there is no /etc/passwd, and not root's", user, err)
	}
	i.user = uint32(user)
	if err := json.Unmarshal([]byte(strings.Join(find(final, "CMD"), "")), &i.cmd); err != nil {
		t.Errorf("its command is %q, %v", find(final, "CMD"), err)
	}
	return i
}

// dockerContext copies what docker sends to the build: the repository without what .dockerignore names.
func dockerContext(t *testing.T, from, to string) {
	t.Helper()
	ignore, err := os.ReadFile(filepath.Join(from, ".dockerignore"))
	if err != nil {
		t.Fatal(err)
	}
	var patterns []string
	for line := range strings.Lines(string(ignore)) {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		if strings.Contains(strings.TrimPrefix(line, "**/"), "/") || line[0] == '!' {
			t.Errorf(".dockerignore: this test does not know %s", line)
		}
		patterns = append(patterns, line)
	}
	ignored := func(path string) bool {
		return slices.ContainsFunc(patterns, func(pattern string) bool {
			name := path
			if anywhere, ok := strings.CutPrefix(pattern, "**/"); ok {
				pattern, name = anywhere, filepath.Base(path)
			}
			matches, err := filepath.Match(pattern, name)
			return err == nil && matches
		})
	}
	files := 0
	err = filepath.WalkDir(from, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		inside, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		target := filepath.Join(to, inside)
		switch {
		case inside != "." && ignored(inside):
			if entry.IsDir() {
				return fs.SkipDir
			}
			return nil
		case entry.IsDir():
			return os.MkdirAll(target, 0o755)
		}
		files++
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		return os.WriteFile(target, text, 0o644)
	})
	if err != nil {
		t.Fatal(err)
	}
	if files > 1000 {
		t.Errorf("docker is sent %d files: .dockerignore misses something", files)
	}
}

// command is what runs in a container for a command line. As root the test shuts it into the image.
func (i *image) command(t *testing.T, args []string, env ...string) *exec.Cmd {
	t.Helper()
	inside := args[0]
	if !strings.Contains(inside, "/") {
		for _, kv := range i.env {
			dir, ok := strings.CutPrefix(kv, "PATH=")
			if _, err := os.Stat(filepath.Join(i.root, dir, inside)); ok && err == nil {
				inside = filepath.Join(dir, inside)
			}
		}
	}
	if !filepath.IsAbs(inside) {
		t.Fatalf("%s is not in the image's PATH", inside)
	}
	cmd := exec.CommandContext(t.Context(), filepath.Join(i.root, inside))
	if os.Geteuid() == 0 {
		cmd.Path, cmd.Dir = inside, "/"
		cmd.SysProcAttr = &syscall.SysProcAttr{Chroot: i.root, Credential: &syscall.Credential{Uid: i.user}}
	}
	cmd.Args = args
	cmd.Env = append(slices.Clone(i.env), env...)
	return cmd
}

func TestImage(t *testing.T) {
	i := buildImage(t)
	checkStatic(t, filepath.Join(i.root, "bin", "fastgrest"))
	for _, kv := range i.env {
		if strings.HasPrefix(kv, "PGRST_") {
			t.Errorf("the image sets %s, which wins over a mounted file", kv)
		}
	}
	for _, name := range []string{"fastgrest", "postgrest", "/bin/postgrest"} {
		if out, err := i.command(t, []string{name, "--version"}).CombinedOutput(); err != nil || !strings.HasPrefix(string(out), "fastgrest 1.2.3 ") {
			t.Errorf("%s: its version is %s, %v", name, out, err)
		}
	}

	// As in compose files: the image's own command or postgrest, with settings in variables or in a file.
	d := newDatabase(t)
	large := d.large()
	for name, args := range map[string][]string{
		"variables": i.cmd, "command": {"postgrest"}, "file": {"postgrest", "/etc/postgrest.conf"},
	} {
		t.Run(name, func(t *testing.T) {
			port, admin := pgtest.FreePort(t, "127.0.0.1"), pgtest.FreePort(t, "127.0.0.1")
			settings := map[string]string{
				"db-uri": d.tcp, "db-schemas": "api", "db-anon-role": "test_anon", "log-level": "crit",
				"server-port": port, "admin-server-port": admin,
			}
			var env []string
			var file strings.Builder
			for key, value := range settings {
				env = append(env, "PGRST_"+strings.ReplaceAll(strings.ToUpper(key), "-", "_")+"="+value)
				fmt.Fprintf(&file, "%s = %q\n", key, value)
			}
			if len(args) > 1 {
				mounted := filepath.Join(i.root, args[1])
				if os.Geteuid() != 0 {
					args = []string{args[0], mounted}
				}
				if err := os.MkdirAll(filepath.Dir(mounted), 0o755); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(mounted, []byte(file.String()), 0o644); err != nil {
					t.Fatal(err)
				}
				env = nil
			}
			p := d.supervise(i.command(t, args, env...))
			p.awaitListening()
			check := append([]string{"postgrest", "--ready"}, args[1:]...)
			eventually(t, "healthy", func() bool { return i.command(t, check, env...).Run() == nil })
			c := dialClient(t, "tcp", net.JoinHostPort("127.0.0.1", port))
			c.ask("GET /large")
			if resp, body, err := c.answer(); err != nil || resp.StatusCode != 200 || len(body) != large {
				t.Errorf("large response: %v, %d bytes, %v, want %d bytes", resp, len(body), err, large)
			}
			p.signal(syscall.SIGTERM)
			p.endsWell()
		})
	}
	checkHealth(t, i)
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
func checkHealth(t *testing.T, i *image) {
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
		cmd := i.command(t, []string{"postgrest", "--ready"}, "PGRST_ADMIN_SERVER_PORT="+port)
		out, _ := cmd.CombinedOutput()
		if got := cmd.ProcessState.ExitCode(); got != want {
			t.Errorf("%s: exit code %d, want %d: %s", what, got, want, out)
		}
	}
	f("ready", port, 0)
	status.Store(http.StatusServiceUnavailable)
	f("waiting for the database", port, 1)
	f("nothing listens", pgtest.FreePort(t, "127.0.0.1"), 1)
}
