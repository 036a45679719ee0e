package simtest

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// A mutant is a fault that is planted in the server's packages, in a copy of its source that
// only the compiler sees (go build -overlay). testdata/mutants has one file for each:
//
//	What the fault is.
//	--- pgwire/reset.go
//	<<<<
//	text to be replaced, which occurs once
//	====
//	text in its place
//	>>>>

var (
	hunt      = flag.Int("hunt", 0, "how often each mutant is searched for, each time among other seeds")
	hunted    = flag.String("mutant", "", "only this mutant")
	huntSeeds = flag.Int("hunt-seeds", 10_000, "how many seeds are tried")
)

// mutant has the sources of a mutant by path in the module.
type mutant struct {
	name, about string
	sources     map[string]string
}

func readMutants(t *testing.T) (all []mutant) {
	files, err := filepath.Glob("testdata/mutants/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatal("testdata/mutants is empty", err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		m := mutant{name: strings.TrimSuffix(filepath.Base(file), ".txt"), sources: map[string]string{}}
		about, rest, _ := strings.Cut(string(text), "\n--- ")
		m.about = strings.TrimSpace(about)
		for section := range strings.SplitSeq(rest, "\n--- ") {
			path, edits, _ := strings.Cut(section, "\n")
			if err := m.edit(path, edits); err != nil {
				t.Fatalf("%s is out of date: %v", file, err)
			}
		}
		all = append(all, m)
	}
	return all
}

func (m *mutant) edit(path, edits string) error {
	source, ok := m.sources[path]
	if !ok {
		b, err := os.ReadFile(filepath.Join("..", "..", path))
		if err != nil {
			return err
		}
		source = string(b)
	}
	edits, ok = strings.CutPrefix(edits, "<<<<\n")
	if !ok {
		return fmt.Errorf("%s: no <<<<", path)
	}
	for edit := range strings.SplitSeq(edits, "\n<<<<\n") {
		edit, _, _ = strings.Cut(edit, "\n>>>>")
		old, replacement, ok := strings.Cut(edit, "\n====")
		if !ok {
			return fmt.Errorf("%s: no ====", path)
		}
		if n := strings.Count(source, old); n != 1 {
			return fmt.Errorf("%s: the text occurs %d times: %s", path, n, old)
		}
		source = strings.Replace(source, old, strings.TrimPrefix(replacement, "\n"), 1)
	}
	m.sources[path] = source
	return nil
}

// TestMutantsFit: the files fit the source.
func TestMutantsFit(t *testing.T) {
	if n := len(readMutants(t)); n < 20 {
		t.Errorf("there are only %d mutants", n)
	}
}

// TestMutants plants each fault and runs seeds until one fails, with -hunt.
func TestMutants(t *testing.T) {
	if *hunt == 0 {
		t.Skip("no -hunt")
	}
	for _, m := range readMutants(t) {
		if *hunted != "" && m.name != *hunted {
			continue
		}
		binary := m.build(t)
		var needed []int
		why := ""
		for i := range *hunt {
			n, found := search(t, binary, uint64(i*1_000_000), *huntSeeds)
			if found == "" {
				t.Errorf("%s is not found in %d seeds from %d on", m.name, *huntSeeds, i*1_000_000)
				continue
			}
			needed, why = append(needed, n), found
		}
		if len(needed) > 0 {
			slices.Sort(needed)
			t.Logf("%s: found %d times of %d, after %d seeds, median %d: %.150s", m.name, len(needed), *hunt, needed, needed[len(needed)/2], why)
		}
	}
}

// build compiles this package with the fault.
func (m *mutant) build(t *testing.T) (binary string) {
	dir := t.TempDir()
	var overlay struct{ Replace map[string]string }
	overlay.Replace = map[string]string{}
	for path, source := range m.sources {
		abs, err := filepath.Abs(filepath.Join("..", "..", path))
		if err != nil {
			t.Fatal(err)
		}
		file := filepath.Join(dir, strings.ReplaceAll(path, "/", "_"))
		if err := os.WriteFile(file, []byte(source), 0o600); err != nil {
			t.Fatal(err)
		}
		overlay.Replace[abs] = file
	}
	text, _ := json.Marshal(overlay)
	list := filepath.Join(dir, "overlay.json")
	if err := os.WriteFile(list, text, 0o600); err != nil {
		t.Fatal(err)
	}
	binary = filepath.Join(dir, "mutant.test")
	if out, err := exec.Command("go", "test", "-c", "-vet=off", "-overlay", list, "-o", binary, ".").CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", m.name, err, out)
	}
	return binary
}

// search runs up to limit seeds from first on until one fails. It returns how many it took.
func search(t *testing.T, binary string, first uint64, limit int) (n int, why string) {
	portion := 50
	for n < limit {
		f := runChild(t, binary, first+uint64(n), uint64(portion), true)
		for i := range portion {
			if why = f.failed[first+uint64(n+i)]; why != "" {
				return n + i + 1, why
			}
		}
		n += portion
		portion = min(2*portion, 500)
	}
	return n, ""
}
