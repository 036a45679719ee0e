package main

import (
	"encoding/binary"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/fastgrest/fastgrest/pgwire/pgtest"
	"github.com/fastgrest/fastgrest/server/servertest"
)

// underFilter names a file with a seccomp filter. A process of this test binary
// with that variable installs the filter and then becomes the program in its
// arguments. Without arguments it makes a system call that the unit forbids.
const underFilter = "FASTGREST_TEST_UNDER_FILTER"

// exitNoFilter is the exit code where the kernel refuses the filter.
const exitNoFilter = 77

func init() {
	file := os.Getenv(underFilter)
	if file == "" {
		return
	}
	os.Unsetenv(underFilter)
	runtime.LockOSThread() // the filter is the thread's, and exec keeps that of its caller
	if err := installFilter(file); err != nil {
		fmt.Fprintln(os.Stderr, "the kernel refuses a seccomp filter:", err)
		os.Exit(exitNoFilter)
	}
	if len(os.Args) == 1 {
		_ = unix.Setpriority(unix.PRIO_PROCESS, 0, 0)
		os.Exit(0)
	}
	err := syscall.Exec(os.Args[1], os.Args[1:], os.Environ())
	fmt.Fprintln(os.Stderr, os.Args[1], err)
	os.Exit(1)
}

func installFilter(file string) error {
	code, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	filter := make([]unix.SockFilter, len(code)/unix.SizeofSockFilter)
	if _, err := binary.Decode(code, binary.NativeEndian, filter); err != nil {
		return err
	}
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return err
	}
	fprog := unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]}
	return unix.Prctl(unix.PR_SET_SECCOMP, unix.SECCOMP_MODE_FILTER, uintptr(unsafe.Pointer(&fprog)), 0, 0)
}

// Places in struct seccomp_data.
const (
	dataNumber   = 0
	dataArch     = 4
	dataArgument = 16 // the lower half of the first, on a little-endian machine
)

// auditArch are the values of seccomp_data.arch for SystemCallArchitectures=native.
var auditArch = map[string]uint32{"amd64": unix.AUDIT_ARCH_X86_64, "arm64": unix.AUDIT_ARCH_AARCH64}

// unitFilter is a seccomp program that lets the system calls and address
// families of a unit pass and kills the process at any other. Where the unit
// asks for an error instead this is stricter: it shows a call that would fail.
func unitFilter(t *testing.T, service map[string][]string, groups map[string][]string) []byte {
	t.Helper()
	arch, ok := auditArch[runtime.GOARCH]
	if !ok {
		t.Skipf("this test does not know the system calls of %s", runtime.GOARCH)
	}
	numbers := systemCallNumbers(t)
	const kill = unix.SECCOMP_RET_KILL_PROCESS
	load := func(at uint32) unix.SockFilter {
		return unix.SockFilter{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: at}
	}
	// unless skips n instructions if the loaded word is k.
	unless := func(k uint32, n uint8) unix.SockFilter {
		return unix.SockFilter{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, K: k, Jt: n}
	}
	result := func(k uint32) unix.SockFilter {
		return unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K, K: k}
	}
	filter := []unix.SockFilter{load(dataArch), unless(arch, 1), result(kill), load(dataNumber)}
	families := allowedFamilies(t, service["RestrictAddressFamilies"])
	for _, name := range allowedCalls(t, service["SystemCallFilter"], groups) {
		number, ok := numbers[name]
		if !ok || name == "socket" {
			continue // a call of another architecture
		}
		filter = append(filter, unix.SockFilter{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, K: number, Jf: 1}, result(unix.SECCOMP_RET_ALLOW))
	}
	filter = append(filter, unless(numbers["socket"], 1), result(kill), load(dataArgument))
	for _, family := range families {
		filter = append(filter, unix.SockFilter{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, K: family, Jf: 1}, result(unix.SECCOMP_RET_ALLOW))
	}
	filter = append(filter, result(kill))
	code, err := binary.Append(nil, binary.NativeEndian, filter)
	if err != nil {
		t.Fatal(err)
	}
	return code
}

// allowedCalls reads lines of SystemCallFilter as systemd does: the first says
// whether a list of allowed calls begins, and ~ takes calls off again.
func allowedCalls(t *testing.T, lines []string, groups map[string][]string) []string {
	t.Helper()
	if len(lines) == 0 || strings.HasPrefix(lines[0], "~") {
		t.Fatalf("SystemCallFilter is %q, and does not begin with what is allowed", lines)
	}
	allowed := map[string]bool{}
	var set func(name string, to bool)
	set = func(name string, to bool) {
		if !strings.HasPrefix(name, "@") {
			allowed[name] = to
			return
		}
		if groups[name] == nil {
			t.Fatalf("there is no group %s of system calls", name)
		}
		for _, member := range groups[name] {
			set(member, to)
		}
	}
	set("@default", true)
	for _, line := range lines {
		names, taken := strings.CutPrefix(line, "~")
		for _, name := range strings.Fields(names) {
			set(name, !taken)
		}
	}
	var list []string
	for name, ok := range allowed {
		if ok {
			list = append(list, name)
		}
	}
	slices.Sort(list)
	return list
}

func allowedFamilies(t *testing.T, lines []string) (list []uint32) {
	t.Helper()
	known := map[string]uint32{"AF_UNIX": unix.AF_UNIX, "AF_INET": unix.AF_INET, "AF_INET6": unix.AF_INET6, "AF_NETLINK": unix.AF_NETLINK}
	for _, name := range strings.Fields(strings.Join(lines, " ")) {
		family, ok := known[name]
		if !ok {
			t.Fatalf("this test does not know the address family %s", name)
		}
		list = append(list, family)
	}
	return list
}

// systemCallNumbers reads the numbers from the source of golang.org/x/sys/unix.
func systemCallNumbers(t *testing.T) map[string]uint32 {
	t.Helper()
	dir, err := exec.CommandContext(t.Context(), "go", "list", "-f", "{{.Dir}}", "golang.org/x/sys/unix").Output()
	if err != nil {
		t.Fatal(err)
	}
	source, err := os.ReadFile(filepath.Join(strings.TrimSpace(string(dir)), "zsysnum_linux_"+runtime.GOARCH+".go"))
	if err != nil {
		t.Fatal(err)
	}
	numbers := map[string]uint32{}
	for _, m := range regexp.MustCompile(`(?m)^\tSYS_(\w+) += (\d+)$`).FindAllStringSubmatch(string(source), -1) {
		number, err := strconv.ParseUint(m[2], 10, 32)
		if err != nil {
			t.Fatal(err)
		}
		numbers[strings.ToLower(m[1])] = uint32(number)
	}
	if len(numbers) < 200 {
		t.Fatalf("%d system calls in %s", len(numbers), dir)
	}
	return numbers
}

// systemCallGroups are the groups of systemd 252, recorded, and those of the
// systemd that is installed here, if there is one.
func systemCallGroups(t *testing.T) map[string]map[string][]string {
	t.Helper()
	recorded, err := os.ReadFile("testdata/systemd-252.groups")
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]map[string][]string{"systemd 252": {}}
	for line := range strings.Lines(string(recorded)) {
		if words := strings.Fields(line); words[0] != "#" {
			all["systemd 252"][words[0]] = words[1:]
		}
	}
	listed, err := exec.CommandContext(t.Context(), "systemd-analyze", "syscall-filter").Output()
	if err != nil {
		t.Log("the groups are those of systemd 252 only; systemd-analyze does not list others:", err)
		return all
	}
	groups, current := map[string][]string{}, ""
	for line := range strings.Lines(string(listed)) {
		word := strings.TrimSpace(line)
		switch {
		case word == "" || word[0] == '#':
		case line[0] == '@':
			current = word
			groups[current] = []string{}
		case line[0] == ' ' && current != "":
			groups[current] = append(groups[current], word)
		default: // what follows the groups
			current = ""
		}
	}
	all["systemd installed"] = groups
	return all
}

// filtered is a command that runs under the filter in a file.
func filtered(t *testing.T, filter string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(t.Context(), os.Args[0], args...)
	cmd.Env = append(os.Environ(), underFilter+"="+filter, "GOGC=1") // the garbage collector runs all the time
	return cmd
}

// TestUnitFilter runs the program under the system calls and address families
// that the unit allows. The kernel kills it at any other.
func TestUnitFilter(t *testing.T) {
	service := unitFile(t, readPackaging(t, "fastgrest.service"))["Service"]
	path := servertest.Program(t)
	for name, groups := range systemCallGroups(t) {
		t.Run(name, func(t *testing.T) {
			filter := filepath.Join(t.TempDir(), "filter")
			if err := os.WriteFile(filter, unitFilter(t, service, groups), 0o600); err != nil {
				t.Fatal(err)
			}
			forbidden := filtered(t, filter)
			out, err := forbidden.CombinedOutput()
			if forbidden.ProcessState.ExitCode() == exitNoFilter {
				t.Skipf("NOT TESTED: %s", out)
			}
			if status, ok := forbidden.ProcessState.Sys().(syscall.WaitStatus); !ok || status.Signal() != syscall.SIGSYS {
				t.Fatalf("a forbidden system call ends with %v, want SIGSYS\n%s", err, out)
			}
			for _, network := range []string{"tcp", "unix"} {
				t.Run(network, func(t *testing.T) { tryUnderFilter(t, path, filter, network) })
			}
		})
	}
}

// tryUnderFilter has the program do all that it does in its life: start, answer
// small and large requests, reload by each signal, say that it is ready, end.
func tryUnderFilter(t *testing.T, path, filter, network string) {
	d := newDatabase(t)
	large := d.large()
	dir, err := os.MkdirTemp("", "unit") // t.TempDir is too long for a socket
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	conf := filepath.Join(dir, "fastgrest.conf")
	adminPort := pgtest.FreePort(t, "127.0.0.1")
	settings := fmt.Sprintf("db-schemas = \"api\"\ndb-anon-role = \"test_anon\"\nlog-level = \"debug\"\nserver-host = \"localhost\"\nadmin-server-port = %s\n", adminPort)
	var address string
	if network == "unix" {
		address = filepath.Join(dir, "api.sock")
		settings += fmt.Sprintf("db-uri = %q\nserver-unix-socket = %q\n", d.uri, address)
	} else {
		port := pgtest.FreePort(t, "127.0.0.1")
		address = "localhost:" + port
		settings += fmt.Sprintf("db-uri = %q\nserver-port = %s\nserver-reuseport = true\n", strings.Replace(d.tcp, "127.0.0.1", "localhost", 1), port)
	}
	configure := func(more string) {
		t.Helper()
		if err := os.WriteFile(conf, []byte(settings+more), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	configure("")
	p := d.supervise(filtered(t, filter, path, conf))
	p.awaitListening()
	eventually(t, "--ready", func() bool {
		ready := filtered(t, filter, path, "--ready", conf)
		out, err := ready.CombinedOutput()
		if !ready.ProcessState.Exited() {
			t.Fatalf("--ready: %v %s", err, out)
		}
		return err == nil
	})

	get := func(line string) (int, string) {
		t.Helper()
		c := dialClient(t, network, address)
		defer c.Close()
		if err := c.ask(line); err != nil {
			t.Fatal(err)
		}
		resp, body, err := c.answer()
		if err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		return resp.StatusCode, body
	}
	if status, body := get("GET /item"); status != 200 || body != `[{"id":1}]` {
		t.Errorf("read: %d %s", status, body)
	}
	if status, body := get("POST /rpc/write_held"); status != 200 || body != "1" {
		t.Errorf("write: %d %s", status, body)
	}

	// A large response is in a file until its client reads it.
	slow := dialClient(t, network, address)
	if err := slow.ask("GET /large"); err != nil {
		t.Fatal(err)
	}
	admin := net.JoinHostPort("localhost", adminPort)
	kept := regexp.MustCompile(`(?m)^fastgrest_spool_file_bytes [1-9]`)
	eventually(t, "a response in a file", func() bool {
		c := dialClient(t, "tcp", admin)
		defer c.Close()
		if err := c.ask("GET /metrics"); err != nil {
			t.Fatal(err)
		}
		_, figures, err := c.answer()
		return err == nil && kept.MatchString(figures)
	})
	if resp, body, err := slow.answer(); err != nil || resp.StatusCode != 200 || len(body) != large {
		t.Errorf("large response: %v, %d bytes, %v, want %d bytes", resp, len(body), err, large)
	}

	d.value("create table api.fresh as select 1 as id; grant select on api.fresh to test_anon")
	p.signal(syscall.SIGUSR1)
	eventually(t, "the schema is loaded again", func() bool { status, _ := get("GET /fresh"); return status == 200 })
	configure("db-max-rows = 1\n")
	p.signal(syscall.SIGUSR2)
	eventually(t, "the configuration is loaded again", func() bool { _, body := get("GET /large?select=i"); return body == `[{"i":1}]` })
	configure("db-max-rows = 2\n")
	d.value("create table api.fresher as select 1 as id; grant select on api.fresher to test_anon")
	p.signal(syscall.SIGHUP)
	eventually(t, "both are loaded again", func() bool {
		status, _ := get("GET /fresher")
		_, body := get("GET /large?select=i")
		return status == 200 && strings.Count(body, "{") == 2
	})

	// A client that goes away has its request cancelled.
	d.value("select pg_advisory_lock(1)")
	gone := dialClient(t, network, address)
	if err := gone.ask("GET /rpc/held"); err != nil {
		t.Fatal(err)
	}
	eventually(t, "a request waits", func() bool { return d.waiting() == "1" })
	gone.Close()
	eventually(t, "it is cancelled", func() bool { return d.waiting() == "0" })
	d.value("select pg_advisory_unlock(1)")
	p.signal(syscall.SIGTERM)
	p.endsWell()
}
