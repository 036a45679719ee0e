package pgtest

import (
	"flag"
	"os"
	"testing"
)

// Main is for TestMain. It runs the tests and takes the shared cluster down
// before the process ends rather than just after.
func Main(m *testing.M) { os.Exit(run(m)) }

// MainWaiting is Main for packages whose parallel tests wait rather than compute: eight of them run
// at a time, unless go test has -parallel.
func MainWaiting(m *testing.M) {
	flag.Parse()
	given := false
	flag.Visit(func(f *flag.Flag) { given = given || f.Name == "test.parallel" })
	if !given {
		_ = flag.Set("test.parallel", "8")
	}
	os.Exit(run(m))
}

func run(m *testing.M) int {
	code := m.Run()
	shared.Lock()
	if shared.cluster != nil {
		shared.cluster.remove()
	}
	seed.Lock()
	if seed.home != nil {
		seed.home.remove()
	}
	return code
}
