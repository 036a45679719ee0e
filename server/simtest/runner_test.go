package simtest

import (
	"bufio"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"testing"
)

var (
	oneSeed   = flag.Int64("seed", -1, "run this seed only, and print what happens")
	seeds     = flag.Int("seeds", 2000, "number of seeds")
	from      = flag.Uint64("from", 0, "the first seed")
	processes = flag.Int("processes", runtime.NumCPU(), "number of processes that run seeds")
)

const childVariable = "SIMTEST_SEEDS"

func report(seed uint64, violations []string, stacks string) {
	fmt.Printf("FAILED %d %s\n", seed, strings.Join(violations, "; "))
	fmt.Println(stacks)
	os.Exit(3)
}

// TestSeed runs one seed in this process, with -seed.
func TestSeed(t *testing.T) {
	if *oneSeed < 0 {
		t.Skip("no -seed")
	}
	runtime.GOMAXPROCS(1)
	debug.SetGCPercent(-1)
	o := runSeed(t, uint64(*oneSeed), true)
	fmt.Printf("%+v\nhash %x\n", drawPlans((&world{seed: uint64(*oneSeed)}).rng("plan", 0)), o.hash)
	for _, v := range o.violations {
		t.Error(v)
	}
}

// maxGrowth is what the memory of a process may grow by, whatever the number of seeds.
const maxGrowth = 1 << 20

// TestChild runs the seeds that the parent process names.
func TestChild(t *testing.T) {
	text := os.Getenv(childVariable)
	if text == "" {
		t.Skip("only for child processes")
	}
	runtime.GOMAXPROCS(1)
	debug.SetGCPercent(-1)
	var first, n uint64
	if _, err := fmt.Sscanf(text, "%d %d", &first, &n); err != nil {
		t.Fatal(err)
	}
	out := bufio.NewWriter(os.Stdout)
	progress := os.NewFile(3, "progress")
	counts := map[string]int{}
	warm := uint64(0) // bytes of memory after the first seeds
	for seed := first; seed < first+n; seed++ {
		fmt.Fprintf(progress, "%d\n", seed)
		o := runSeed(t, seed, false)
		for what, n := range o.counts {
			counts[what] += n
		}
		fmt.Fprintf(out, "HASH %d %x\n", seed, o.hash)
		if len(o.violations) > 0 {
			fmt.Fprintf(out, "FAILED %d %s\n", seed, strings.Join(o.violations[:min(3, len(o.violations))], "; "))
		}
		if seed%64 == 63 {
			runtime.GC()
			runtime.GC() // sync.Pool keeps what it has for one
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			if warm == 0 {
				warm = m.HeapAlloc
			} else if m.HeapAlloc > warm+maxGrowth {
				fmt.Fprintf(out, "FAILED %d the memory in use has grown from %d to %d bytes\n", seed, warm, m.HeapAlloc)
				warm = m.HeapAlloc
			}
		}
	}
	text2, _ := json.Marshal(counts)
	fmt.Fprintf(out, "COUNTS %s\n", text2)
	out.Flush()
}

// findings are what seeds have shown.
type findings struct {
	failed map[uint64]string
	hashes map[uint64]string
	counts map[string]int
}

// runChild runs n seeds in a child process, and goes on behind a seed that ended it.
func runChild(t testing.TB, binary string, first, n uint64, stopAtFirst bool) *findings {
	f := &findings{map[uint64]string{}, map[uint64]string{}, map[string]int{}}
	for end := first + n; first < end; {
		r, w, err := os.Pipe()
		if err != nil {
			t.Error(err)
			return f
		}
		cmd := exec.Command(binary, "-test.run=^TestChild$", "-test.timeout=30m")
		cmd.Env = append(os.Environ(), fmt.Sprintf("%s=%d %d", childVariable, first, end-first), "GODEBUG=asyncpreemptoff=1")
		cmd.ExtraFiles = []*os.File{w}
		last := make(chan uint64)
		seed := first
		go func() {
			for s := bufio.NewScanner(r); s.Scan(); {
				seed, _ = strconv.ParseUint(s.Text(), 10, 64)
			}
			last <- seed
		}()
		text, err := cmd.CombinedOutput()
		w.Close()
		seed = <-last
		r.Close()
		f.read(string(text))
		if err == nil {
			return f
		}
		if f.failed[seed] == "" {
			f.failed[seed] = crash(string(text))
		}
		if stopAtFirst {
			return f
		}
		first = seed + 1
	}
	return f
}

// crash is the part of an output that tells why the process ended.
func crash(text string) string {
	for _, mark := range []string{"panic: ", "fatal error: ", "--- FAIL"} {
		if i := strings.Index(text, mark); i >= 0 {
			return text[i:min(len(text), i+3000)]
		}
	}
	return "the process ended: " + text[max(0, len(text)-2000):]
}

func (f *findings) read(text string) {
	for line := range strings.Lines(text) {
		kind, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		switch kind {
		case "HASH", "FAILED":
			number, what, _ := strings.Cut(rest, " ")
			seed, _ := strconv.ParseUint(number, 10, 64)
			if kind == "HASH" {
				f.hashes[seed] = what
			} else {
				f.failed[seed] = what
			}
		case "COUNTS":
			var counts map[string]int
			_ = json.Unmarshal([]byte(rest), &counts)
			for what, n := range counts {
				f.counts[what] += n
			}
		}
	}
}
